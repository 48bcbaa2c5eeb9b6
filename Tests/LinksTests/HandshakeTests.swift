import Ciphers
import Links
import Testing
import Units
import Wire

@Suite struct HandshakeTests {
  private static let room = [UInt8](repeating: 7, count: 16)
  private let low = SessionID(bytes: [UInt8](repeating: 1, count: 16))!
  private let high = SessionID(bytes: [UInt8](repeating: 2, count: 16))!

  /// One side of a handshake over a session that both share.
  private struct Side {
    var handshake: Handshake
    let keyHash: [UInt8]
    var sent: [[UInt8]] = []
    var proved: [ProvedPeer] = []
    var named: [SessionID] = []
    var failures: [HandshakeFailure] = []

    mutating func drain() {
      while let output = handshake.nextOutput() {
        switch output {
        case .send(let message): sent.append(message)
        case .named(let session): named.append(session)
        case .proved(let peer): proved.append(peer)
        case .failed(let failure): failures.append(failure)
        }
      }
    }
    mutating func receive(_ message: [UInt8]) {
      handshake.receive(message)
      drain()
    }
    mutating func takeSent() -> [[UInt8]] {
      defer { sent = [] }
      return sent
    }
  }

  private func side(
    _ name: String, _ session: SessionID, role: SessionRole,
    expecting: (SessionID, String)? = nil, key: [UInt8] = [5], room: [UInt8] = room
  ) -> Side {
    let ciphers = FakeCiphers(seed: 1)
    let keyHash = FakeCiphers.digest(Array(name.utf8))
    let configuration = LinkHubConfiguration(
      roomID: room, ownSession: session, authenticationKey: key, displayName: name,
      sessions: FakeSessionFactory(certificateKeyHash: keyHash, ciphers: ciphers),
      ciphers: ciphers, identity: FakeIdentity(publicKeyInfo: Array(name.utf8)),
      allowsLoopback: false)
    let expectation = expecting.map {
      Handshake.Expectation(
        session: $0.0, certificateKeyHash: FakeCiphers.digest(Array($0.1.utf8)))
    }
    return Side(
      handshake: Handshake(configuration, role: role, expecting: expectation),
      keyHash: keyHash)
  }

  /// Establishes both on one session and passes messages until both are at rest.
  private func run(_ client: inout Side, _ server: inout Side, exported: [UInt8]? = nil) {
    let exported = exported ?? [UInt8](repeating: 9, count: 32)
    client.handshake.establish(peerKeyHash: server.keyHash, exported: exported)
    server.handshake.establish(peerKeyHash: client.keyHash, exported: exported)
    client.drain()
    server.drain()
    while !client.sent.isEmpty || !server.sent.isEmpty {
      for message in client.takeSent() { server.receive(message) }
      for message in server.takeSent() { client.receive(message) }
    }
  }

  /// As far as the server's HELLO, which the client has heard.
  private func greet(_ client: inout Side, _ server: inout Side) {
    let exported = [UInt8](repeating: 9, count: 32)
    client.handshake.establish(peerKeyHash: server.keyHash, exported: exported)
    server.handshake.establish(peerKeyHash: client.keyHash, exported: exported)
    client.drain()
    server.drain()
    for message in server.takeSent() { client.receive(message) }
  }

  @Test func `both sides learn who the other is`() {
    var client = side("anna", low, role: .client, expecting: (high, "bert"))
    var server = side("bert", high, role: .server, expecting: (low, "anna"))
    run(&client, &server)
    #expect(client.proved.map(\.displayName) == ["bert"])
    #expect(server.proved.map(\.displayName) == ["anna"])
    #expect(client.proved.first?.peerID == FakeCiphers.digest(Array("bert".utf8)))
    #expect(client.failures.isEmpty && server.failures.isEmpty)
  }

  @Test func `a name longer than IDENTITY takes is cut at a character, not refused`() {
    // Forty flags of eight bytes: as long as a name may be, and 320 bytes.
    let name = String(repeating: "\u{1F1E9}\u{1F1EA}", count: 40)
    var client = side(name, low, role: .client, expecting: (high, "bert"))
    var server = side("bert", high, role: .server, expecting: (low, name))
    run(&client, &server)
    #expect(server.proved.map(\.displayName) == [String(name.prefix(32))])
    #expect(server.failures.isEmpty)
  }

  /// The order of docs/protocol.md: the server shows nothing before the client's proof was right.
  @Test func `a server proves itself only after its client`() throws {
    var client = side("anna", low, role: .client, expecting: (high, "bert"), key: [6])
    var server = side("bert", high, role: .server, expecting: (low, "anna"))
    greet(&client, &server)
    for message in client.takeSent() { server.receive(message) }
    #expect(server.failures == [.proof])
    #expect(server.sent.isEmpty)
    #expect(server.proved.isEmpty)
  }

  @Test func `a client's proof reflected to it is refused`() throws {
    var client = side("anna", low, role: .client, expecting: (high, "bert"))
    var server = side("bert", high, role: .server, expecting: (low, "anna"))
    greet(&client, &server)
    let proof = try #require(client.takeSent().last)
    client.receive(proof)
    #expect(client.failures == [.proof])
    #expect(client.proved.isEmpty)
  }

