import Testing
import Units
import Wire

@testable import Links

/// Which of the connections to one peer go through their handshakes, and when.
@Suite struct HandshakeQueueTests {
  private static let start = Instant(nanoseconds: 1_000_000_000)
  private static let addresses = (1...4).map { SocketAddress(.v4(10, 0, 0, $0), port: 5_000) }

  private static func session(_ byte: UInt8) -> SessionID {
    SessionID(bytes: [UInt8](repeating: byte, count: SessionID.count))!
  }

  /// A carrier that has dialled each address, and the connections in the order of their dialling.
  private func carrier(
    to addresses: [SocketAddress] = addresses
  ) -> (carrier: StreamCarrier, streams: [StreamID]) {
    let ciphers = FakeCiphers(seed: 5)
    var carrier = StreamCarrier(
      LinkHubConfiguration(
        roomID: [UInt8](repeating: 7, count: 16), ownSession: Self.session(1),
        authenticationKey: [1, 2, 3], displayName: "anna",
        sessions: FakeSessionFactory(
          certificateKeyHash: FakeCiphers.digest([1]), ciphers: ciphers),
        ciphers: ciphers, identity: FakeIdentity(publicKeyInfo: Array("key of anna".utf8)),
        allowsLoopback: false), peerNumber: 3)
    describe(addresses, to: &carrier, at: Self.start)
    return (carrier, turn(&carrier).dialed)
  }

  private func describe(
    _ addresses: [SocketAddress], to carrier: inout StreamCarrier, at now: Instant
  ) {
    carrier.setRemote(
      LinkDescription(
        certificateKeyHash: FakeCiphers.digest([2]), generation: 0,
        userFragment: Array("abcd".utf8), password: [UInt8](repeating: 97, count: 22),
        candidates: addresses.map {
          Candidate(transport: .tcp, kind: .host, foundation: 1, priority: 1, address: $0)
        }), of: Self.session(2), at: now)
  }

  /// What the carrier has done since it was asked last.
  private func turn(
    _ carrier: inout StreamCarrier
  ) -> (dialed: [StreamID], spoken: [StreamID], hungUp: [StreamID]) {
    var done: (dialed: [StreamID], spoken: [StreamID], hungUp: [StreamID]) = ([], [], [])
    while let output = carrier.nextOutput() {
      switch output {
      case .dial(let stream, _): done.dialed.append(stream)
      case .write(_, let stream): done.spoken.append(stream)
      case .hangUp(let stream): done.hungUp.append(stream)
      case .link: break
      }
    }
    return done
  }

  @Test func `the next handshake begins 50 ms after the one before`() throws {
    var (carrier, streams) = carrier()
    try #require(streams.count == 4)
    let made = Self.start + .milliseconds(9)
    for stream in streams { carrier.handleDialed(stream, at: made) }
    #expect(turn(&carrier).spoken == [streams[0]])
    for (index, stream) in streams.enumerated().dropFirst() {
      let due = made + .milliseconds(50) * Double(index)
      #expect(carrier.nextDeadline(at: made)?.at == due)
      carrier.handleTimeout(at: due - .nanoseconds(1))
      #expect(turn(&carrier).spoken.isEmpty)
      carrier.handleTimeout(at: due)
      #expect(turn(&carrier).spoken == [stream])
    }
  }

  @Test func `far away no handshake waits for another`() {
    var (carrier, streams) = carrier()
    for stream in streams { carrier.handleDialed(stream, at: Self.start + .milliseconds(10)) }
    #expect(turn(&carrier).spoken == streams)
  }

  @Test func `a handshake that fails makes room for the next at once`() {
    var (carrier, streams) = carrier()
    for stream in streams { carrier.handleDialed(stream, at: Self.start) }
    _ = turn(&carrier)
    carrier.handleClosed(streams[0], at: Self.start + .milliseconds(1))
    #expect(turn(&carrier).spoken == [streams[1]])
  }

  @Test func `a connection that is made later waits for the one that was first`() {
    var (carrier, streams) = carrier()
    carrier.handleDialed(streams[2], at: Self.start)
    #expect(turn(&carrier).spoken == [streams[2]])
    carrier.handleDialed(streams[0], at: Self.start + .milliseconds(1))
    #expect(turn(&carrier).spoken.isEmpty)
  }

  @Test func `who speaks unasked is answered and not waited for`() {
    var (carrier, streams) = carrier()
    for stream in streams { carrier.handleDialed(stream, at: Self.start) }
    _ = turn(&carrier)
    carrier.receive(Array("SSH-2.0-".utf8), on: streams[3], at: Self.start)
    #expect(turn(&carrier).spoken == [streams[3]])
  }

  @Test func `a waiting connection that is closed has no handshake and is told as failed`() {
    var (carrier, streams) = carrier()
    for stream in streams { carrier.handleDialed(stream, at: Self.start) }
    carrier.handleClosed(streams[1], at: Self.start)
    carrier.handleClosed(streams[0], at: Self.start)
    #expect(turn(&carrier).spoken == [streams[0], streams[2]])
    guard case .handshakeFailed(.session) = carrier.dialAttempts[1].state else {
      Issue.record("\(carrier.dialAttempts[1].state)")
      return
    }
    guard case .connected = carrier.dialAttempts[3].state else {
      Issue.record("\(carrier.dialAttempts[3].state)")
      return
    }
  }

  @Test func `a waiting connection to an address that is told no more is hung up`() {
    var (carrier, streams) = carrier()
    for stream in streams { carrier.handleDialed(stream, at: Self.start) }
    _ = turn(&carrier)
    describe([Self.addresses[0], Self.addresses[2]], to: &carrier, at: Self.start)
    #expect(turn(&carrier).hungUp == [streams[1], streams[3]])
    carrier.handleClosed(streams[0], at: Self.start)
    #expect(turn(&carrier).spoken == [streams[2]])
  }

  @Test func `waiting connections from an address that is gone are hung up and dialled again`() {
    var (carrier, streams) = carrier(to: Array(Self.addresses.prefix(2)))
    for stream in streams { carrier.handleDialed(stream, at: Self.start) }
    _ = turn(&carrier)
    carrier.leaveAddresses(all: true, at: Self.start)
    let done = turn(&carrier)
    #expect(done.hungUp == streams)
    #expect(done.dialed.count == 2)
    #expect(done.spoken.isEmpty)
    carrier.handleTimeout(at: Self.start + .seconds(1))
    #expect(turn(&carrier).spoken.isEmpty)
  }

  @Test func `when all is over waiting connections are hung up`() {
    var (carrier, streams) = carrier()
    for stream in streams { carrier.handleDialed(stream, at: Self.start) }
    _ = turn(&carrier)
    carrier.closeAll(at: Self.start)
    #expect(Set(turn(&carrier).hungUp) == Set(streams))
    #expect(carrier.nextDeadline(at: Self.start) == nil)
  }

  @Test(arguments: [Transport.tcp, .auto])
  func `peers with many addresses shake hands twice over TCP and keep one connection`(
    transport: Transport
  ) {
    let lab = Lab(seed: 8)
    lab.weather.delay = .milliseconds(2)
    let anna = lab.add("anna", .init(transport: transport, listeners: 4))
    let bert = lab.add("bert", .init(transport: transport, listeners: 4))
    lab.introduceAll()
    lab.run(.seconds(10))
    for node in [anna, bert] {
      #expect(node.proved.count == 1)
      let dialed = node.factory.made.sessions.count { $0.carrier == .stream && $0.role == .client }
      #expect(dialed == 1)
    }
    #expect(lab.connections == 1)
  }
}
