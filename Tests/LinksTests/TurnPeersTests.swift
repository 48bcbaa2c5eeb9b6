import Links
import Testing
import Units
import Wire

/// What goes to peers through an allocation, and what comes from them.
@Suite struct TurnPeersTests {
  private let peer = SocketAddress(.v4(203, 0, 113, 5), port: 4_000)
  private let other = SocketAddress(.v4(203, 0, 113, 6), port: 4_000)
  private let check = StunMessage(
    .request, transactionID: [UInt8](1...12), attributes: []
  ).encoded

  private func indication(from peer: SocketAddress, _ data: [UInt8]) -> [UInt8] {
    StunMessage(
      .indication, method: .data, transactionID: [UInt8](1...12),
      attributes: [.xorPeerAddress(peer), .data(data)]
    ).encoded
  }

  @Test(arguments: [TurnAllocation.Carrier.datagrams, .stream])
  func `the first datagram waits for no answer`(carrier: TurnAllocation.Carrier) {
    let lab = RelayLab(carrier)
    lab.answersToLose = 100
    lab.send(check, to: peer)
    #expect(lab.relay.delivered.map(\.data) == [check])
    #expect(lab.relay.delivered.map(\.peer) == [peer])
    #expect(lab.relay.count(.createPermission) == 1)
    #expect(lab.relay.requests.last?.peer?.ip == peer.ip)
  }

