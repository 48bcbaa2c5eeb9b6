import Links
import Testing
import Units
import Wire

/// How a hub learns and tells under which addresses its sockets are seen from outside.
@Suite struct ReflexiveGatheringTests {
  private static let server = SocketAddress(.v4(192, 0, 2, 1), port: 7_443)
  private static let inside = SocketAddress(.v4(10, 0, 0, 5), port: 5_000)
  private static let outside = SocketAddress(.v4(203, 0, 113, 9), port: 61_000)

  /// A hub by itself with one peer that never answers.
  private final class Bench {
    var hub: LinkHub
    var now = Instant.zero + .seconds(1)
    var questions: [(message: StunMessage, bytes: [UInt8], path: DatagramPath, at: Instant)] = []
    var told: [LinkDescription] = []
    let peer = SessionID(bytes: [UInt8](repeating: 2, count: 16))!

    init(
      servers: [SocketAddress] = [server], transport: Transport = .auto,
      endpoints: [LocalEndpoint] = [.datagram(SocketID(0), inside)]
    ) {
      let ciphers = FakeCiphers(seed: 3)
      hub = LinkHub(
        LinkHubConfiguration(
          roomID: [UInt8](repeating: 7, count: 16),
          ownSession: SessionID(bytes: [UInt8](repeating: 1, count: 16))!,
          authenticationKey: [1], displayName: "anna", transport: transport,
          sessions: FakeSessionFactory(certificateKeyHash: [1], ciphers: ciphers),
          ciphers: ciphers, identity: FakeIdentity(publicKeyInfo: [2]), stunServers: servers,
          allowsLoopback: false))
      feed(.localEndpoints(endpoints))
      feed(.peerAppeared(peer))
    }

    func feed(_ input: LinkHubInput) {
      hub.handle(input, at: now)
      while let output = hub.nextOutput() {
        switch output {
        case .transmit(let bytes, let to, let from):
          let path = DatagramPath(socket: from, remote: to)
          questions.append((try! StunMessage(decoding: bytes), bytes, path, now))
        case .describe(_, let description): told.append(description)
        default: break
        }
      }
    }

    func run(_ interval: Interval) {
      now = runTimers(
        from: now, for: interval, next: { hub.nextDeadline },
        fire: {
          now = $0
          feed(.timeout)
        })
    }

    /// The answer to the newest question.
    func answer(
      _ mapped: SocketAddress, from source: SocketAddress = server,
      kind: StunMessage.Class = .success, to number: Int? = nil
    ) {
      let question = questions[number ?? questions.count - 1]
      let answer = StunMessage(
        kind, transactionID: question.message.transactionID,
        attributes: kind == .error
          ? [.errorCode(500, reason: [])] : [.xorMappedAddress(mapped)])
      feed(.datagram(answer.encoded, from: source, on: question.path.socket))
    }

    var reflexive: [SocketAddress] {
      (told.last?.candidates ?? []).filter { $0.kind == .serverReflexive }.map(\.address)
    }
  }

  @Test func `what the server sees is told to the peer, without another generation`() throws {
    let bench = Bench()
    #expect(bench.questions.map(\.path.remote) == [Self.server])
    let first = try #require(bench.told.last)
    #expect(first.candidates.map(\.kind) == [.host])
    bench.answer(Self.outside)
    let description = try #require(bench.told.last)
    #expect(description.candidates.map(\.address) == [Self.inside, Self.outside])
    #expect(description.generation == first.generation)
    #expect(description.userFragment == first.userFragment)
    let found = try #require(description.candidates.last)
    // RFC 8445 §5.1.2.2 recommends 100 for server-reflexive candidates.
    #expect(found.priority >> 24 == 100)
    #expect(found.priority < description.candidates[0].priority)
    #expect(found.foundation != description.candidates[0].foundation)
  }

  @Test func `a NAT that maps us anew makes a generation each time, however often`() throws {
    let bench = Bench()
    bench.answer(Self.outside)
    for time in 1...40 {
      bench.run(.seconds(16))
      let elsewhere = SocketAddress(Self.outside.ip, port: Self.outside.port + UInt16(time))
      bench.answer(elsewhere)
      let description = try #require(bench.told.last)
      #expect(description.generation == UInt32(time))
      #expect(description.candidates.map(\.address) == [Self.inside, elsewhere])
    }
    #expect(Set(bench.told.map(\.userFragment)).count == 41)
  }

  @Test func `whoever appears later is told at once`() throws {
    let bench = Bench()
    bench.answer(Self.outside)
    bench.feed(.peerAppeared(SessionID(bytes: [UInt8](repeating: 9, count: 16))!))
    #expect(bench.reflexive == [Self.outside])
  }

