import Links
import Testing
import Units
import Wire

/// What an ICE agent makes of ways over relays beside direct ones.
@Suite struct RelayedPairTests {
  private static let theirs = IceCredentials(
    userFragment: Array("them".utf8), password: [UInt8](repeating: 0x70, count: 24))
  private let direct = candidate(.v4(10, 0, 0, 2), .host)
  private let relayed = candidate(.v4(192, 0, 2, 60), .relayed)

  private static func candidate(_ ip: IPAddress, _ kind: Candidate.Kind) -> Candidate {
    Candidate(
      transport: .udp, kind: kind,
      foundation: CandidateRules.foundation(kind: kind, transport: .udp, base: ip),
      priority: CandidateRules.priority(
        typePreference: kind == .relayed ? 0 : 126, index: 0),
      address: SocketAddress(ip, port: 4_000))
  }

  /// One agent with one socket, driven by hand; who answers it is chosen by address.
  private final class Bench {
    let agent: IceAgent
    let ciphers = FakeCiphers(seed: 9)
    let ours: IceCredentials
    var now = Instant.zero + .seconds(1)
    /// Addresses that answer at once.
    var open: [SocketAddress] = []
    var nominated: [(path: DatagramPath, at: Instant)] = []
    var checks = 0

    init(controlling: Bool = true) {
      ours = IceCredentials(from: ciphers)
      agent = IceAgent(isControlling: controlling, credentials: ours, ciphers: ciphers)
      agent.setLocal(
        [(SocketID(0), RelayedPairTests.candidate(.v4(10, 0, 0, 1), .host))], at: now)
    }

    func setRemote(_ candidates: [Candidate]) {
      agent.setRemote(RelayedPairTests.theirs, candidates, at: now)
      drain()
    }

    private func drain() {
      while let output = agent.nextOutput() {
        guard case .transmit(let bytes, let path) = output,
          let request = try? StunMessage(decoding: bytes), request.kind == .request
        else { continue }
        checks += 1
        if request.attributes.contains(.useCandidate) { nominated.append((path, now)) }
        guard open.contains(path.remote) else { continue }
        let response = StunMessage(
          .success, transactionID: request.transactionID,
          attributes: [.xorMappedAddress(SocketAddress(.v4(10, 0, 0, 1), port: 4_000))]
        ).signed { self.ciphers.hmacSHA1(key: RelayedPairTests.theirs.password, $0) }
        _ = agent.handleResponse(try! StunMessage.Received(response.encoded), on: path, at: now)
      }
    }

    /// A check of the other side's.
    func receive(from source: SocketAddress, _ attributes: [StunAttribute]) {
      let request = StunMessage(
        .request, transactionID: ciphers.randomBytes(12),
        attributes: [.username(ours.userFragment + Array(":them".utf8))] + attributes
      ).signed { self.ciphers.hmacSHA1(key: self.ours.password, $0) }
      _ = agent.handleRequest(
        try! StunMessage.Received(request.encoded),
        on: DatagramPath(socket: SocketID(0), remote: source), at: now)
      drain()
    }

    func run(_ interval: Interval) {
      now = runTimers(
        from: now, for: interval, next: { agent.nextDeadline },
        fire: {
          now = $0
          agent.handleTimeout(at: now)
          drain()
        })
    }
  }

  @Test func `a relayed path carries at once and is nominated after 300 ms`() {
    let bench = Bench()
    bench.open = [relayed.address]
    let start = bench.now
    bench.setRemote([direct, relayed])
    #expect(bench.agent.sendingPath?.remote == relayed.address)
    #expect(bench.nominated.isEmpty)
    bench.run(.milliseconds(400))
    #expect(bench.nominated.map(\.path.remote) == [relayed.address])
    #expect(bench.nominated.map { ($0.at - start).milliseconds } == [300])
    #expect(bench.agent.selected?.remote == relayed.address)
  }

  @Test func `a direct path that answers within that time is nominated instead`() {
    let bench = Bench()
    bench.open = [relayed.address]
    bench.setRemote([direct, relayed])
    bench.run(.milliseconds(190))
    bench.open.append(direct.address)
    bench.run(.milliseconds(400))
    #expect(bench.nominated.map(\.path.remote) == [direct.address])
  }

  @Test func `where there is no direct path to wait for a relayed one is nominated at once`() {
    let bench = Bench()
    bench.open = [relayed.address]
    bench.setRemote([relayed])
    #expect(bench.nominated.map(\.path.remote) == [relayed.address])
    // Nor is there anything more to be looked for.
    let checks = bench.checks
    bench.run(.seconds(3.9))
    #expect(bench.checks == checks)
  }

  @Test(arguments: [true, false])
  func `while a relayed path is in use direct ones are tried again and again`(controlling: Bool) {
    let bench = Bench(controlling: controlling)
    bench.open = [relayed.address]
    bench.setRemote([direct, relayed])
    if !controlling {
      bench.receive(from: relayed.address, [.priority(1), .iceControlling(1), .useCandidate])
    }
    bench.run(.seconds(60))
    #expect(bench.agent.selected?.remote == relayed.address)
    bench.open.append(direct.address)
    bench.run(.seconds(17))
    #expect(
      bench.agent.isValidated(
        DatagramPath(socket: SocketID(0), remote: direct.address), at: bench.now))
    if !controlling {
      bench.receive(from: direct.address, [.priority(1), .iceControlling(1), .useCandidate])
    }
    #expect(bench.agent.selected?.remote == direct.address)
    // A direct path is the end of it.
    bench.open = [direct.address]
    let nominations = bench.nominated.count
    bench.run(.seconds(60))
    #expect(bench.nominated.count == nominations)
    #expect(bench.agent.selected?.remote == direct.address)
  }

  @Test func `what looked direct before its description came is known as relayed after it`() {
    let bench = Bench()
    bench.open = [relayed.address]
    bench.setRemote([direct])
    bench.receive(from: relayed.address, [.priority(110 << 24), .iceControlled(1)])
    let path = DatagramPath(socket: SocketID(0), remote: relayed.address)
    #expect(!bench.agent.isRelayed(path))
    bench.setRemote([direct, relayed])
    #expect(bench.agent.isRelayed(path))
    #expect(bench.agent.pairs.map(\.path.remote) == [direct.address, relayed.address])
    bench.run(.milliseconds(400))
    bench.open.append(direct.address)
    bench.run(.seconds(17))
    #expect(bench.agent.selected?.remote == direct.address)
  }
}
