import Links
import Testing
import Units
import Wire

/// Who speaks in a member's session, with the key of his links, and is not him (THREATS S25).
@Suite struct ImpostorTests {
  private func session(_ byte: UInt8) -> SessionID {
    SessionID(bytes: [UInt8](repeating: byte, count: SessionID.count))!
  }

  /// A TCP connection to `victim`, where all of a turn comes as one piece. Right behind its identity,
  /// which it is refused for, comes what `speak` says.
  private func intrude(
    _ lab: Lab, _ victim: Lab.Node, in member: Lab.Node, _ speak: (PeerLink) -> Void
  ) {
    let ciphers = FakeCiphers(seed: 77)
    let configuration = LinkHubConfiguration(
      roomID: [UInt8](repeating: 7, count: 16), ownSession: member.session,
      authenticationKey: [1, 2, 3], displayName: member.name,
      sessions: FakeSessionFactory(
        certificateKeyHash: member.factory.certificateKeyHash, ciphers: ciphers),
      ciphers: ciphers, identity: FakeIdentity(publicKeyInfo: Array("key of eve".utf8)),
      allowsLoopback: false)
    let link = PeerLink(
      configuration, id: .stream(.dialed(1)), role: .client,
      expecting: Handshake.Expectation(
        session: victim.session, certificateKeyHash: victim.factory.certificateKeyHash),
      at: lab.now)
    let stream = StreamID.accepted(900)
    var read = victim.heard.count
    lab.feed(
      victim, .accepted(stream, from: SocketAddress(.v4(203, 0, 113, 9), port: 9)))
    var hasSpoken = false
    for _ in 0..<20 {
      if link.state == .proved, !hasSpoken {
        hasSpoken = true
        speak(link)
      }
      var bytes: [UInt8] = []
      while let output = link.nextOutput() {
        if case .transmit(let more) = output { bytes += more }
      }
      if !bytes.isEmpty { lab.feed(victim, .stream(bytes, on: stream)) }
      for case .write(let bytes, stream) in victim.heard[read...].map(\.output) {
        link.receive(bytes, at: lab.now)
      }
      read = victim.heard.count
    }
    #expect(hasSpoken)
    #expect(victim.failures.contains(.identity))
  }

  @Test func `what comes right behind an identity that is refused is not taken`() throws {
    let lab = Lab(seed: 42)
    let anna = lab.add("anna", .init(session: session(9)))
    let bert = lab.add("bert", .init(session: session(1)))
    lab.introduceAll()
    lab.run(.seconds(2))
    intrude(lab, anna, in: bert) { link in
      #expect(link.send(Frame(.rtp, [1, 2, 3]), at: lab.now))
      #expect(link.send(Frame(.goodbye, Goodbye(isAnswer: false).encoded), at: lab.now))
    }
    #expect(anna.frames.isEmpty)
    #expect(anna.losses.isEmpty)
    lab.feed(bert, .send(anna.session, .rtp, [7]))
    lab.run(.milliseconds(100))
    #expect(anna.frames == [[7]])
  }

  @Test func `a carrier that may not join a session chooses no path for it`() {
    let lab = Lab(seed: 41)
    let anna = lab.add("anna", .init(session: session(9)))
    let bert = lab.add("bert", .init(session: session(1)))
    lab.introduceAll()
    lab.run(.seconds(2))
    intrude(lab, anna, in: bert) { $0.select(Select(number: .max), at: lab.now) }
    func carriers() -> [Carrier?] {
      [anna.hub.sendingLink(of: bert.session), bert.hub.sendingLink(of: anna.session)]
        .map { $0?.carrier }
    }
    #expect(carriers() == [.datagram, .datagram])
    lab.weather.isUDPDown = true
    lab.run(.seconds(8))
    #expect(carriers() == [.stream, .stream])
    // Bert, the lower session, chooses UDP again, and is obeyed.
    lab.weather.isUDPDown = false
    lab.run(.seconds(15))
    #expect(carriers() == [.datagram, .datagram])
  }
}
