package import Units
package import Wire

/// DTLS over ICE to one peer: agents of the present and the previous generation, and the session
/// that outlives changes of path and generation.
package struct DatagramCarrier {
  package enum Output: Sendable {
    case transmit([UInt8], DatagramPath)
    case link(LinkID, PeerLink.Output)
  }

  private let configuration: LinkHubConfiguration
  /// The lower session: DTLS client, ICE controlling.
  private let isLower: Bool
  private var agent: IceAgent
  /// Keeps the path of the generation before until the present one has its own.
  private var previous: IceAgent?
  private var local: [(SocketID, Candidate)] = []
  private var expectation: Handshake.Expectation?
  package private(set) var link: PeerLink?
  private var attempts = 0
  /// When a session that doesn't come on is replaced by a fresh one.
  private var freshAt: Instant?
  /// Datagrams from paths that are not validated yet: the other side may be half a round trip
  /// ahead. Bounded, dropped when the path isn't validated soon.
  private var held: [(path: DatagramPath, bytes: [UInt8], at: Instant)] = []
  private var outputs = OutputQueue<Output>()

  /// When a datagram last came on the path that we send on.
  private var heardOnPathAt = Instant.zero
  /// Attempts that failed in a row without proof.
  private var failures = 0

  private static let heldLimit = 8
  private static let holdTime = Interval.seconds(1)
  private static let longestStall = Interval.seconds(2)
  /// Datagrams on another path alone for so long: the peer's end has moved.
  private static let movingTime = Interval.milliseconds(200)
  /// Before a session that failed is replaced; doubles.
  private static let errorPause = Interval.milliseconds(50)

  package init(_ configuration: LinkHubConfiguration, isLower: Bool) {
    self.configuration = configuration
    self.isLower = isLower
    agent = IceAgent(
      isControlling: isLower, credentials: IceCredentials(from: configuration.ciphers),
      ciphers: configuration.ciphers)
  }

  package mutating func nextOutput() -> Output? { outputs.next() }

  package var credentials: IceCredentials { agent.credentials }
  /// Of the present generation, the best first.
  var pairs: [CandidatePair] { agent.pairs }

  // MARK: What is known of both ends

  package mutating func setLocal(_ offered: [(SocketID, Candidate)], at now: Instant) {
    local = offered
    previous?.setLocal(offered, at: now)
    agent.setLocal(offered, at: now)
    advance(at: now)
  }

  package mutating func setRemote(
    _ description: LinkDescription, of session: SessionID, at now: Instant
  ) {
    expectation = Handshake.Expectation(
      session: session, certificateKeyHash: description.certificateKeyHash)
    agent.setRemote(
      IceCredentials(
        userFragment: description.userFragment, password: description.password),
      description.candidates, at: now)
    advance(at: now)
  }

  /// No way there, nor from there.
  package mutating func bar(_ addresses: [SocketAddress], at now: Instant) {
    previous?.bar(addresses, at: now)
    agent.bar(addresses, at: now)
    advance(at: now)
  }

  /// A new generation with fresh credentials; the path there is goes on until there is a new one.
  package mutating func restart(at now: Instant) {
    if agent.sendingPath != nil { previous = agent }
    let barred = agent.barred
    agent = IceAgent(
      isControlling: isLower, credentials: IceCredentials(from: configuration.ciphers),
      ciphers: configuration.ciphers)
    agent.bar(barred, at: now)
    agent.setLocal(local, at: now)
    advance(at: now)
  }

  // MARK: What comes in

  /// Whether a request with this USERNAME is for one of our agents.
  package func owns(userFragment: ArraySlice<UInt8>) -> Bool {
    userFragment.elementsEqual(agent.credentials.userFragment)
      || previous.map { userFragment.elementsEqual($0.credentials.userFragment) } == true
  }

  package func expects(_ transactionID: [UInt8]) -> Bool {
    agent.expects(transactionID) || previous?.expects(transactionID) == true
  }

  /// A request that `owns`, or a response that `expects`, said yes to. False when it was not
  /// authentic.
  package mutating func receiveStun(
    _ received: StunMessage.Received, userFragment: ArraySlice<UInt8>?, on path: DatagramPath,
    at now: Instant
  ) -> Bool {
    let isAuthentic: Bool
    if let userFragment {
      if userFragment.elementsEqual(agent.credentials.userFragment) {
        isAuthentic = agent.handleRequest(received, on: path, at: now)
      } else {
        isAuthentic = previous?.handleRequest(received, on: path, at: now) ?? false
      }
    } else if agent.expects(received.message.transactionID) {
      isAuthentic = agent.handleResponse(received, on: path, at: now)
    } else {
      isAuthentic = previous?.handleResponse(received, on: path, at: now) ?? false
    }
    advance(at: now)
    return isAuthentic
  }

  /// Mutating, here and below, so that it is asked for in place: for each packet the carrier would be
  /// copied out of `PeerLinks`.
  package mutating func isValidated(_ path: DatagramPath, at now: Instant) -> Bool {
    agent.isValidated(path, at: now) || previous?.isValidated(path, at: now) == true
  }
  package func isAwaited(_ path: DatagramPath) -> Bool { agent.isAwaited(path) }

  /// A DTLS datagram from a path that `isValidated` or `isAwaited`.
  package mutating func receive(_ bytes: [UInt8], on path: DatagramPath, at now: Instant) {
    if isValidated(path, at: now), link != nil {
      noteWay(path, at: now)
      link?.receive(bytes, at: now)
    } else {
      held.removeAll { now - $0.at > Self.holdTime }
      let isCopy = held.contains { $0.path == path && $0.bytes == bytes }
      if !isCopy, held.count < Self.heldLimit { held.append((path, bytes, now)) }
    }
    advance(at: now)
  }

  /// A peer behind a NAT with a new mapping sends from another address and knows nothing of it: what
  /// we send goes to the old one until the new one is nominated.
  private mutating func noteWay(_ path: DatagramPath, at now: Instant) {
    if path == sendingPath {
      heardOnPathAt = now
    } else if now - heardOnPathAt > Self.movingTime {
      if agent.selected != nil {
        agent.follow(path, at: now)
      } else {
        previous?.follow(path, at: now)
      }
    }
  }

  // MARK: What goes out

  package var sendingPath: DatagramPath? {
    mutating get { agent.sendingPath ?? previous?.sendingPath }
  }

  /// Whether that leads over a relay of either side.
  package var isRelayed: Bool {
    mutating get {
      guard let path = sendingPath else { return false }
      return agent.isRelayed(path) || previous?.isRelayed(path) == true
    }
  }

  package mutating func send(_ frame: Frame, at now: Instant) -> Bool {
    let isSent = link?.send(frame, at: now) ?? false
    advance(at: now)
    return isSent
  }

  package mutating func select(_ message: Select, at now: Instant) {
    link?.select(message, at: now)
    advance(at: now)
  }

  package mutating func close(at now: Instant) {
    link?.close(at: now)
    takeLinkOutputs()
    link = nil
    freshAt = nil
  }

  /// The path in use is in doubt: it is checked at once.
  package mutating func probe(at now: Instant) {
    agent.probe(at: now)
    previous?.probe(at: now)
    advance(at: now)
  }

  /// The link has gone silent: every path is tried again.
  package mutating func reconsider(at now: Instant) {
    agent.reconsider(at: now)
    previous?.reconsider(at: now)
    advance(at: now)
  }

  /// When the path in use last proved to work, by STUN.
  package var pathAnsweredAt: Instant? {
    mutating get {
      guard let path = sendingPath else { return nil }
      let answered = agent.lastResponse(on: path)
      guard let before = previous?.lastResponse(on: path) else { return answered }
      return answered.map { max($0, before) } ?? before
    }
  }

  /// Of the path in use, by STUN; `nil` until it was answered.
  private var roundTrip: Interval? {
    mutating get {
      guard let path = sendingPath else { return nil }
      return agent.roundTrip(on: path) ?? previous?.roundTrip(on: path)
    }
  }

  /// The other side has lost this session: the path answers and the session doesn't.
  package mutating func replaceLink(at now: Instant) {
    link = nil
    freshAt = nil
    advance(at: now)
  }

  package mutating func handleTimeout(at now: Instant) {
    agent.handleTimeout(at: now)
    previous?.handleTimeout(at: now)
    link?.handleTimeout(at: now)
    advance(at: now)
  }

  package mutating func nextDeadline(at now: Instant) -> Deadline? {
    var deadline = Deadline.earlier(agent.nextDeadline, previous?.nextDeadline)
    deadline = .earlier(deadline, link?.nextDeadline(at: now))
    if let freshAt {
      deadline = .earlier(deadline, Deadline("fresh session", at: freshAt))
    }
    return deadline
  }

  // MARK: Turning

  private mutating func advance(at now: Instant) {
    takeAgentOutputs(at: now)
    renewLink(at: now)
    takeLinkOutputs()
  }

  private mutating func takeAgentOutputs(at now: Instant) {
    if agent.selected != nil { previous = nil }
    while let output = previous?.nextOutput() { handle(output) }
    while let output = agent.nextOutput() { handle(output) }
  }

  private mutating func handle(_ output: IceAgent.Output) {
    if case .transmit(let bytes, let path) = output { outputs.append(.transmit(bytes, path)) }
  }

  /// Starts a session when there is a path, and a fresh one when it failed or doesn't come on
  /// (docs/protocol.md: before proof no DTLS error is final).
  private mutating func renewLink(at now: Instant) {
    switch link?.state {
    case .proved:
      failures = 0
      freshAt = nil
    case .ended:
      takeLinkOutputs()
      link = nil
      freshAt = now + Interval(nanoseconds: Self.errorPause.nanoseconds << min(failures, 5))
      failures += 1
    case .shaking:
      let stalledAt = (link?.progressAt ?? now) + stallTime
      if stalledAt <= now {
        if let id = link?.id { outputs.append(.link(id, .ended(.timedOut))) }
        link = nil
        freshAt = nil
        failures += 1
      } else {
        freshAt = stalledAt
      }
    case nil: break
    }
    if link == nil { startLink(at: now) }
    releaseHeld(at: now)
  }

  private mutating func startLink(at now: Instant) {
    if let freshAt, freshAt > now { return }
    freshAt = nil
    guard let expectation, sendingPath != nil else { return }
    attempts += 1
    link = PeerLink(
      configuration, id: .datagram(attempt: attempts), role: isLower ? .client : .server,
      expecting: expectation, roundTrip: roundTrip, at: now)
    freshAt = now + stallTime
  }

  /// How long a session may stand still: more than the three round trips of a DTLS handshake. What the
  /// session has measured itself counts: in ICE's figure is the time until the other side's NAT let the
  /// check in, and who waits that long answers none of the fresh sessions that the other side begins.
  /// On a short path no longer than `longestStall`: who can forge datagrams from the other's address can
  /// keep sessions from coming on, and is to be forgotten soon after (S14).
  private var stallTime: Interval {
    mutating get {
      let patience = (link?.roundTrip ?? roundTrip ?? .zero) * 6
      let growth = Double(1 << min(failures, 3))
      return max(patience * growth, min(.seconds(1) * growth, Self.longestStall))
    }
  }

  private mutating func releaseHeld(at now: Instant) {
    guard !held.isEmpty else { return }
    let waiting = held
    held = []
    var ready: [[UInt8]] = []
    for datagram in waiting {
      if isValidated(datagram.path, at: now) {
        ready.append(datagram.bytes)
      } else {
        held.append(datagram)
      }
    }
    for bytes in ready { link?.receive(bytes, at: now) }
  }

  private mutating func takeLinkOutputs() {
    guard let id = link?.id else { return }
    while let output = link?.nextOutput() {
      if case .transmit(let bytes) = output {
        if let path = sendingPath { outputs.append(.transmit(bytes, path)) }
      } else {
        outputs.append(.link(id, output))
      }
    }
  }
}