  @Test func `questions are as long as their answers, and sent again the same`() throws {
    let bench = Bench()
    bench.run(.seconds(4))
    let first = try #require(bench.questions.first)
    let start = first.at
    #expect(
      bench.questions.map { ($0.at - start).milliseconds } == [0, 100, 300, 700, 1_500, 3_100])
    #expect(bench.questions.allSatisfy { $0.bytes == first.bytes })
    #expect(first.message.hasFingerprint)
    let v6 = SocketAddress(IPAddress(bytes: [UInt8](repeating: 0x20, count: 16))!, port: 1)
    let answer = StunMessage(
      .success, transactionID: first.message.transactionID, attributes: [.xorMappedAddress(v6)])
    #expect(answer.encoded.count <= first.bytes.count)
  }

  @Test func `a server that does not answer is asked seven times and again later`() {
    let bench = Bench()
    bench.run(.seconds(20))
    #expect(bench.questions.count == 7)
    bench.run(.seconds(10))
    #expect(bench.questions.count > 7)
    #expect(bench.questions[7].message.transactionID != bench.questions[0].message.transactionID)
  }

  @Test func `a mapping is kept by asking every 15 s, and a new one replaces it`() {
    let bench = Bench()
    bench.answer(Self.outside)
    bench.run(.seconds(14))
    #expect(bench.questions.count == 1)
    bench.run(.seconds(1))
    #expect(bench.questions.count == 2)
    #expect(bench.questions[0].message.transactionID != bench.questions[1].message.transactionID)
    let boxes = bench.told.count
    bench.answer(Self.outside)
    #expect(bench.told.count == boxes, "nothing new, no box")
    bench.run(.seconds(15))
    let moved = SocketAddress(Self.outside.ip, port: 61_001)
    bench.answer(moved)
    #expect(bench.reflexive == [moved])
  }

  @Test func `an error leaves what was known`() {
    let bench = Bench()
    bench.answer(Self.outside)
    bench.run(.seconds(15))
    bench.answer(Self.outside, kind: .error)
    #expect(bench.reflexive == [Self.outside])
    bench.run(.seconds(14))
    #expect(bench.questions.count == 2, "an error is an answer")
  }

  @Test func `answers that nobody asked for change nothing`() {
    let bench = Bench()
    bench.answer(Self.outside, from: SocketAddress(Self.server.ip, port: 7_444))
    bench.answer(Self.outside, from: SocketAddress(.v4(192, 0, 2, 66), port: 7_443))
    #expect(bench.reflexive.isEmpty)
    let forged = StunMessage(
      .success, transactionID: [UInt8](repeating: 0, count: 12),
      attributes: [.xorMappedAddress(Self.outside)])
    bench.feed(.datagram(forged.encoded, from: Self.server, on: SocketID(0)))
    #expect(bench.reflexive.isEmpty)
    #expect(bench.hub.counters.unauthenticStun == 3)
    bench.answer(Self.outside)
    #expect(bench.reflexive == [Self.outside])
    // The same answer once more belongs to no question.
    let moved = SocketAddress(Self.outside.ip, port: 1)
    bench.answer(moved)
    #expect(bench.reflexive == [Self.outside])
  }

  @Test(arguments: [
    SocketAddress(.loopbackV4, port: 80), SocketAddress(.v4(224, 0, 0, 1), port: 80),
    SocketAddress(.v4(0, 0, 0, 0), port: 80), SocketAddress(.v4(169, 254, 1, 1), port: 80),
    SocketAddress(.v4(203, 0, 113, 9), port: 0),
  ])
  func `an address that nobody can mean in earnest is not told`(mapped: SocketAddress) {
    let bench = Bench()
    bench.answer(mapped)
    #expect(bench.reflexive.isEmpty)
  }

  @Test func `a socket that is seen under its own address has no other candidate`() {
    let bench = Bench()
    let boxes = bench.told.count
    bench.answer(Self.inside)
    #expect(bench.reflexive.isEmpty)
    #expect(bench.told.count == boxes)
  }

  @Test func `each socket asks the servers of its family, two at most`() {
    let v6 = SocketAddress(IPAddress(bytes: [0x20] + [UInt8](repeating: 1, count: 15))!, port: 1)
    let others = (1...4).map { SocketAddress(.v4(192, 0, 2, $0), port: 7_443) }
    let ours = SocketAddress(IPAddress(bytes: [0x20] + [UInt8](repeating: 2, count: 15))!, port: 9)
    let bench = Bench(
      servers: others + [v6],
      endpoints: [
        .datagram(SocketID(0), Self.inside), .datagram(SocketID(1), ours),
        .listener(Self.inside),
      ])
    #expect(
      bench.questions.map(\.path) == [
        DatagramPath(socket: SocketID(0), remote: others[0]),
        DatagramPath(socket: SocketID(0), remote: others[1]),
        DatagramPath(socket: SocketID(1), remote: v6),
      ])
    // Two servers that see the same: one candidate; NATs with a port for each destination: two.
    bench.answer(Self.outside, from: others[0], to: 0)
    bench.answer(Self.outside, from: others[1], to: 1)
    #expect(bench.reflexive == [Self.outside])
  }

  @Test func `over TCP alone nothing is asked`() {
    let bench = Bench(transport: .tcp)
    bench.run(.seconds(1))
    #expect(bench.questions.isEmpty)
  }

  @Test func `new addresses are asked for anew, and the old mapping is not told any more`() {
    let bench = Bench()
    bench.answer(Self.outside)
    let elsewhere = SocketAddress(.v4(10, 9, 0, 5), port: 5_000)
    bench.feed(.localEndpoints([.datagram(SocketID(0), elsewhere)]))
    #expect(bench.reflexive.isEmpty)
    #expect(bench.questions.count == 2)
    bench.answer(SocketAddress(.v4(203, 0, 113, 77), port: 1_024))
    #expect(bench.reflexive == [SocketAddress(.v4(203, 0, 113, 77), port: 1_024)])
  }
}
