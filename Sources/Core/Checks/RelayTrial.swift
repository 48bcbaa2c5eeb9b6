import Ciphers
import Links
import Units
import Wire

/// An allocation at one relay over one carrier, made to see whether it can be.
struct RelayTrial {
  let server: RelayServer
  /// Over UDP; the other is `stream`.
  let path: DatagramPath?
  let stream: StreamID?
  private(set) var outcome: RelayFinding.Outcome?
  var carries: Bool?
  /// As the relay sees our socket.
  private(set) var mapped: SocketAddress?
  private(set) var relayed: SocketAddress?
  /// Peers' datagrams that came by way of it, with where they came from. They come only to the one that a
  /// `WayTrial` sends through, which takes them after each input.
  var received: [(bytes: [UInt8], peer: SocketAddress)] = []
  /// The relay lets nothing to and from our own address outside.
  private(set) var isRefusingPeers = false
  /// What came back instead of an answer.
  private var bounce: DialFailure?
  private var exchange: RelayExchange?
  private let families: [StunFamily]
  private let credentials: TurnCredentials
  private let ciphers: any CipherSuite
  private let beganAt: Instant
  private var handledAt: Instant

  init(
    _ server: RelayServer, path: DatagramPath? = nil, stream: StreamID? = nil,
    for families: [StunFamily], _ credentials: TurnCredentials, ciphers: any CipherSuite,
    at now: Instant
  ) {
    self.server = server
    self.path = path
    self.stream = stream
    self.families = families
    self.credentials = credentials
    self.ciphers = ciphers
    beganAt = now
    handledAt = now
  }

  /// An answer says more than what came back before it, which anybody may have sent.
  var finding: RelayFinding {
    RelayFinding(
      server, outcome ?? bounce.map(RelayFinding.Outcome.bounced) ?? .silent, carries: carries,
      given: relayed.map { StunFamily($0.ip) })
  }

  // MARK: Beginning and ending

  /// Over UDP, or once the connection stands; nothing of TURN is said before TLS stands where the relay
  /// is spoken with over that.
  mutating func begin(_ sessions: any RelaySessionFactory, at now: Instant) {
    exchange = RelayExchange(
      with: server, for: families, credentials: credentials, ciphers: ciphers,
      sessions: sessions, at: now)
  }

  /// The first reason counts.
  mutating func fail(_ outcome: RelayFinding.Outcome) {
    exchange = nil
    self.outcome = self.outcome ?? outcome
  }

  mutating func bounced(_ failure: DialFailure) { bounce = bounce ?? failure }

  /// Gives back what there is.
  mutating func close(at now: Instant) -> [[UInt8]] {
    handle(.close, at: now)
    var last: [[UInt8]] = []
    while let bytes = nextTransmit() { last.append(bytes) }
    return last
  }

  // MARK: What passes

  mutating func handle(_ input: TurnAllocation.Input, at now: Instant) {
    exchange?.handle(input, at: now)
    handledAt = now
  }

  /// What goes to the relay.
  mutating func nextTransmit() -> [UInt8]? {
    while let output = exchange?.nextOutput() {
      switch output {
      case .transmit(let bytes): return bytes
      case .allocation(let output): take(output)
      case .insecure(let failure): fail(.unsecured(failure))
      case .closed: fail(.unconnected("the connection was closed"))
      }
    }
    return nil
  }

  private mutating func take(_ output: TurnAllocation.Output) {
    switch output {
    case .allocated(let relayed, let mapped):
      self.relayed = relayed
      self.mapped = mapped
      outcome = outcome ?? .allocated(after: handledAt - beganAt)
    case .received(let bytes, let peer):
      received.append((bytes, peer))
    case .refused: isRefusingPeers = true
    case .failed(let failure): outcome = outcome ?? .failed(failure)
    case .transmit, .closed: break
    }
  }

  // MARK: Time

  var deadline: Deadline? { exchange?.nextDeadline }

  mutating func handleTimeout(at now: Instant) {
    if let due = deadline, due.at <= now { handle(.timeout, at: now) }
  }
}
