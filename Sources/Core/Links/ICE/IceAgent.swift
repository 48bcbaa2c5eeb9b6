package import Ciphers
package import Units
package import Wire

/// Finds and keeps the datagram path to one peer, for one generation of credentials: full ICE
/// (RFC 8445) with regular nomination, one component, and consent freshness (RFC 7675).
///
/// Who holds it gives it the datagrams that belong to it: requests whose USERNAME starts with
/// its fragment, responses to its transactions. Drain `nextOutput()` after every call.
package final class IceAgent {
  package enum Output: Sendable {
    case transmit([UInt8], DatagramPath)
    /// Datagrams may be taken from there from now on.
    case validated(DatagramPath)
  }
  /// A socket of ours, with the addresses under which it is known.
  private struct Base: Sendable {
    let socket: SocketID
    let foundation: UInt32
    let priority: UInt32
    var addresses: [IPAddress]
  }
  private struct Remote: Sendable {
    let address: SocketAddress
    let foundation: UInt32
    let priority: UInt32
  }

  package let credentials: IceCredentials
  private let ciphers: any CipherSuite
  private let tieBreaker: UInt64
  /// Follows from the session ids, until a 487 changes it.
  package private(set) var isControlling: Bool
  private var remoteCredentials: IceCredentials?
  private var bases: [Base] = []
  private var remotes: [Remote] = []
  /// The highest priority first, at most `pairLimit`.
  package private(set) var pairs: [CandidatePair] = []
  /// To be checked before all others (RFC 8445 §6.1.4.1).
  private var triggered: [DatagramPath] = []
  /// Where authenticated requests came from before the peer's description did.
  private var early: [Early] = []
  private var pacer = CheckPacer()

  /// The nominated path.
  package private(set) var selected: DatagramPath?
  private var consent: ConsentFreshness?
  /// No path is nominated, or the one that is has become doubtful.
  private var needsNomination = true
  /// When the first pair became valid in the present search.
  private var firstValidAt: Instant?
  /// When to begin again after every check has failed.
  private var nextRoundAt: Instant?
  private var roundPause = IceAgent.firstRoundPause
  private var outputs = OutputQueue<Output>()

  private struct Early: Sendable {
    let path: DatagramPath
    let priority: UInt32
    var nominates: Bool
  }
  private static let pairLimit = 100
  private static let earlyLimit = 8
  private static let reflexiveLimit = 16
  /// How long a valid pair waits for a better one before it is nominated.
  private static let patience = Interval.milliseconds(50)
  private static let firstRoundPause = Interval.seconds(2)
  private static let longestRoundPause = Interval.seconds(16)

  package init(
    isControlling: Bool, credentials: IceCredentials, ciphers: any CipherSuite
  ) {
    self.isControlling = isControlling
    self.credentials = credentials
    self.ciphers = ciphers
    tieBreaker = ciphers.randomBytes(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  package func nextOutput() -> Output? { outputs.next() }

  // MARK: What there is to check

  /// The sockets with the candidates that were offered for them. Pairs of sockets that are gone
  /// go too.
  package func setLocal(_ offered: [(SocketID, Candidate)], at now: Instant) {
    bases = []
    for (socket, candidate) in offered where candidate.transport == .udp {
      if let known = bases.firstIndex(where: { $0.socket == socket }) {
        bases[known].addresses.append(candidate.address.ip)
      } else {
        bases.append(
          Base(
            socket: socket, foundation: candidate.foundation, priority: candidate.priority,
            addresses: [candidate.address.ip]))
      }
    }
    pairs.removeAll { pair in !bases.contains { $0.socket == pair.path.socket } }
    if let selected, !bases.contains(where: { $0.socket == selected.socket }) {
      self.selected = nil
      needsNomination = true
    }
    formPairs(at: now)
  }

  /// The peer's credentials and UDP candidates; more candidates may follow.
  package func setRemote(
    _ credentials: IceCredentials, _ candidates: [Candidate], at now: Instant
  ) {
    remoteCredentials = credentials
    for candidate in candidates where candidate.transport == .udp {
      guard !remotes.contains(where: { $0.address == candidate.address }) else { continue }
      remotes.append(
        Remote(
          address: candidate.address, foundation: candidate.foundation,
          priority: candidate.priority))
    }
    formPairs(at: now)
    for request in early {
      learn(request.path, priority: request.priority)
      noteRequest(on: request.path, nominates: request.nominates, at: now)
    }
    early = []
    proceed(at: now)
  }

  private func formPairs(at now: Instant) {
    guard remoteCredentials != nil else { return }
    for base in bases {
      for remote in remotes {
        // A socket of one family or of loopback alone can't reach the other.
        guard
          base.addresses.contains(where: {
            $0.isV4 == remote.address.ip.isV4 && $0.isLoopback == remote.address.ip.isLoopback
          })
        else { continue }
        addPair(base, remote)
      }
    }
    if pairs.count > Self.pairLimit { pairs.removeLast(pairs.count - Self.pairLimit) }
    thawFoundations()
    proceed(at: now)
  }

  private func addPair(_ base: Base, _ remote: Remote) {
    let path = DatagramPath(socket: base.socket, remote: remote.address)
    guard !pairs.contains(where: { $0.path == path }) else { return }
    let pair = CandidatePair(
      path: path,
      foundation: .init(local: base.foundation, remote: remote.foundation),
      localPriority: base.priority, remotePriority: remote.priority)
    let priority = pair.priority(isControlling: isControlling)
    let place =
      pairs.firstIndex { $0.priority(isControlling: isControlling) < priority } ?? pairs.count
    pairs.insert(pair, at: place)
  }

  /// RFC 8445 §6.1.2.6: of each foundation that nobody tries, the best pair begins.
  private func thawFoundations() {
    for index in pairs.indices where pairs[index].state == .frozen {
      let foundation = pairs[index].foundation
      let isTried = pairs.contains {
        $0.foundation == foundation && ($0.state == .waiting || $0.state == .inProgress)
      }
      if !isTried { pairs[index].state = .waiting }
    }
  }

  // MARK: What comes in

  /// A binding request whose USERNAME starts with our fragment. False when it was not authentic,
  /// and so got no answer.
  package func handleRequest(
    _ received: StunMessage.Received, on path: DatagramPath, at now: Instant
  ) -> Bool {
    let request = received.message
    guard request.kind == .request, request.method == .binding, request.hasFingerprint,
      let integrity = request.integrity,
      ciphers.equal(
        integrity, ciphers.hmacSHA1(key: credentials.password, received.covered))
    else { return false }

    let unknown = request.attributes.compactMap(\.isUnknownAndRequired)
    guard unknown.isEmpty else {
      answer(request, on: path, .error, [.errorCode(420, reason: []), .unknownAttributes(unknown)])
      return true
    }
    var priority: UInt32?
    var nominates = false
    for attribute in request.attributes {
      switch attribute {
      case .priority(let value): priority = value
      case .useCandidate: nominates = true
      case .iceControlling(let theirs) where isControlling:
        // RFC 8445 §7.3.1.1: the larger tie-breaker controls.
        guard tieBreaker < theirs else {
          answer(request, on: path, .error, [.errorCode(487, reason: [])])
          return true
        }
        changeRole(toControlling: false)
      case .iceControlled(let theirs) where !isControlling:
        guard tieBreaker >= theirs else {
          answer(request, on: path, .error, [.errorCode(487, reason: [])])
          return true
        }
        changeRole(toControlling: true)
      default: break
      }
    }
    guard let priority else {
      answer(request, on: path, .error, [.errorCode(400, reason: [])])
      return true
    }
    answer(request, on: path, .success, [.xorMappedAddress(path.remote)])
    if remoteCredentials == nil {
      remember(Early(path: path, priority: priority, nominates: nominates))
    } else {
      learn(path, priority: priority)
      noteRequest(on: path, nominates: nominates, at: now)
      proceed(at: now)
    }
    return true
  }

  private func remember(_ request: Early) {
    if let known = early.firstIndex(where: { $0.path == request.path }) {
      early[known].nominates = early[known].nominates || request.nominates
    } else if early.count < Self.earlyLimit {
      early.append(request)
    }
  }

  private func answer(
    _ request: StunMessage, on path: DatagramPath, _ kind: StunMessage.Class,
    _ attributes: [StunAttribute]
  ) {
    let response = StunMessage(
      kind, transactionID: request.transactionID, attributes: attributes
    ).signed { ciphers.hmacSHA1(key: credentials.password, $0) }
    outputs.append(.transmit(response.encoded, path))
  }

  /// A source that no candidate named is a peer-reflexive candidate (RFC 8445 §7.3.1.3).
  private func learn(_ path: DatagramPath, priority: UInt32) {
    guard !pairs.contains(where: { $0.path == path }),
      let base = bases.first(where: { $0.socket == path.socket })
    else { return }
    if let known = remotes.first(where: { $0.address == path.remote }) {
      addPair(base, known)
    } else if remotes.count < LinkDescription.candidateLimit + Self.reflexiveLimit {
      // A foundation of its own: nothing is known about whom it fares like.
      let remote = Remote(
        address: path.remote, foundation: UInt32(truncatingIfNeeded: remotes.count),
        priority: priority)
      remotes.append(remote)
      addPair(base, remote)
    }
  }

  /// RFC 8445 §7.3.1.4 and §7.3.1.5.
  private func noteRequest(on path: DatagramPath, nominates: Bool, at now: Instant) {
    guard let index = pairs.firstIndex(where: { $0.path == path }) else { return }
    if nominates, !isControlling {
      for other in pairs.indices { pairs[other].isNominatedByPeer = other == index }
    }
    switch pairs[index].state {
    case .succeeded:
      if nominates, !isControlling { select(path, at: now) }
    case .inProgress: pairs[index].check?.hasten(at: now)
    case .frozen, .waiting, .failed:
      pairs[index].state = .waiting
      if !triggered.contains(path) { triggered.append(path) }
    }
  }

  /// Whether a response with this transaction is ours to handle.
  package func expects(_ transactionID: [UInt8]) -> Bool {
    pairs.contains { $0.check?.transactionID == transactionID }
      || consent?.isOutstanding(transactionID) == true
  }

  /// A response to a transaction of ours. False when it was not authentic or came another way
  /// than its request went.
  package func handleResponse(
    _ received: StunMessage.Received, on path: DatagramPath, at now: Instant
  ) -> Bool {
    let response = received.message
    guard let remoteCredentials, let integrity = response.integrity,
      ciphers.equal(
        integrity, ciphers.hmacSHA1(key: remoteCredentials.password, received.covered))
    else { return false }
    if consent?.isOutstanding(response.transactionID) == true {
      guard path == selected, response.kind == .success else { return false }
      consent?.confirm(at: now)
      if let index = pairs.firstIndex(where: { $0.path == path }) {
        pairs[index].lastResponse = now
      }
      return true
    }
    guard
      let index = pairs.firstIndex(where: { $0.check?.transactionID == response.transactionID })
    else { return false }
    // RFC 8445 §7.2.5.2.1: only a symmetric path is of use.
    guard pairs[index].path == path else { return false }
    let nominated = pairs[index].check?.nominates == true
    pairs[index].check = nil
    switch response.kind {
    case .success: succeed(index, nominated: nominated, at: now)
    case .error:
      let isConflict = response.attributes.contains {
        if case .errorCode(487, _) = $0 { true } else { false }
      }
      if isConflict {
        changeRole(toControlling: !isControlling)
        if let again = pairs.firstIndex(where: { $0.path == path }) {
          pairs[again].state = .waiting
          triggered.append(path)
        }
      } else {
        pairs[index].state = .failed
      }
    case .request, .indication: return false
    }
    proceed(at: now)
    return true
  }

  private func succeed(_ index: Int, nominated: Bool, at now: Instant) {
    let path = pairs[index].path
    pairs[index].state = .succeeded
    pairs[index].lastResponse = now
    firstValidAt = firstValidAt ?? now
    nextRoundAt = nil
    roundPause = Self.firstRoundPause
    for other in pairs.indices
    where pairs[other].state == .frozen && pairs[other].foundation == pairs[index].foundation {
      pairs[other].state = .waiting
    }
    outputs.append(.validated(path))
    if isControlling ? nominated : pairs[index].isNominatedByPeer {
      select(path, at: now)
    } else if path == selected {
      consent?.confirm(at: now)
      // A doubtful path has answered after all. The controlling side nominates it once more, as
      // the other may see it under a new address.
      if !isControlling { needsNomination = false }
    }
  }

  private func select(_ path: DatagramPath, at now: Instant) {
    needsNomination = false
    triggered = []
    guard path != selected else { return }
    selected = path
    consent = ConsentFreshness(at: now, ciphers: ciphers)
  }

  private func changeRole(toControlling controlling: Bool) {
    isControlling = controlling
    pairs.sort { $0.priority(isControlling: controlling) > $1.priority(isControlling: controlling) }
  }

  // MARK: What is known

  /// Where to send: the nominated path, before that the best that was valid (RFC 8445 §12.1).
  package var sendingPath: DatagramPath? {
    selected ?? pairs.first { $0.state == .succeeded }?.path
      ?? pairs.first { $0.lastResponse != nil }?.path
  }

  /// Whether this path was shown to lead both ways not longer ago than consent lasts.
  package func isValidated(_ path: DatagramPath, at now: Instant) -> Bool {
    pairs.contains { pair in
      pair.path == path
        && pair.lastResponse.map { now - $0 <= ConsentFreshness.lifetime } == true
    }
  }

  /// Whether this path may be validated soon.
  package func isAwaited(_ path: DatagramPath) -> Bool {
    early.contains { $0.path == path } || pairs.contains { $0.path == path }
  }

  package func lastResponse(on path: DatagramPath) -> Instant? {
    pairs.first { $0.path == path }?.lastResponse
  }

  // MARK: What goes out

  /// The path has gone silent: every pair is tried again, and the best that answers nominated.
  package func reconsider(at now: Instant) {
    for index in pairs.indices {
      pairs[index].check = nil
      pairs[index].state = .waiting
    }
    triggered = selected.map { [$0] } ?? []
    needsNomination = true
    firstValidAt = nil
    nextRoundAt = nil
    proceed(at: now)
  }

  package func handleTimeout(at now: Instant) {
    if let round = nextRoundAt, round <= now {
      nextRoundAt = nil
      roundPause = min(roundPause * 2, Self.longestRoundPause)
      for index in pairs.indices where pairs[index].state == .failed {
        pairs[index].state = .waiting
      }
    }
    proceed(at: now)
  }

  /// Sends all that is due, and nominates.
  private func proceed(at now: Instant) {
    guard remoteCredentials != nil else { return }
    for index in pairs.indices { retransmit(index, at: now) }
    keepConsent(at: now)
    nominate(at: now)
    while let index = nextToCheck(), pacer.take(at: now) { check(index, nominates: false, at: now) }
    let isOver = pairs.allSatisfy { $0.state == .failed }
    if isOver, !pairs.isEmpty, nextRoundAt == nil { nextRoundAt = now + roundPause }
  }

  private func retransmit(_ index: Int, at now: Instant) {
    guard let check = pairs[index].check, check.dueAt <= now else { return }
    if pairs[index].check?.send(at: now) == true {
      outputs.append(.transmit(check.bytes, pairs[index].path))
    } else {
      pairs[index].check = nil
      pairs[index].state = .failed
      thawFoundations()
    }
  }

  private func keepConsent(at now: Instant) {
    guard let path = selected, let consent else { return }
    if consent.expiresAt <= now {
      selected = nil
      self.consent = nil
      needsNomination = true
      firstValidAt = nil
      if let index = pairs.firstIndex(where: { $0.path == path }) {
        pairs[index].check = nil
        pairs[index].state = .failed
      }
    } else if consent.askAt <= now {
      let request = request(localPriority: priority(on: path), nominates: false)
      var asked = consent
      asked.ask(transactionID: request.transactionID, at: now, ciphers: ciphers)
      self.consent = asked
      outputs.append(.transmit(request.encoded, path))
    }
  }

  /// RFC 8445 §8.1.1: the controlling side asks for the best valid pair, at once when no better
  /// one can come any more, after a little patience otherwise.
  private func nominate(at now: Instant) {
    guard isControlling, needsNomination, !pairs.contains(where: { $0.check?.nominates == true }),
      let best = pairs.firstIndex(where: { $0.state == .succeeded })
    else { return }
    let mayImprove = pairs[..<best].contains { $0.state != .failed }
    if mayImprove, let since = firstValidAt, now < since + Self.patience { return }
    check(best, nominates: true, at: now)
  }

  /// Triggered checks first, then the best that waits; none once a path is nominated.
  private func nextToCheck() -> Int? {
    while let path = triggered.first {
      if let index = pairs.firstIndex(where: { $0.path == path }), pairs[index].state == .waiting {
        return index
      }
      triggered.removeFirst()
    }
    guard needsNomination else { return nil }
    if let index = pairs.firstIndex(where: { $0.state == .waiting }) { return index }
    thawFoundations()
    return pairs.firstIndex { $0.state == .waiting }
  }

  private func check(_ index: Int, nominates: Bool, at now: Instant) {
    let request = request(localPriority: pairs[index].localPriority, nominates: nominates)
    if !nominates { pairs[index].state = .inProgress }
    pairs[index].check = ConnectivityCheck(
      transactionID: request.transactionID, bytes: request.encoded, nominates: nominates, at: now)
    retransmit(index, at: now)
  }

  private func priority(on path: DatagramPath) -> UInt32 {
    pairs.first { $0.path == path }?.localPriority ?? 0
  }

  /// RFC 8445 §7.1: PRIORITY is what a peer-reflexive candidate found by this check would have.
  private func request(localPriority: UInt32, nominates: Bool) -> StunMessage {
    let remote = remoteCredentials ?? credentials
    let reflexive =
      CandidateRules.peerReflexivePreference << 24 | localPriority & 0x00FF_FFFF
    var attributes: [StunAttribute] = [
      .username(remote.userFragment + [UInt8(ascii: ":")] + credentials.userFragment),
      .priority(reflexive),
      isControlling ? .iceControlling(tieBreaker) : .iceControlled(tieBreaker),
    ]
    if nominates { attributes.append(.useCandidate) }
    return StunMessage(
      .request, transactionID: ciphers.randomBytes(12), attributes: attributes
    ).signed { ciphers.hmacSHA1(key: remote.password, $0) }
  }

  package var nextDeadline: Deadline? {
    guard remoteCredentials != nil else { return nil }
    var earliest: Deadline?
    for pair in pairs {
      guard let check = pair.check else { continue }
      earliest = .earlier(earliest, Deadline("ice check", at: check.dueAt))
    }
    if !triggered.isEmpty || needsNomination && pairs.contains(where: { $0.state == .waiting }) {
      earliest = .earlier(earliest, Deadline("ice pace", at: pacer.refillAt))
    }
    if let consent, selected != nil {
      let at = min(consent.askAt, consent.expiresAt)
      earliest = .earlier(earliest, Deadline("ice consent", at: at))
    }
    if isControlling, needsNomination, let since = firstValidAt,
      !pairs.contains(where: { $0.check?.nominates == true }),
      pairs.contains(where: { $0.state == .succeeded })
    {
      earliest = .earlier(earliest, Deadline("ice nomination", at: since + Self.patience))
    }
    if let nextRoundAt {
      earliest = .earlier(earliest, Deadline("ice round", at: nextRoundAt))
    }
    return earliest
  }
}
