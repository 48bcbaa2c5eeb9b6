import Links
import Testing
import Units
import Wire

/// What an attacker on the network, or a stranger, can do to a hub: nothing.
@Suite struct ForgeryTests {
  private let stranger = SocketAddress(.v4(203, 0, 113, 66), port: 666)

  private func transmits(_ node: Lab.Node, after count: Int, to address: SocketAddress) -> Int {
    node.heard[count...].count {
      if case .transmit(_, address, _) = $0.output { true } else { false }
    }
  }

  /// The fragment and password that a node told last.
  private func credentials(_ node: Lab.Node) -> IceCredentials? {
    node.heard.compactMap {
      if case .describe(_, let told) = $0.output {
        IceCredentials(userFragment: told.userFragment, password: told.password)
      } else {
        nil
      }
    }.last
  }

  private func request(_ fragment: [UInt8], password: [UInt8]) -> [UInt8] {
    StunMessage(
      .request, transactionID: [UInt8](1...12),
      attributes: [
        .username(fragment + Array(":them".utf8)), .priority(1), .iceControlling(.max),
        .useCandidate,
      ]
    ).signed { Array(FakeCiphers(seed: 0).hmacSHA1(key: password, $0)) }.encoded
  }

  @Test func `STUN that isn't authentic gets no answer`() throws {
    let lab = Lab(seed: 41)
    let anna = lab.add("anna")
    let bert = lab.add("bert")
    lab.introduceAll()
    lab.run(.seconds(1))
    let known = try #require(credentials(anna))
    let start = anna.heard.count
    let before = anna.hub.counters.unauthenticStun
    var unsigned = StunMessage(
      .request, transactionID: [UInt8](1...12),
      attributes: [.username(known.userFragment + Array(":x".utf8)), .priority(1)])
    let forgeries = [
      request(known.userFragment, password: Array("wrong".utf8)),
      request(Array("nobody".utf8), password: known.password),
      unsigned.encoded,
      StunMessage(.success, transactionID: [UInt8](1...12), attributes: []).encoded,
      StunMessage(.indication, transactionID: [UInt8](1...12), attributes: []).encoded,
    ]
    unsigned.hasFingerprint = false
    for forgery in forgeries + [unsigned.encoded] {
      lab.feed(anna, .datagram(forgery, from: stranger, on: SocketID(0)))
    }
    #expect(transmits(anna, after: start, to: stranger) == 0)
    #expect(anna.hub.counters.unauthenticStun - before == 6)
    // The same with the right password is answered, and checked in turn.
    lab.feed(
      anna,
      .datagram(
        request(known.userFragment, password: known.password), from: stranger, on: SocketID(0)))
    #expect(transmits(anna, after: start, to: stranger) >= 1)
    _ = bert
  }

  @Test func `a replayed check doesn't turn the call to the replayer`() {
    let lab = Lab(seed: 42)
    let anna = lab.add("anna", .init(transport: .udp))
    let bert = lab.add("bert", .init(transport: .udp))
    var captured: [[UInt8]] = []
    anna.tap = { bytes, _ in captured.append(bytes) }
    lab.introduceAll()
    lab.run(.seconds(1))
    for bytes in captured {
      lab.feed(anna, .datagram(bytes, from: stranger, on: SocketID(0)))
    }
    let start = anna.heard.count
    for number in 0..<200 {
      lab.feed(anna, .send(bert.session, .rtp, [UInt8(number)]))
      lab.run(.milliseconds(20))
    }
    #expect(bert.frames.count == 200)
    // Checks of the address that never are answered, no media.
    let media = anna.heard[start...].count {
      if case .transmit(let bytes, stranger, _) = $0.output {
        !StunMessage.isStun(bytes)
      } else {
        false
      }
    }
    #expect(media == 0)
  }

  @Test func `DTLS from an address that ICE hasn't validated is dropped`() {
    let lab = Lab(seed: 43)
    let anna = lab.add("anna")
    _ = lab.add("bert")
    lab.introduceAll()
    lab.run(.seconds(1))
    let start = anna.heard.count
    for first in [UInt8(20), 22, 23, 63] {
      lab.feed(anna, .datagram([first, 0xFE, 0xFD, 0], from: stranger, on: SocketID(0)))
    }
    #expect(anna.heard.count == start)
    #expect(anna.hub.counters.unvalidatedDatagrams == 4)
    for first in [UInt8(4), 19, 64, 128, 255] {
      lab.feed(anna, .datagram([first, 1, 2], from: stranger, on: SocketID(0)))
    }
    lab.feed(anna, .datagram([], from: stranger, on: SocketID(0)))
    #expect(anna.heard.count == start)
    #expect(anna.hub.counters.foreignDatagrams == 6)
  }

  @Test func `every datagram replayed and reflected proves nobody twice and doubles nothing`() {
    let lab = Lab(seed: 44)
    let anna = lab.add("anna", .init(transport: .udp))
    let bert = lab.add("bert", .init(transport: .udp))
    var captured: [(bytes: [UInt8], path: DatagramPath)] = []
    bert.tap = { captured.append(($0, $1)) }
    lab.introduceAll()
    lab.run(.seconds(1))
    for number in 0..<10 {
      lab.feed(anna, .sendReliable(bert.session, .chat, [UInt8(number)], id: UInt64(number)))
      lab.feed(anna, .send(bert.session, .rtp, [UInt8(number)]))
    }
    lab.run(.seconds(1))
    bert.tap = nil
    let annasAddress = anna.sockets[SocketID(0)]!
    let bertsAddress = bert.sockets[SocketID(0)]!
    for (bytes, path) in captured {
      lab.feed(bert, .datagram(bytes, from: path.remote, on: path.socket))
      // Back to its sender, as if from bert.
      lab.feed(anna, .datagram(bytes, from: bertsAddress, on: SocketID(0)))
    }
    lab.run(.seconds(2))
    #expect(anna.proved.count == 1 && bert.proved.count == 1)
    #expect(bert.messages(on: .chat) == (0..<10).map { [UInt8($0)] })
    #expect(bert.frames.count == 10)
    #expect(anna.frames.isEmpty && anna.messages(on: .chat).isEmpty)
    #expect(anna.losses.isEmpty && bert.losses.isEmpty)
    #expect(annasAddress != bertsAddress)
  }

