import Links
import Testing
import Units
import Wire

/// Whole hubs on a simulated network: how links come about.
@Suite struct ConnectionTests {
  @Test(arguments: [Transport.auto, .udp, .tcp])
  func `two hubs prove themselves to each other and frames pass`(transport: Transport) {
    let lab = Lab(seed: 1)
    let anna = lab.add("anna", .init(transport: transport))
    let bert = lab.add("bert", .init(transport: transport))
    lab.introduceAll()
    lab.run(.seconds(2))

    for (node, other) in [(anna, bert), (bert, anna)] {
      #expect(node.proved.map(\.session) == [other.session])
      #expect(node.proved.first?.peer.displayName == other.name)
      #expect(node.proved.first?.peer.publicKeyInfo == Array("key of \(other.name)".utf8))
      #expect(node.selected.last?.report.carrier == (transport == .tcp ? .stream : .datagram))
      #expect(node.selected.last?.report.family == .v4)
      #expect(node.failures == [])
    }
    lab.feed(anna, .send(bert.session, .rtp, [1, 2, 3]))
    lab.feed(bert, .send(anna.session, .rtcp, [4]))
    lab.run(.milliseconds(100))
    #expect(bert.frames == [[1, 2, 3]])
    #expect(anna.frames == [[4]])
    #expect(anna.hub.roundTrip(of: bert.session).map { abs($0.milliseconds - 20) < 1 } == true)
    #expect(lab.stuck.isEmpty)
  }

  /// What is sent from one's own proof on, while the other side may prefer another link, or has not
  /// heard yet who we are.
  private func earlyFrames(_ transport: Transport, seed: UInt64, jitter: Interval) {
    let lab = Lab(seed: seed)
    lab.weather.delay = .milliseconds(25)
    lab.weather.jitter = jitter
    let anna = lab.add("anna", .init(transport: transport))
    let bert = lab.add("bert", .init(transport: transport))
    lab.introduceAll()
    var sent: [Lab.Node] = []
    for _ in 0..<600 {
      lab.run(.milliseconds(1))
      for (node, other) in [(anna, bert), (bert, anna)] where !node.selected.isEmpty {
        let number = sent.count { $0 === node }
        guard number < 60 else { continue }
        lab.feed(node, .send(other.session, .rtp, [UInt8(number)]))
        sent.append(node)
      }
    }
    lab.run(.seconds(5))
    for node in [anna, bert] {
      #expect(Set(node.frames) == Set((0..<60).map { [UInt8($0)] }), "\(node.name)")
    }
    // One TCP link is enough in the end.
    #expect(lab.connections <= 1)
  }

  @Test(arguments: 1...8)
  func `frames sent from the first proof on arrive, whichever link they take`(seed: UInt64) {
    earlyFrames(.auto, seed: seed, jitter: .zero)
    earlyFrames(.tcp, seed: seed, jitter: .zero)
  }

  @Test(arguments: 1...8)
  func `frames that overtake the sender's identity are taken when it comes`(seed: UInt64) {
    earlyFrames(.udp, seed: seed, jitter: .milliseconds(20))
  }

  @Test func `the round trip is told when it is known and when it changes`() {
    let lab = Lab(seed: 15)
    let anna = lab.add("anna")
    let bert = lab.add("bert")
    lab.introduceAll()
    lab.run(.seconds(5))
    lab.weather.delay = .milliseconds(60)
    lab.run(.seconds(30))
    for node in [anna, bert] {
      let told = node.heard.compactMap { heard -> Interval? in
        if case .roundTrip(_, let interval) = heard.output { interval } else { nil }
      }
      #expect(told.first.map { abs($0.milliseconds - 20) < 1 } == true)
      #expect(told.last.map { abs($0.milliseconds - 120) < 15 } == true)
      #expect(told.count < 30)
    }
  }

  @Test func `a handshake of four long round trips is waited for`() {
    let lab = Lab(seed: 16)
    lab.weather.delay = .milliseconds(600)
    let anna = lab.add("anna", .init(transport: .udp))
    let bert = lab.add("bert", .init(transport: .udp))
    lab.introduceAll()
    let start = lab.now
    lab.run(.seconds(20)) { !anna.proved.isEmpty && !bert.proved.isEmpty }
    #expect(lab.now - start < .seconds(7))
    #expect(anna.failures.isEmpty && bert.failures.isEmpty)
  }

  @Test func `on a path without delay the first link is proved without waiting for a timer`() {
    let lab = Lab(seed: 2)
    lab.weather.delay = .microseconds(50)
    // Nine networks, of which only some have anything at the other end.
    let anna = lab.add("anna", .init(sockets: 9))
    let bert = lab.add("bert", .init(sockets: 2))
    let start = lab.now
    lab.introduceAll()
    lab.run(.seconds(2)) { !anna.proved.isEmpty && !bert.proved.isEmpty }
    #expect(lab.now - start < .milliseconds(5))
  }

