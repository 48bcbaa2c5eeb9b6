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
  private var allocation: TurnAllocation?
  /// What protects the stream, where the relay is spoken with over TLS; `nil` before it stands.
  private var session: (any SecureSession)?
  private let credentials: TurnCredentials
  private let ciphers: any CipherSuite
  private let beganAt: Instant

  init(
    _ server: RelayServer, path: DatagramPath? = nil, stream: StreamID? = nil,
    _ credentials: TurnCredentials, ciphers: any CipherSuite, at now: Instant
  ) {
    self.server = server
    self.path = path
    self.stream = stream
    self.credentials = credentials
    self.ciphers = ciphers
    beganAt = now
  }

  /// An answer says more than what came back before it, which anybody may have sent.
  var finding: RelayFinding {
    RelayFinding(
      server, outcome ?? bounce.map(RelayFinding.Outcome.bounced) ?? .silent, carries: carries)
  }

  // MARK: Beginning and ending

  /// Asks at once: over UDP, or over a connection that needs no TLS or has it.
  mutating func begin(at now: Instant) {
    allocation = TurnAllocation(
      over: path == nil ? .stream : .datagrams, family: server.address.ip.isV4 ? .v4 : .v6,
      credentials: credentials, ciphers: ciphers, at: now)
  }

  /// The connection stands. Where the relay is spoken with over TLS, nothing of TURN is said before
  /// that stands too.
  mutating func connected(_ sessions: any RelaySessionFactory, at now: Instant) {
    guard server.carrier == .tls else { return begin(at: now) }
    guard let host = server.hostName else {
      return fail(.unsecured(.refused("its name is malformed")))
    }
    session = sessions.makeSession(host: host)
    session?.start(at: now)
  }

  /// The first reason counts.
  mutating func fail(_ outcome: RelayFinding.Outcome) {
    allocation = nil
    self.outcome = self.outcome ?? outcome
  }

  mutating func bounced(_ failure: DialFailure) { bounce = bounce ?? failure }

  /// Gives back what there is.
  mutating func close(at now: Instant) -> [[UInt8]] {
    allocation?.handle(.close, at: now)
    var last: [[UInt8]] = []
    while let bytes = nextTransmit(at: now) { last.append(bytes) }
    session?.close(at: now)
    while case .transmit(let bytes)? = session?.nextOutput() { last.append(bytes) }
    return last
  }

  // MARK: What passes

  mutating func handle(_ input: TurnAllocation.Input, at now: Instant) {
    allocation?.handle(input, at: now)
  }

  mutating func receive(_ bytes: [UInt8], at now: Instant) {
    if let session { session.receive(bytes, at: now) } else { handle(.received(bytes), at: now) }
  }

  /// What goes to the relay.
  mutating func nextTransmit(at now: Instant) -> [UInt8]? {
    while true {
      if let bytes = nextOfSession(at: now) { return bytes }
      guard let bytes = nextOfAllocation(at: now) else { return nil }
      guard let session else { return bytes }
      session.send(bytes, at: now)
    }
  }

  private mutating func nextOfSession(at now: Instant) -> [UInt8]? {
    while let output = session?.nextOutput() {
      switch output {
      case .transmit(let bytes): return bytes
      case .established: begin(at: now)
      case .received(let bytes): handle(.received(bytes), at: now)
      case .closed: fail(.unconnected("the connection was closed"))
      case .failed(let failure): fail(.unsecured(failure))
      }
    }
    return nil
  }

  private mutating func nextOfAllocation(at now: Instant) -> [UInt8]? {
    while let output = allocation?.nextOutput() {
      switch output {
      case .transmit(let bytes): return bytes
      case .allocated(let relayed, let mapped):
        self.relayed = relayed
        self.mapped = mapped
        outcome = outcome ?? .allocated(after: now - beganAt)
      case .received(let bytes, let peer):
        received.append((bytes, peer))
      case .refused: isRefusingPeers = true
      case .failed(let failure): outcome = outcome ?? .failed(failure)
      case .closed: break
      }
    }
    return nil
  }

  // MARK: Time

  var deadline: Deadline? { .earlier(allocation?.nextDeadline, session?.nextDeadline) }

  mutating func handleTimeout(at now: Instant) {
    if let due = session?.nextDeadline, due.at <= now { session?.handleTimeout(at: now) }
    if let due = allocation?.nextDeadline, due.at <= now { handle(.timeout, at: now) }
  }
}