  @Test(arguments: 1...4)
  func `garbage never traps and never proves`(seed: UInt64) {
    let lab = Lab(seed: seed)
    let anna = lab.add("anna")
    let bert = lab.add("bert")
    var captured: [[UInt8]] = []
    anna.tap = { bytes, _ in captured.append(bytes) }
    lab.introduceAll()
    lab.run(.seconds(1))
    var random = SeededRandom(seed: seed)
    lab.feed(anna, .accepted(.accepted(5_000), from: stranger))
    let source = bert.sockets[SocketID(0)]!
    for _ in 0..<2_000 {
      var bytes = captured[Int.random(in: captured.indices, using: &random)]
      for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
        bytes[Int.random(in: bytes.indices, using: &random)] = random.bytes(1)[0]
      }
      lab.feed(anna, .datagram(bytes, from: source, on: SocketID(0)))
      lab.feed(anna, .stream(bytes, on: .accepted(5_000)))
    }
    lab.run(.seconds(1))
    lab.feed(anna, .send(bert.session, .rtp, [7]))
    lab.run(.milliseconds(500))
    #expect(bert.frames == [[7]])
    #expect(anna.proved.count == 1)
  }

  @Test func `a member can't make us knock at ever new doors`() {
    let lab = Lab(seed: 31)
    let anna = lab.add("anna")
    let bert = lab.add("bert", .init(listeners: 0))
    lab.weather.isTCPDown = true
    lab.introduceAll()
    lab.run(.seconds(1))
    guard case .describe(_, var description)? = bert.heard.map(\.output).first else {
      Issue.record("bert describes himself")
      return
    }
    let before = anna.heard.count
    // As many as boxes may bring, each a new generation with eight addresses of somebody else's.
    for round in 0..<80 as Range<UInt8> {
      description.generation += 1
      description.candidates = (1...8).map { number in
        Candidate(
          transport: .tcp, kind: .host, foundation: 1, priority: 1,
          address: SocketAddress(.v4(192, 168, round, number), port: 22))
      }
      lab.feed(anna, .description(description, from: bert.session))
      lab.run(.milliseconds(125))
    }
    let dials = anna.heard[before...].count {
      if case .dial = $0.output { true } else { false }
    }
    #expect((8...40).contains(dials))
    #expect(lab.stuck.isEmpty)
  }

  @Test func `a flood of descriptions is taken at eight a second`() {
    let lab = Lab(seed: 32)
    let anna = lab.add("anna")
    let bert = lab.add("bert")
    lab.introduceAll()
    lab.run(.seconds(2))
    guard case .describe(_, var description)? = bert.heard.map(\.output).first else {
      Issue.record("bert describes himself")
      return
    }
    let before = anna.heard.count
    for _ in 0..<1_000 {
      description.generation += 1
      lab.feed(anna, .description(description, from: bert.session))
      lab.run(.milliseconds(1))
    }
    // Each one that is taken is answered by a box of ours.
    let answers = anna.heard[before...].count {
      if case .describe = $0.output { true } else { false }
    }
    #expect((8...17).contains(answers))
    #expect(anna.hub.counters.refusedDescriptions > 900)
    lab.feed(anna, .send(bert.session, .rtp, [1]))
    lab.run(.milliseconds(50))
    #expect(bert.frames == [[1]])
  }

  @Test func `candidates of addresses that nobody can mean are refused`() {
    let lab = Lab(seed: 46)
    let anna = lab.add("anna")
    let bert = SessionID(bytes: [UInt8](repeating: 3, count: 16))!
    lab.feed(anna, .peerAppeared(bert))
    let addresses: [IPAddress] = [
      .v4(0, 0, 0, 0), .v4(0, 1, 2, 3), .v4(224, 0, 0, 1), .v4(239, 9, 9, 9),
      .v4(255, 255, 255, 255), .v4(169, 254, 1, 1), .loopbackV4, .loopbackV6,
      IPAddress(bytes: [UInt8](repeating: 0, count: 16))!,
      IPAddress(bytes: [0xFE, 0x80] + [UInt8](repeating: 1, count: 14))!,
      IPAddress(bytes: [0xFF, 0x02] + [UInt8](repeating: 1, count: 14))!,
      IPAddress(bytes: [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 127, 0, 0, 1])!,
    ]
    let start = anna.heard.count
    let candidates = addresses.flatMap { ip in
      [Candidate.Transport.udp, .tcp].map {
        Candidate(
          transport: $0, kind: .host, foundation: 1, priority: 1,
          address: SocketAddress(ip, port: 9))
      }
    }
    lab.feed(
      anna,
      .description(
        LinkDescription(
          certificateKeyHash: [UInt8](repeating: 1, count: 32), generation: 0,
          userFragment: Array("abcd".utf8), password: [UInt8](repeating: 0x61, count: 24),
          candidates: candidates), from: bert))
    lab.run(.seconds(1))
    let actions = anna.heard[start...].count {
      switch $0.output {
      case .transmit, .dial: true
      default: false
      }
    }
    #expect(actions == 0)
    #expect(anna.hub.counters.refusedCandidates == candidates.count)
  }
}