  @Test func `three hubs share one socket each`() {
    let lab = Lab(seed: 3)
    let nodes = ["anna", "bert", "carl"].map { lab.add($0) }
    lab.introduceAll()
    lab.run(.seconds(3))
    for node in nodes {
      let others = nodes.filter { $0 !== node }
      #expect(Set(node.proved.map(\.session)) == Set(others.map(\.session)))
      for other in others {
        lab.feed(node, .send(other.session, .rtp, Array("\(node.name) to \(other.name)".utf8)))
      }
    }
    lab.run(.milliseconds(100))
    for node in nodes {
      let expected = nodes.filter { $0 !== node }.map { "\($0.name) to \(node.name)" }
      #expect(Set(node.frames.map { String(decoding: $0, as: UTF8.self) }) == Set(expected))
    }
    #expect(lab.stuck.isEmpty)
  }

  @Test(arguments: 1...10)
  func `links come about although a fifth of all datagrams is lost`(seed: UInt64) {
    let lab = Lab(seed: seed)
    lab.weather.loss = 0.2
    lab.weather.jitter = .milliseconds(10)
    let anna = lab.add("anna", .init(transport: .udp))
    let bert = lab.add("bert", .init(transport: .udp))
    lab.introduceAll()
    lab.run(.seconds(10)) { !anna.proved.isEmpty && !bert.proved.isEmpty }
    #expect(!anna.proved.isEmpty && !bert.proved.isEmpty)
    #expect(lab.stuck.isEmpty)
  }

  @Test(arguments: [Transport.udp, .tcp])
  func `who doesn't hold the room's key is never proved`(transport: Transport) {
    let lab = Lab(seed: 4)
    let anna = lab.add("anna", .init(transport: transport))
    let eve = lab.add("eve", .init(transport: transport, authenticationKey: [9]))
    lab.introduceAll()
    lab.run(.seconds(40))
    #expect(anna.proved.isEmpty && eve.proved.isEmpty)
    #expect(anna.selected.isEmpty && eve.selected.isEmpty)
    #expect(anna.failures.contains(.proof) || eve.failures.contains(.proof))
    lab.feed(anna, .send(eve.session, .rtp, [1]))
    #expect(anna.hub.counters.droppedFrames == 1)
    lab.run(.seconds(1))
    #expect(eve.frames.isEmpty)
    #expect(lab.stuck.isEmpty)
  }

  @Test(arguments: [Transport.udp, .tcp])
  func `a certificate other than the box's is refused`(transport: Transport) {
    let lab = Lab(seed: 5)
    let anna = lab.add("anna", .init(transport: transport))
    let bert = lab.add("bert", .init(transport: transport))
    bert.tamper = {
      var description = $0
      description.certificateKeyHash[0] ^= 1
      return description
    }
    lab.introduceAll()
    lab.run(.seconds(10))
    #expect(anna.proved.isEmpty && bert.proved.isEmpty)
    #expect(anna.failures.contains(.certificate))
    #expect(!anna.failures.contains(.proof))
  }

  @Test func `an identity that didn't sign this link is refused`() {
    let lab = Lab(seed: 6)
    let anna = lab.add("anna")
    let bert = lab.add(
      "bert", .init(identity: FakeIdentity(publicKeyInfo: [1], isForged: true)))
    lab.introduceAll()
    lab.run(.seconds(5))
    #expect(anna.proved.isEmpty)
    #expect(anna.failures.contains(.identity))
    #expect(bert.selected.isEmpty || bert.proved.count == 1)
  }

  @Test func `a link of the same session but another identity doesn't join`() {
    let lab = Lab(seed: 7)
    let anna = lab.add("anna", .init(listeners: 0))
    let bert = lab.add("bert", .init(listeners: 0))
    lab.introduceAll()
    lab.run(.seconds(1))
    #expect(anna.proved.map(\.peer.displayName) == ["bert"])

    let impostor = lab.add(
      "carl",
      .init(
        transport: .tcp, keyHash: bert.factory.certificateKeyHash, session: bert.session))
    // Its box comes as bert's, newer than bert's own; anna dials the address in it.
    impostor.tamper = {
      var description = $0
      description.generation = 5
      return description
    }
    for case .describe(_, let description) in anna.heard.map(\.output) {
      lab.feed(impostor, .peerAppeared(anna.session))
      lab.feed(impostor, .description(description, from: anna.session))
    }
    lab.run(.seconds(3))
    #expect(anna.failures.contains(.identity))
    #expect(anna.proved.map(\.peer.displayName) == ["bert"])
    lab.feed(anna, .send(bert.session, .rtp, [1]))
    lab.run(.milliseconds(100))
    #expect(bert.frames == [[1]])
    #expect(impostor.frames.isEmpty)
  }

  @Test func `an accepted connection waits for the box of who it says it is`() {
    let lab = Lab(seed: 8)
    let anna = lab.add("anna", .init(transport: .tcp))
    let bert = lab.add("bert", .init(transport: .tcp, listeners: 0))
    lab.weather.isServerDown = true
    lab.feed(anna, .peerAppeared(bert.session))
    lab.feed(bert, .peerAppeared(anna.session))
    // Only bert gets a box, so it dials and anna doesn't know yet by which certificate.
    for case .describe(_, let description) in anna.heard.map(\.output) {
      lab.feed(bert, .description(description, from: anna.session))
    }
    lab.run(.seconds(4))
    #expect(anna.proved.isEmpty)
    for case .describe(_, let description) in bert.heard.map(\.output) {
      lab.feed(anna, .description(description, from: bert.session))
    }
    lab.run(.milliseconds(200))
    #expect(anna.proved.map(\.peer.displayName) == ["bert"])
    #expect(bert.proved.map(\.peer.displayName) == ["anna"])
  }

