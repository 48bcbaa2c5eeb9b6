import Links
import Testing
import Units
import Wire

/// One agent, driven by hand.
final class IceBench {
  static let start = Instant(nanoseconds: 1_000_000_000)
  static let theirs = IceCredentials(
    userFragment: Array("them".utf8), password: [UInt8](repeating: 0x70, count: 24))

  var agent: IceAgent
  var now = IceBench.start
  var sent: [(message: StunMessage, path: DatagramPath)] = []
  let ciphers = FakeCiphers(seed: 9)
  let ours: IceCredentials

  init(controlling: Bool, sockets: Int = 1) {
    ours = IceCredentials(from: ciphers)
    agent = IceAgent(isControlling: controlling, credentials: ours, ciphers: ciphers)
    let local = (0..<sockets).map { (SocketID($0), IceBench.local($0)) }
    agent.setLocal(local, at: now)
  }

  func setRemote(_ candidates: [Candidate]) {
    agent.setRemote(IceBench.theirs, candidates, at: now)
    drain()
  }
  func drain() {
    while let output = agent.nextOutput() {
      guard case .transmit(let bytes, let path) = output else { continue }
      sent.append((try! StunMessage(decoding: bytes), path))
    }
  }
  func takeSent() -> [(message: StunMessage, path: DatagramPath)] {
    defer { sent = [] }
    return sent
  }
  /// The clock goes on, and timers with it.
  func run(_ interval: Interval) {
    now = runTimers(
      from: now, for: interval,
      next: {
        // Never in the past.
        if let deadline = agent.nextDeadline { #expect(deadline.at >= now) }
        return agent.nextDeadline
      },
      fire: {
        now = $0
        agent.handleTimeout(at: now)
        drain()
      })
  }
  func answer(
    _ request: (message: StunMessage, path: DatagramPath), from path: DatagramPath? = nil,
    error: Int? = nil, password: [UInt8] = IceBench.theirs.password
  ) -> Bool {
    let response = StunMessage(
      error == nil ? .success : .error, transactionID: request.message.transactionID,
      attributes: error.map { [.errorCode($0, reason: [])] }
        ?? [.xorMappedAddress(SocketAddress(.v4(9, 9, 9, 9), port: 9))]
    ).signed { self.ciphers.hmacSHA1(key: password, $0) }
    let received = try! StunMessage.Received(response.encoded)
    defer { drain() }
    return agent.handleResponse(received, on: path ?? request.path, at: now)
  }
  func receive(_ attributes: [StunAttribute], on path: DatagramPath) -> StunMessage? {
    let request = StunMessage(
      .request, transactionID: ciphers.randomBytes(12),
      attributes: [.username(ours.userFragment + Array(":them".utf8))] + attributes
    ).signed { self.ciphers.hmacSHA1(key: self.ours.password, $0) }
    let isAuthentic = agent.handleRequest(
      try! StunMessage.Received(request.encoded), on: path, at: now)
    #expect(isAuthentic)
    drain()
    let index = sent.firstIndex {
      $0.message.transactionID == request.transactionID && $0.message.kind != .request
    }
    return index.map { sent.remove(at: $0).message }
  }

  static func local(_ number: Int) -> Candidate {
    candidate(.v4(10, 0, UInt8(number), 1), index: number)
  }
  static func candidate(_ ip: IPAddress, index: Int = 0) -> Candidate {
    Candidate(
      transport: .udp, kind: .host,
      foundation: CandidateRules.foundation(kind: .host, transport: .udp, base: ip),
      priority: CandidateRules.priority(typePreference: 126, index: index),
      address: SocketAddress(ip, port: 4_000))
  }
}

extension StunMessage {
  var nominates: Bool { attributes.contains(.useCandidate) }
}
