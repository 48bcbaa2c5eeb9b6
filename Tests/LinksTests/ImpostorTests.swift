import Links
import Testing
import Units
import Wire

/// Who speaks in a member's session, with the key of his links, and is not him (THREATS S25).
@Suite struct ImpostorTests {
  private func session(_ byte: UInt8) -> SessionID {
    SessionID(bytes: [UInt8](repeating: byte, count: SessionID.count))!
  }

  /// A TCP connection to `victim`: all of a turn comes as one piece. Right behind its identity,
  /// which it is refused for, it chooses itself for ever.
  private func choose(_ lab: Lab, _ victim: Lab.Node, in member: Lab.Node) {
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
    var isChosen = false
    for _ in 0..<20 {
      if link.state == .proved, !isChosen {
        isChosen = true
        link.select(Select(number: .max), at: lab.now)
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
    #expect(isChosen)
    #expect(victim.failures.contains(.identity))
  }

  @Test func `a carrier that may not join a session chooses no path for it`() {
    let lab = Lab(seed: 41)
    let anna = lab.add("anna", .init(session: session(9)))
    let bert = lab.add("bert", .init(session: session(1)))
    lab.introduceAll()
    lab.run(.seconds(2))
    choose(lab, anna, in: bert)
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
