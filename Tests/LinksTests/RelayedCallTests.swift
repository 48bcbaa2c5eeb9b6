import Links
import Testing
import Units
import Wire

/// Hubs that use relays: when, over which, and what they make of what comes from there.
@Suite struct RelayedCallTests {
  /// Two who are in a room and have one relay between them, which both may use.
  private func pair(
    seed: UInt64, carriers: [RelayServer.Carrier] = [.udp], granted: Bool = true,
    _ prepare: (Lab, LabRelay) -> Void = { _, _ in }
  ) -> (lab: Lab, relay: LabRelay, anna: Lab.Node, bert: Lab.Node) {
    let lab = Lab(seed: seed)
    let relay = LabRelay()
    lab.relay = relay
    prepare(lab, relay)
    let anna = lab.add("anna")
    let bert = lab.add("bert")
    if granted {
      for node in [anna, bert] { lab.feed(node, .relays(relay.grant(carriers))) }
    }
    lab.introduceAll()
    return (lab, relay, anna, bert)
  }

  private func blockDirectWays(_ lab: Lab, _ relay: LabRelay) {
    lab.weather.isDirectDown = true
    lab.weather.isTCPDown = true
  }

  private func descriptions(of node: Lab.Node) -> [LinkDescription] {
    node.heard.compactMap {
      if case .describe(_, let description) = $0.output { description } else { nil }
    }
  }

  private func talk(_ lab: Lab, _ left: Lab.Node, _ right: Lab.Node, _ byte: UInt8) {
    lab.feed(left, .send(right.session, .rtp, [byte]))
    lab.feed(right, .send(left.session, .rtp, [byte]))
    lab.run(.milliseconds(200))
    #expect(left.frames.last == [byte])
    #expect(right.frames.last == [byte])
  }

  @Test func `two whose direct ways are all blocked meet over a relay`() {
    let (lab, relay, anna, bert) = pair(seed: 1, blockDirectWays)
    lab.run(.seconds(2))
    for node in [anna, bert] {
      #expect(node.selected.map(\.report.isRelayed) == [true])
      #expect(node.selected.map(\.report.carrier) == [.datagram])
    }
    talk(lab, anna, bert, 7)
    #expect(relay.carried > 0)
    #expect(lab.stuck.isEmpty)
  }

  @Test func `a relayed candidate is told last and without another generation`() throws {
    let (lab, _, anna, _) = pair(seed: 2, blockDirectWays)
    lab.run(.seconds(1))
    let told = descriptions(of: anna)
    #expect(Set(told.map(\.generation)) == [0])
    #expect(Set(told.map(\.userFragment)).count == 1)
    let last = try #require(told.last)
    let relayed = try #require(last.candidates.last)
    #expect(relayed.kind == .relayed)
    // RFC 8445 §5.1.2.2.
    #expect(relayed.priority >> 24 == 0)
    #expect(last.candidates.dropLast().allSatisfy { $0.kind == .host })
    #expect(last.candidates.dropLast().allSatisfy { $0.foundation != relayed.foundation })
  }