  @Test func `messages of one session are worth nothing in another`() {
    var client = side("anna", low, role: .client, expecting: (high, "bert"))
    var server = side("bert", high, role: .server, expecting: (low, "anna"))
    var replayed: [[UInt8]] = []
    let first = [UInt8](repeating: 1, count: 32)
    client.handshake.establish(peerKeyHash: server.keyHash, exported: first)
    server.handshake.establish(peerKeyHash: client.keyHash, exported: first)
    client.drain()
    server.drain()
    while !client.sent.isEmpty || !server.sent.isEmpty {
      let messages = client.takeSent()
      replayed += messages
      for message in messages { server.receive(message) }
      for message in server.takeSent() { client.receive(message) }
    }
    #expect(server.proved.count == 1)

    var other = side("bert", high, role: .server, expecting: (low, "anna"))
    other.handshake.establish(
      peerKeyHash: client.keyHash, exported: [UInt8](repeating: 2, count: 32))
    other.drain()
    for message in replayed { other.receive(message) }
    #expect(other.failures == [.proof])
    #expect(other.proved.isEmpty)
  }

  @Test func `a proof for another room is refused`() {
    var client = side(
      "anna", low, role: .client, expecting: (high, "bert"),
      room: [UInt8](repeating: 8, count: 16))
    var server = side("bert", high, role: .server, expecting: (low, "anna"))
    run(&client, &server)
    #expect(server.failures == [.proof])
    #expect(client.proved.isEmpty && server.proved.isEmpty)
  }

  @Test func `both ends must see the same certificates`() {
    // Someone in the middle shows each a certificate of its own, under one exporter.
    var client = side("anna", low, role: .client, expecting: (high, "mallory"))
    var server = side("bert", high, role: .server)
    let exported = [UInt8](repeating: 9, count: 32)
    let middle = FakeCiphers.digest(Array("mallory".utf8))
    client.handshake.establish(peerKeyHash: middle, exported: exported)
    server.handshake.establish(peerKeyHash: middle, exported: exported)
    client.drain()
    server.drain()
    for message in client.takeSent() { server.receive(message) }
    server.handshake.admit(.init(session: low, certificateKeyHash: middle))
    for message in server.takeSent() { client.receive(message) }
    for message in client.takeSent() { server.receive(message) }
    #expect(server.failures == [.proof])
  }

  @Test func `an unknown caller is named, held and admitted`() {
    var client = side("anna", low, role: .client, expecting: (high, "bert"))
    var server = side("bert", high, role: .server)
    run(&client, &server)
    #expect(server.named == [low])
    #expect(server.proved.isEmpty && server.failures.isEmpty)
    server.handshake.admit(
      .init(session: low, certificateKeyHash: FakeCiphers.digest(Array("anna".utf8))))
    server.drain()
    while !client.sent.isEmpty || !server.sent.isEmpty {
      for message in server.takeSent() { client.receive(message) }
      for message in client.takeSent() { server.receive(message) }
    }
    #expect(server.proved.map(\.displayName) == ["anna"])
    #expect(client.proved.map(\.displayName) == ["bert"])
  }

  @Test func `a caller with another certificate than its box's isn't admitted`() {
    var client = side("anna", low, role: .client, expecting: (high, "bert"))
    var server = side("bert", high, role: .server)
    run(&client, &server)
    server.handshake.admit(.init(session: low, certificateKeyHash: [1]))
    server.drain()
    #expect(server.failures == [.certificate])
  }

  @Test func `a session that isn't the box's, or our own, is refused`() {
    let third = SessionID(bytes: [UInt8](repeating: 3, count: 16))!
    var client = side("anna", low, role: .client, expecting: (third, "bert"))
    var server = side("bert", high, role: .server, expecting: (low, "anna"))
    run(&client, &server)
    #expect(client.failures == [.session])

    var mirror = side("anna", low, role: .server)
    mirror.handshake.establish(
      peerKeyHash: mirror.keyHash, exported: [UInt8](repeating: 9, count: 32))
    mirror.receive(LinkMessage.hello(Hello(session: low, capabilities: 0)).encoded)
    #expect(mirror.failures == [.session])
  }

  @Test func `another version, a missing exporter and messages out of order end the link`() {
    let exported = [UInt8](repeating: 9, count: 32)
    var version = side("bert", high, role: .server)
    version.handshake.establish(peerKeyHash: [1], exported: exported)
    version.receive(
      LinkMessage.hello(Hello(version: 2, session: low, capabilities: 0)).encoded)
    #expect(version.failures == [.session])

    var unexported = side("bert", high, role: .server)
    unexported.handshake.establish(peerKeyHash: [1], exported: nil)
    unexported.drain()
    #expect(unexported.failures == [.session])

    var early = side("bert", high, role: .server)
    early.receive(LinkMessage.hello(Hello(session: low, capabilities: 0)).encoded)
    #expect(early.failures == [.session])

    var disordered = side("bert", high, role: .server)
    disordered.handshake.establish(peerKeyHash: [1], exported: exported)
    disordered.receive(
      LinkMessage.proof(Proof(code: [UInt8](repeating: 0, count: 32))).encoded)
    #expect(disordered.failures == [.session])

    var garbled = side("bert", high, role: .server)
    garbled.handshake.establish(peerKeyHash: [1], exported: exported)
    garbled.receive([0xFF])
    #expect(garbled.failures == [.session])
  }
}