  @Test func `connections that say nothing are few and soon closed`() {
    let lab = Lab(seed: 9)
    let anna = lab.add("anna")
    let stranger = SocketAddress(.v4(203, 0, 113, 9), port: 9)
    for number in 0..<40 {
      lab.feed(anna, .accepted(.accepted(UInt64(1_000 + number)), from: stranger))
    }
    func hangUps() -> Int {
      anna.heard.count { if case .hangUp = $0.output { true } else { false } }
    }
    #expect(hangUps() == 8)
    lab.run(.milliseconds(5_100))
    #expect(hangUps() == 40)
    #expect(anna.hub.counters.refusedStreams == 40)
    #expect(anna.hub.nextDeadline == nil)
  }

  @Test func `connections that come and go cost no more than 20 handshakes a second`() {
    let lab = Lab(seed: 33)
    let anna = lab.add("anna")
    let stranger = SocketAddress(.v4(203, 0, 113, 9), port: 9)
    for number in 0..<2_000 {
      let stream = StreamID.accepted(UInt64(1_000 + number))
      lab.feed(anna, .accepted(stream, from: stranger))
      lab.feed(anna, .streamClosed(stream))
      lab.run(.milliseconds(5))
    }
    let refused = anna.heard.count { if case .hangUp = $0.output { true } else { false } }
    // Ten seconds at 20, and 32 at once.
    #expect((1_765...1_770).contains(refused))
    #expect(lab.stuck.isEmpty)
  }

  @Test(arguments: [Transport.udp, .tcp])
  func `links come about over IPv6`(transport: Transport) {
    let lab = Lab(seed: 12)
    let anna = lab.add("anna", .init(transport: transport, isV6: true))
    let bert = lab.add("bert", .init(transport: transport, isV6: true))
    lab.introduceAll()
    lab.run(.seconds(1))
    for node in [anna, bert] {
      #expect(node.selected.last?.report.family == .v6)
      #expect(node.proved.count == 1)
    }
  }

  @Test(arguments: [Transport.udp, .tcp])
  func `a chain of long certificates arrives in segments in spite of loss`(transport: Transport) {
    let lab = Lab(seed: 13)
    lab.weather.loss = 0.1
    let issuers = (0..<7).map { SeededBytes.make(4_000, seed: UInt64($0)) }
    let anna = lab.add(
      "anna",
      .init(transport: transport, identity: FakeIdentity(publicKeyInfo: [1], issuers: issuers)))
    let bert = lab.add("bert", .init(transport: transport))
    lab.introduceAll()
    lab.run(.seconds(10)) { !bert.proved.isEmpty }
    #expect(bert.proved.first.map { Array($0.peer.certificateChain.dropFirst()) } == issuers)
    _ = anna
  }

  @Test(arguments: [Transport.udp, .tcp])
  func `one side that insists on a carrier decides for both`(transport: Transport) {
    let lab = Lab(seed: 14)
    let anna = lab.add("anna", .init(transport: transport))
    let bert = lab.add("bert", .init(transport: .auto))
    lab.introduceAll()
    lab.run(.seconds(3))
    for node in [anna, bert] {
      #expect(
        node.selected.map(\.report.carrier) == [transport == .udp ? .datagram : .stream])
    }
  }

  @Test func `a transport that the other side doesn't have makes no link`() {
    let lab = Lab(seed: 10)
    let anna = lab.add("anna", .init(transport: .udp))
    let bert = lab.add("bert", .init(transport: .tcp))
    lab.introduceAll()
    lab.run(.seconds(31))
    #expect(anna.proved.isEmpty && bert.proved.isEmpty)
    #expect(anna.failures.isEmpty && bert.failures.isEmpty)
    #expect(lab.stuck.isEmpty)
  }

  @Test func `descriptions of strangers and a second certificate for a session are refused`() {
    let lab = Lab(seed: 11)
    let anna = lab.add("anna")
    let bert = lab.add("bert")
    lab.introduceAll()
    lab.run(.seconds(1))
    guard case .describe(_, var description) = bert.heard.map(\.output).first else {
      Issue.record("bert describes himself first")
      return
    }
    description.certificateKeyHash[3] ^= 8
    lab.feed(anna, .description(description, from: bert.session))
    lab.feed(
      anna, .description(description, from: SessionID(bytes: [UInt8](repeating: 1, count: 16))!))
    #expect(anna.hub.counters.refusedDescriptions == 2)
    lab.feed(anna, .send(bert.session, .rtp, [1]))
    lab.run(.milliseconds(50))
    #expect(bert.frames == [[1]])
  }
}