  @Test func `checks make no channel, data makes one`() {
    let lab = RelayLab()
    for _ in 0..<5 { lab.send(check, to: peer) }
    #expect(lab.relay.count(.channelBind) == 0)
    lab.answersToLose = 1
    lab.send([20, 1], to: peer)
    #expect(lab.relay.count(.channelBind) == 1)
    lab.send([20, 2], to: peer)
    lab.run(for: .milliseconds(100))
    lab.send([20, 3], to: peer)
    lab.send(check, to: peer)
    #expect(lab.relay.delivered.map(\.isByChannel).suffix(4) == [false, false, true, true])
    #expect(
      lab.relay.delivered.map(\.data).suffix(4) == [[20, 1], [20, 2], [20, 3], check])
    #expect(lab.relay.count(.channelBind) == 1)
    #expect(lab.relay.channels.map(\.number) == [0x4000])
    #expect(lab.relay.channels.map(\.peer) == [peer])
  }

  @Test(arguments: [0, 1, 2, 3, 4, 5])
  func `a stream carries channel data of every length`(count: Int) {
    let lab = RelayLab(.stream)
    let data = [UInt8](repeating: 20, count: count)
    for _ in 0..<3 { lab.send(data, to: peer) }
    #expect(lab.relay.delivered.map(\.data) == [data, data, data])
    #expect(lab.relay.delivered.last?.isByChannel == true)
    let answer = ChannelData(channel: 0x4000, data: data).padded
    lab.deliver(answer + answer)
    #expect(lab.received.map(\.data) == [data, data])
  }

  @Test func `data of peers with a permission is taken, from any port`() {
    let lab = RelayLab()
    lab.send(check, to: peer)
    var elsewhere = peer
    elsewhere.port = 9
    lab.deliver(indication(from: elsewhere, [1, 2]))
    #expect(lab.received.map(\.data) == [[1, 2]])
    #expect(lab.received.map(\.peer) == [elsewhere])
    lab.deliver(indication(from: other, [3]))
    #expect(lab.received.count == 1)
    #expect(lab.allocation.counters.unpermitted == 1)
  }

  @Test func `channel data is taken of channels that were asked for`() {
    let lab = RelayLab()
    lab.deliver(ChannelData(channel: 0x4000, data: [1]).encoded)
    #expect(lab.received.isEmpty)
    #expect(lab.allocation.counters.unpermitted == 1)
    lab.send([20], to: peer)
    lab.deliver(ChannelData(channel: 0x4000, data: [1]).encoded + [0, 0, 0])
    lab.deliver(ChannelData(channel: 0x4001, data: [1]).encoded)
    #expect(lab.received.map(\.data) == [[1]])
    #expect(lab.received.map(\.peer) == [peer])
    #expect(lab.allocation.counters.unpermitted == 2)
  }

  @Test func `a peer that the relay forbids is told, and others go on`() {
    let lab = RelayLab { $0.forbidden = [peer.ip] }
    lab.send(check, to: peer)
    lab.send(check, to: other)
    #expect(lab.refused == [peer.ip])
    #expect(lab.relay.delivered.map(\.peer) == [other])
    lab.send(check, to: peer)
    lab.deliver(indication(from: peer, [1]))
    #expect(lab.allocation.counters.dropped == 1)
    #expect(lab.allocation.counters.unpermitted == 1)
    #expect(lab.relay.count(.createPermission) == 2)
    #expect(lab.failure == nil)
    lab.run(for: .seconds(31))
    lab.relay.forbidden = []
    lab.send(check, to: peer)
    #expect(lab.relay.delivered.map(\.peer) == [other, peer])
  }

  @Test func `what cannot be sent is dropped and counted`() {
    let lab = RelayLab()
    lab.send([20], to: SocketAddress(.loopbackV6, port: 5))
    lab.send([UInt8](repeating: 20, count: 1_501), to: peer)
    #expect(lab.allocation.counters.dropped == 2)
    lab.send([UInt8](repeating: 20, count: 1_500), to: peer)
    #expect(lab.relay.delivered.count == 1)
    let silent = RelayLab { $0.isSilent = true }
    silent.send([20], to: peer)
    #expect(silent.allocation.counters.dropped == 1)
    #expect(silent.sent.count == 1)
  }

  @Test func `permissions and channels stay while they are used`() {
    let lab = RelayLab()
    for _ in 0..<1_800 {
      lab.send([20], to: peer)
      lab.run(for: .seconds(1))
    }
    #expect(lab.relay.undelivered == 0)
    #expect(lab.relay.delivered.count == 1_800)
    #expect(lab.relay.delivered.filter { !$0.isByChannel }.count == 1)
    #expect(lab.relay.channels.allSatisfy { $0.number == 0x4000 })
    // Every 240 s, and every 480.
    #expect(lab.relay.count(.createPermission) == 8)
    #expect(lab.relay.count(.channelBind) == 4)
  }

  @Test func `permissions and channels that nobody uses end`() {
    let lab = RelayLab()
    lab.send([20], to: peer)
    lab.run(for: .seconds(539))
    // The window in which it was used ends with one more.
    #expect(lab.relay.count(.createPermission) == 2)
    lab.run(for: .seconds(2))
    lab.deliver(indication(from: peer, [1]))
    #expect(lab.received.isEmpty)
    lab.run(for: .seconds(3_000))
    #expect(lab.relay.count(.createPermission) == 2)
    #expect(lab.relay.count(.channelBind) == 2)
    lab.send([20], to: peer)
    #expect(lab.relay.count(.createPermission) == 3)
    #expect(lab.relay.channels.last?.number == 0x4001)
  }

  @Test func `a channel that the relay refuses leaves indications`() {
    let lab = RelayLab { $0.refusals[.channelBind] = [.errorCode(508, reason: [])] }
    for _ in 0..<29 {
      lab.send([20], to: peer)
      lab.run(for: .seconds(1))
    }
    #expect(lab.relay.delivered.count == 29)
    #expect(lab.relay.count(.channelBind) == 1)
    lab.run(for: .seconds(2))
    lab.relay.refusals = [:]
    lab.send([20], to: peer)
    lab.send([20], to: peer)
    #expect(lab.relay.delivered.last?.isByChannel == true)
  }

  @Test func `a permission that nobody grants is asked for again, not all the time`() {
    let lab = RelayLab()
    lab.relay.isSilent = true
    for _ in 0..<200 {
      lab.send(check, to: peer)
      lab.run(for: .milliseconds(100))
    }
    // Seven copies of a request in 7.9 s, then a second's pause; before that two for the allocation.
    let requests = lab.sent.filter { ((try? StunMessage(decoding: $0.bytes))?.kind) == .request }
    #expect(requests.count == 2 + 7 + 7 + 5)
    #expect(lab.refused.isEmpty)
    lab.relay.isSilent = false
    lab.run(for: .seconds(9))
    lab.send(check, to: peer)
    #expect(lab.relay.delivered.count == 1)
  }

  @Test func `a new allocation asks for permissions of its own`() {
    let lab = RelayLab()
    lab.send([20], to: peer)
    lab.run(for: .seconds(20))
    lab.relay.restart()
    // The relay says so at the next request.
    lab.send([20, 1], to: other)
    #expect(lab.relayedAddresses.count == 2)
    lab.send([20, 2], to: peer)
    lab.send([20, 3], to: peer)
    #expect(lab.relay.delivered.map(\.data).suffix(2) == [[20, 2], [20, 3]])
  }

  @Test func `more addresses than peers have candidates are not sent to`() {
    let lab = RelayLab()
    for number in 0..<300 {
      let ip = IPAddress.v4(203, 0, UInt8(number / 250), UInt8(number % 250))
      lab.send(check, to: SocketAddress(ip, port: 1))
    }
    #expect(lab.relay.delivered.count == 256)
    #expect(lab.allocation.counters.dropped == 44)
  }

  @Test func `more channels than peers have candidates are not bound`() {
    let lab = RelayLab()
    for port in UInt16(1)...300 { lab.send([20], to: SocketAddress(peer.ip, port: port)) }
    #expect(lab.relay.channels.count == 256)
    #expect(lab.relay.delivered.count == 300)
  }

  @Test func `a number is bound once, and indications go on where none is left`() {
    let lab = RelayLab()
    for round in UInt16(0)..<17 {
      for port in UInt16(1)...256 {
        lab.send([20], to: SocketAddress(peer.ip, port: round * 256 + port))
      }
      lab.run(for: .seconds(1_200))
    }
    let numbers = lab.relay.channels.map(\.number)
    #expect(Set(numbers).count == 4_096)
    #expect(numbers.max() == 0x4FFF)
    #expect(lab.relay.delivered.count == 17 * 256)
    #expect(lab.relay.delivered.suffix(256).allSatisfy { !$0.isByChannel })
    #expect(lab.failure == nil)
  }

  @Test func `a stale nonce is not held against a peer`() {
    let lab = RelayLab()
    lab.relay.refusals[.createPermission] = [
      .errorCode(438, reason: []), .realm(lab.relay.realm), .nonce(lab.relay.nonce),
    ]
    lab.send(check, to: peer)
    #expect(lab.refused.isEmpty)
    #expect(lab.relay.count(.createPermission) == 2)
    lab.relay.refusals = [:]
    lab.run(for: .seconds(2))
    lab.send(check, to: peer)
    #expect(lab.relay.delivered.count == 1)
  }

  // MARK: A server that lies

  @Test func `a stream of something else ends the allocation`() {
    let lab = RelayLab(.stream)
    lab.deliver([0x80, 0, 0, 0])
    #expect(
      lab.failure == .stream(.invalid(field: "channel", found: 0x8000)))
    #expect(lab.allocation.nextDeadline == nil)
  }

  @Test func `datagrams of something else are counted`() {
    let lab = RelayLab()
    lab.deliver([])
    lab.deliver([0x80, 0, 0, 0])
    lab.deliver([0x40, 0, 0, 9])
    lab.deliver([0x16] + [UInt8](repeating: 0, count: 30))
    lab.deliver(
      StunMessage(
        .indication, method: .data, transactionID: [UInt8](1...12),
        attributes: [.xorPeerAddress(peer), .data([1]), .unknown(number: 0x7777, value: [])]
      ).encoded)
    lab.deliver(check)
    #expect(lab.allocation.counters.foreign == 6)
    #expect(lab.received.isEmpty)
  }

  @Test(arguments: [TurnAllocation.Carrier.datagrams, .stream])
  func `random and mutated bytes neither trap nor make it talk`(carrier: TurnAllocation.Carrier) {
    for seed in UInt64(1)...40 {
      var random = SeededRandom(seed: seed)
      let lab = RelayLab(carrier)
      lab.send([20], to: peer)
      lab.isCut = true
      lab.send(check, to: other)
      lab.handle(.check)
      let before = lab.sent.count
      let request = try! StunMessage(decoding: lab.sent.last!.bytes)
      let samples = [
        indication(from: peer, [1, 2, 3]),
        ChannelData(channel: 0x4000, data: [1, 2, 3, 4]).encoded,
        StunMessage(
          .error, method: .refresh, transactionID: request.transactionID,
          attributes: [
            .errorCode(438, reason: []), .realm([1]), .nonce([2]),
            .passwordAlgorithms([.sha256]),
          ]
        ).encoded,
        StunMessage(
          .success, method: .refresh, transactionID: request.transactionID,
          attributes: [.lifetime(600)]
        ).encoded,
      ]
      for _ in 0..<50 {
        var bytes = samples.randomElement(using: &random)!
        for _ in 0..<Int.random(in: 0...3, using: &random) {
          bytes[Int.random(in: bytes.indices, using: &random)] = random.bytes(1)[0]
        }
        lab.deliver(bytes)
        lab.deliver(random.bytes(Int.random(in: 0...60, using: &random)))
      }
      // One second try after a stale nonce.
      #expect(lab.sent.count <= before + 1, "seed \(seed)")
    }
  }
}
