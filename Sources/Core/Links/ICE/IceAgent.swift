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
  struct Base: Sendable {
    let socket: SocketID
    let foundation: UInt32
    let priority: UInt32
    var addresses: [IPAddress]
  }
  struct Remote: Sendable {
    let address: SocketAddress
    let foundation: UInt32
    var priority: UInt32
    var isRelayed = false
  }

  package let credentials: IceCredentials
  let ciphers: any CipherSuite
  let tieBreaker: UInt64
  /// Follows from the session ids, until a 487 changes it.
  package internal(set) var isControlling: Bool
  var remoteCredentials: IceCredentials?
  var bases: [Base] = []
  var remotes: [Remote] = []
  /// Of `remotes`, how many descriptions told; the others are peer-reflexive.
  var told = 0
  /// The highest priority first, at most `pairLimit`.
  package internal(set) var pairs: [CandidatePair] = []
  /// Nothing goes there, and nothing that comes from there is answered.
  private(set) var barred: [SocketAddress] = []
  /// To be checked before all others (RFC 8445 §6.1.4.1).
  var triggered: [DatagramPath] = []
  /// Where authenticated requests came from before the peer's description did.
  var early: [Early] = []
  /// New checks are spaced (RFC 8445 §14.2: Ta), after a first burst that finds a path in a LAN at
  /// once.
  var pacer = BurstPacer(burst: 8, interval: .milliseconds(20))

  /// The nominated path.
  package internal(set) var selected: DatagramPath? {
    didSet { noteRelayed() }
  }
  /// The nominated path leads over a relay: direct ones are looked for still.
  private(set) var isOverRelay = false
  var consent: ConsentFreshness?
  /// No path is nominated, or the one that is has become doubtful.
  var needsNomination = true
  /// Since when the nominated path is in doubt: it is checked, and so is all that comes to be known.
  var doubtedAt: Instant?
  /// When the first pair became valid in the present search.
  var firstValidAt: Instant?
  /// When to begin again after every check has failed.
  var nextRoundAt: Instant?
  var roundPause = IceAgent.firstRoundPause
  var outputs = OutputQueue<Output>()

  struct Early: Sendable {
    let path: DatagramPath
    let priority: UInt32
    var nominates: Bool
  }
  static let pairLimit = 100
  static let earlyLimit = 8
  static let reflexiveLimit = 16
  /// How long a valid pair waits for a better one before it is nominated.
  static let patience = Interval.milliseconds(50)
  /// The same where it leads over a relay: direct ways open as both sides knock, which takes a round
  /// trip or two. Meanwhile frames go over the relay already.
  static let relayedPatience = Interval.milliseconds(300)
  static let firstRoundPause = Interval.seconds(2)
  static let longestRoundPause = Interval.seconds(16)

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

  /// The peer's credentials and UDP candidates; more candidates may follow, up to the limit of one
  /// description: a peer must not have us check address after address.
  package func setRemote(
    _ credentials: IceCredentials, _ candidates: [Candidate], at now: Instant
  ) {
    remoteCredentials = credentials
    for candidate in candidates where candidate.transport == .udp {
      let isRelayed = candidate.kind == .relayed
      if let known = remotes.firstIndex(where: { $0.address == candidate.address }) {
        if isRelayed { markRelayed(known, priority: candidate.priority) }
        continue
      }
      guard told < LinkDescription.candidateLimit else { continue }
      told += 1
      remotes.append(
        Remote(
          address: candidate.address, foundation: candidate.foundation,
          priority: candidate.priority, isRelayed: isRelayed))
    }
    formPairs(at: now)
    for request in early {
      learn(request.path, priority: request.priority)
      noteRequest(on: request.path, nominates: request.nominates, at: now)
    }
    early = []
    proceed(at: now)
  }

  /// The newest replaces those before. What was learned of such an address is forgotten.
  package func bar(_ addresses: [SocketAddress], at now: Instant) {
    barred = addresses
    early.removeAll { addresses.contains($0.path.remote) }
    remotes.removeAll { addresses.contains($0.address) }
    pairs.removeAll { addresses.contains($0.path.remote) }
    if let selected, addresses.contains(selected.remote) {
      self.selected = nil
      needsNomination = true
    }
    proceed(at: now)
  }

  /// Its check came before the description that says what it is, and looked like a direct way.
  private func markRelayed(_ remote: Int, priority: UInt32) {
    guard !remotes[remote].isRelayed else { return }
    remotes[remote].isRelayed = true
    remotes[remote].priority = priority
    for index in pairs.indices where pairs[index].path.remote == remotes[remote].address {
      pairs[index].isRelayed = true
      pairs[index].remotePriority = priority
    }
    sortPairs()
    noteRelayed()
  }

  private func noteRelayed() { isOverRelay = selected.map(isRelayed) ?? false }

  func formPairs(at now: Instant) {
    guard remoteCredentials != nil else { return }
    for base in bases {
      for remote in remotes {
        // A socket of one family or of loopback alone can't reach the other.
        guard
          base.addresses.contains(where: {
            $0.isV4 == remote.address.ip.isV4 && $0.isLoopback == remote.address.ip.isLoopback
          })
        else { continue }
        if base.socket.isRelayed,
          !base.addresses.contains(where: {
            CandidateRules.mayReach(remote.address.ip, fromRelayAt: $0)
          })
        {
          continue
        }
        addPair(base, remote)
      }
    }
    if pairs.count > Self.pairLimit { pairs.removeLast(pairs.count - Self.pairLimit) }
    thawFoundations()
    proceed(at: now)
  }

  func addPair(_ base: Base, _ remote: Remote) {
    let path = DatagramPath(socket: base.socket, remote: remote.address)
    guard !pairs.contains(where: { $0.path == path }) else { return }
    let pair = CandidatePair(
      path: path,
      foundation: .init(local: base.foundation, remote: remote.foundation),
      localPriority: base.priority, remotePriority: remote.priority,
      isRelayed: base.socket.isRelayed || remote.isRelayed)
    let priority = pair.priority(isControlling: isControlling)
    let place =
      pairs.firstIndex { $0.priority(isControlling: isControlling) < priority } ?? pairs.count
    pairs.insert(pair, at: place)
  }

  func sortPairs() {
    let isControlling = isControlling
    pairs.sort {
      $0.priority(isControlling: isControlling) > $1.priority(isControlling: isControlling)
    }
  }

  /// RFC 8445 §6.1.2.6: of each foundation that nobody tries, the best pair begins.
  func thawFoundations() {
    for index in pairs.indices where pairs[index].state == .frozen {
      let foundation = pairs[index].foundation
      let isTried = pairs.contains {
        $0.foundation == foundation && ($0.state == .waiting || $0.state == .inProgress)
      }
      if !isTried { pairs[index].state = .waiting }
    }
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

  /// From the first sending of the newest check that was answered until then: may be too long by
  /// what was lost.
  package func roundTrip(on path: DatagramPath) -> Interval? {
    pairs.first { $0.path == path }?.roundTrip
  }

  package func isRelayed(_ path: DatagramPath) -> Bool {
    pairs.first { $0.path == path }?.isRelayed ?? path.socket.isRelayed
  }

  package func lastResponse(on path: DatagramPath) -> Instant? {
    pairs.first { $0.path == path }?.lastResponse
  }

  package var nextDeadline: Deadline? {
    guard remoteCredentials != nil else { return nil }
    var earliest: Deadline?
    for index in 0..<pairs.count {
      guard let dueAt = pairs[index].check?.dueAt else { continue }
      earliest = .earlier(earliest, Deadline("ice check", at: dueAt))
    }
    if !triggered.isEmpty || pairs.contains(where: { $0.state == .waiting && isWanted($0) }) {
      earliest = .earlier(earliest, Deadline("ice pace", at: pacer.refillAt))
    }
    if let consent, selected != nil {
      let at = min(consent.askAt, consent.expiresAt)
      earliest = .earlier(earliest, Deadline("ice consent", at: at))
    }
    if let nomination {
      earliest = .earlier(earliest, Deadline("ice nomination", at: nomination.at))
    }
    if let nextRoundAt {
      earliest = .earlier(earliest, Deadline("ice round", at: nextRoundAt))
    }
    return earliest
  }
}