  @Test func `one side's relay is enough for both`() {
    let (lab, relay, anna, bert) = pair(seed: 3, granted: false) {
      $0.isPublic = true
      blockDirectWays($0, $1)
    }
    lab.feed(anna, .relays(relay.grant()))
    lab.run(.seconds(2))
    for node in [anna, bert] { #expect(node.selected.last?.report.isRelayed == true) }
    talk(lab, anna, bert, 7)
  }

  @Test func `a relay at a public address is not asked for a way to internal ones`() {
    let (lab, relay, anna, _) = pair(seed: 17, granted: false, blockDirectWays)
    lab.feed(anna, .relays(relay.grant()))
    lab.run(.seconds(20))
    #expect(relay.allocations == 1)
    #expect(relay.count(.createPermission) == 0)
    #expect(anna.selected.isEmpty)
  }

  @Test func `without a grant nobody is asked, and nobody is met`() {
    let (lab, relay, anna, bert) = pair(seed: 4, granted: false, blockDirectWays)
    lab.run(.seconds(20))
    #expect(anna.proved.isEmpty && bert.proved.isEmpty)
    #expect(relay.count(.allocate) == 0)
  }

  @Test func `a direct way that opens later takes the relay's place`() {
    let (lab, relay, anna, bert) = pair(seed: 5, blockDirectWays)
    lab.run(.seconds(30))
    for node in [anna, bert] { #expect(node.selected.last?.report.isRelayed == true) }
    lab.weather.isDirectDown = false
    lab.run(.seconds(25))
    for node in [anna, bert] {
      #expect(node.selected.map(\.report.isRelayed) == [true, false])
      #expect(node.proved.count == 1)
    }
    // The relay has nothing to carry any more.
    lab.run(.seconds(1))
    let carried = relay.carried
    talk(lab, anna, bert, 8)
    #expect(relay.carried == carried)
    #expect(lab.stuck.isEmpty)
  }

  @Test func `a direct way over TCP is better than a relay`() {
    let (lab, _, anna, bert) = pair(seed: 6) { lab, _ in lab.weather.isDirectDown = true }
    lab.run(.seconds(5))
    for node in [anna, bert] {
      #expect(node.selected.last?.report.isRelayed == false)
      #expect(node.selected.last?.report.carrier == .stream)
    }
  }

  @Test func `where there is a direct way the relay carries no frames for long`() {
    let (lab, _, anna, bert) = pair(seed: 7)
    lab.run(.seconds(3))
    for node in [anna, bert] { #expect(node.selected.last?.report.isRelayed == false) }
    talk(lab, anna, bert, 7)
  }

  @Test func `a relay that refuses the peer spoils nothing else`() {
    let (lab, _, anna, bert) = pair(seed: 8) { lab, relay in
      relay.template.forbidden =
        (1...2).map { .v4(10, 0, 0, $0) } + (0...9).map { .v4(192, 0, 2, 100 + $0) }
    }
    lab.run(.seconds(3))
    for node in [anna, bert] {
      #expect(!node.selected.isEmpty)
      #expect(node.selected.allSatisfy { !$0.report.isRelayed })
      #expect(node.failures.isEmpty)
    }
    talk(lab, anna, bert, 7)
  }

  @Test func `a relay that says nothing is asked again after half a minute, and spoils nothing`() {
    let (lab, relay, anna, bert) = pair(seed: 9) { $1.isUDPDown = true }
    lab.run(.seconds(20))
    for node in [anna, bert] { #expect(node.selected.last?.report.isRelayed == false) }
    relay.isUDPDown = false
    // Asked for 7.9 s, and not for 30 s then.
    lab.run(.seconds(17))
    #expect(relay.count(.allocate) == 0)
    lab.run(.seconds(10))
    #expect(relay.allocations == 2)
    #expect(descriptions(of: anna).last?.candidates.last?.kind == .relayed)
    #expect(lab.stuck.isEmpty)
  }

  @Test func `a wrong password is not tried again until there is another, and then at once`() {
    let (lab, relay, anna, _) = pair(seed: 10, granted: false)
    lab.feed(anna, .relays(relay.grant(password: "wrong")))
    lab.run(.seconds(20))
    #expect(relay.allocations == 0)
    let asked = relay.count(.allocate)
    #expect(asked == 2)
    lab.feed(anna, .relays(relay.grant()))
    lab.run(.seconds(15))
    #expect(relay.allocations == 1)
  }

  @Test func `what comes from a relay's address without an allocation gets nothing`() {
    let (lab, relay, anna, _) = pair(seed: 11, granted: false)
    lab.run(.seconds(2))
    let before = anna.hub.counters
    let heard = anna.heard.count
    let peer = SocketAddress(.v4(203, 0, 113, 9), port: 9)
    let indication = StunMessage(
      .indication, method: .data, transactionID: [UInt8](repeating: 3, count: 12),
      attributes: [.xorPeerAddress(peer), .data([22, 1, 2])])
    for bytes in [indication.encoded, ChannelData(channel: 0x4000, data: [22, 1, 2]).encoded] {
      lab.feed(anna, .datagram(bytes, from: relay.address, on: SocketID(0)))
    }
    #expect(anna.heard.count == heard)
    #expect(anna.hub.counters.unauthenticStun == before.unauthenticStun + 1)
    #expect(anna.hub.counters.foreignDatagrams == before.foreignDatagrams + 1)
  }

  @Test func `the relay's words are the relay's on the socket that asked alone`() {
    let (lab, relay, anna, bert) = pair(seed: 12, blockDirectWays)
    lab.run(.seconds(2))
    let frames = anna.frames.count
    let heard = anna.heard.count
    // Of a peer that nobody permitted, and in the relay's name from elsewhere.
    let stranger = SocketAddress(.v4(203, 0, 113, 9), port: 9)
    let data = [UInt8](repeating: 22, count: 40)
    let indication = StunMessage(
      .indication, method: .data, transactionID: [UInt8](repeating: 3, count: 12),
      attributes: [.xorPeerAddress(stranger), .data(data)])
    lab.feed(anna, .datagram(indication.encoded, from: relay.address, on: SocketID(0)))
    lab.feed(anna, .datagram(indication.encoded, from: relay.address, on: SocketID(1)))
    lab.feed(anna, .datagram(indication.encoded, from: stranger, on: SocketID(0)))
    #expect(anna.heard.count == heard)
    #expect(anna.frames.count == frames)
    talk(lab, anna, bert, 9)
  }

  @Test func `where UDP does not reach the relay TCP does`() {
    let (lab, relay, anna, bert) = pair(seed: 13, carriers: [.udp, .tcp]) {
      blockDirectWays($0, $1)
      $1.isUDPDown = true
    }
    lab.run(.seconds(4))
    for node in [anna, bert] {
      #expect(node.selected.last?.report.isRelayed == true)
      #expect(node.selected.last?.report.carrier == .stream)
    }
    talk(lab, anna, bert, 7)
    #expect(relay.allocations == 2)
    #expect(lab.stuck.isEmpty)
  }

  @Test func `TCP is not asked for where UDP reaches the relay`() {
    let (lab, relay, anna, _) = pair(seed: 14, carriers: [.udp, .tcp], blockDirectWays)
    lab.run(.seconds(5))
    #expect(relay.allocations == 2)
    let dialsToRelay = anna.heard.count {
      if case .dial(_, relay.address) = $0.output { true } else { false }
    }
    #expect(dialsToRelay == 0)
  }

  @Test func `who leaves gives the address back, and so does whom a new grant takes it from`() {
    let (lab, relay, anna, bert) = pair(seed: 15)
    lab.run(.seconds(2))
    #expect(relay.allocations == 2)
    var empty = relay.grant()
    empty.servers = []
    lab.feed(anna, .relays(empty))
    lab.run(.milliseconds(100))
    #expect(relay.allocations == 1)
    #expect(descriptions(of: anna).last?.candidates.contains { $0.kind == .relayed } == false)
    lab.feed(bert, .close)
    lab.run(.seconds(1))
    #expect(relay.allocations == 0)
  }

  @Test func `servers at addresses that nobody means in earnest are not asked`() {
    let (lab, relay, anna, _) = pair(seed: 16, granted: false)
    var grant = relay.grant()
    grant.servers = [
      IPAddress.loopbackV4, .v4(224, 0, 0, 1), .v4(169, 254, 0, 1), .v4(0, 0, 0, 0),
    ].map { RelayServer(.udp, SocketAddress($0, port: 3_478)) }
    let heard = anna.heard.count
    lab.feed(anna, .relays(grant))
    #expect(anna.heard.count == heard)
  }
}
