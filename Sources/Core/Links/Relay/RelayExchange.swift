package import Ciphers
package import Units
package import Wire

/// All that is said with one relay, from the first byte to the last: an allocation, and TLS beneath
/// it where the relay is spoken with over that.
///
/// Over a connection it begins when that stands. Call `handle`, drain `nextOutput()` until `nil`, and
/// call `handle(.timeout, …)` when `nextDeadline` has come.
package struct RelayExchange {
  package enum Output: Sendable {
    /// For the wire: a datagram, or the next bytes of the stream.
    case transmit([UInt8])
    /// What the allocation tells, but for `.transmit`.
    case allocation(TurnAllocation.Output)
    /// TLS did not come about, or ended with an error. Nothing follows.
    case insecure(SecureSessionFailure)
    /// The relay has ended TLS in order. Nothing follows.
    case closed
  }

  package let credentials: TurnCredentials
  private let server: RelayServer
  /// Of the address that is asked for; those behind it, where the relay has none of that one.
  private var families: ArraySlice<StunFamily>
  /// The relay has said that it has no address of IPv4.
  private(set) var lacksV4 = false
  private let ciphers: any CipherSuite
  /// `nil` over anything but TLS.
  private let session: (any SecureSession)?
  /// `nil` until TLS stands.
  private var allocation: TurnAllocation?
  /// TLS could not even begin.
  private var failure: SecureSessionFailure?
  /// When something last happened.
  private var turnAt: Instant

  /// `families`: one or more (`RelayFamilies.asked`). `sessions` make those of relays over TLS,
  /// which can't be asked without.
  package init(
    with server: RelayServer, for families: [StunFamily], credentials: TurnCredentials,
    ciphers: any CipherSuite, sessions: (any RelaySessionFactory)?, at now: Instant
  ) {
    precondition(!families.isEmpty, "an address is of some family")
    self.server = server
    self.families = families[...]
    self.credentials = credentials
    self.ciphers = ciphers
    turnAt = now
    guard server.carrier == .tls else {
      session = nil
      allocate(at: now)
      return
    }
    session = server.hostName.flatMap { host in sessions?.makeSession(host: host) }
    if session == nil { failure = .refused("its name is malformed") }
    session?.start(at: now)
  }

  private mutating func allocate(at now: Instant) {
    allocation = TurnAllocation(
      over: server.carrier == .udp ? .datagrams : .stream,
      family: families[families.startIndex],
      credentials: credentials, ciphers: ciphers, at: now)
  }

  /// TLS stands, or is not needed.
  package var isUp: Bool { allocation != nil }

  /// What was received is what came over the wire.
  package mutating func handle(_ input: TurnAllocation.Input, at now: Instant) {
    turnAt = now
    if case .received(let bytes) = input, let session {
      session.receive(bytes, at: now)
    } else {
      allocation?.handle(input, at: now)
    }
    if case .timeout = input, let due = session?.nextDeadline, due.at <= now {
      session?.handleTimeout(at: now)
    }
    if case .close = input, let session {
      while let output = allocation?.nextOutput() {
        if case .transmit(let bytes) = output { session.send(bytes, at: now) }
      }
      session.close(at: now)
    }
  }

  package mutating func nextOutput() -> Output? {
    if let failure {
      self.failure = nil
      return .insecure(failure)
    }
    while true {
      switch session?.nextOutput() {
      case .transmit(let bytes): return .transmit(bytes)
      case .established: allocate(at: turnAt)
      case .received(let bytes): allocation?.handle(.received(bytes), at: turnAt)
      case .closed: return .closed
      case .failed(let failure): return .insecure(failure)
      case nil:
        guard let output = allocation?.nextOutput() else { return nil }
        // RFC 8656 §7.2. On the same carrier: over TCP and TLS another would cost round trips.
        if case .failed(.refused(.allocate, code: 440)) = output, families.count > 1 {
          if families.removeFirst() == .v4 { lacksV4 = true }
          allocate(at: turnAt)
          continue
        }
        guard case .transmit(let bytes) = output else { return .allocation(output) }
        guard let session else { return .transmit(bytes) }
        session.send(bytes, at: turnAt)
      }
    }
  }

  package var nextDeadline: Deadline? {
    .earlier(allocation?.nextDeadline, session?.nextDeadline)
  }
}
