import Ciphers
package import Units
import Wire

/// Checks, nomination and consent: what goes out, and when.
extension IceAgent {
  /// The nominated path may lead nowhere, or one end of it have got another address, which a check
  /// makes known. The controlling side nominates by the same check: a round trip sooner.
  package func probe(at now: Instant) {
    // Where a path is looked for anyway, all are checked.
    guard !needsNomination, let index = pairs.firstIndex(where: { $0.path == selected }) else {
      return
    }
    doubtedAt = now
    firstValidAt = nil
    check(index, nominates: isControlling, at: now)
    proceed(at: now)
  }

  /// The peer's datagrams come on this path, and no more on the nominated one.
  package func follow(_ path: DatagramPath, at now: Instant) {
    guard isControlling, selected != nil, path != selected,
      let index = pairs.firstIndex(where: { $0.path == path }), pairs[index].state == .succeeded,
      !pairs.contains(where: { $0.check?.nominates == true && $0.path != selected })
    else { return }
    check(index, nominates: true, at: now)
  }

  /// The path has gone silent: every pair is tried again, and the best that answers nominated.
  package func reconsider(at now: Instant) {
    for index in pairs.indices {
      pairs[index].check = nil
      pairs[index].state = .waiting
    }
    triggered = selected.map { [$0] } ?? []
    needsNomination = true
    doubtedAt = nil
    firstValidAt = nil
    nextRoundAt = nil
    proceed(at: now)
  }

  package func handleTimeout(at now: Instant) {
    if let round = nextRoundAt, round <= now {
      nextRoundAt = nil
      roundPause = min(roundPause * 2, Self.longestRoundPause)
      for index in pairs.indices where pairs[index].state == .failed && !isIdle(pairs[index]) {
        pairs[index].state = .waiting
      }
    }
    proceed(at: now)
  }

  /// Sends all that is due, and nominates.
  func proceed(at now: Instant) {
    guard remoteCredentials != nil else { return }
    for index in pairs.indices { retransmit(index, at: now) }
    keepConsent(at: now)
    nominate(at: now)
    while let index = nextToCheck(), pacer.take(at: now) { check(index, nominates: false, at: now) }
    let isOver = pairs.allSatisfy { $0.state == .failed || isIdle($0) }
    if isOver, nextRoundAt == nil, pairs.contains(where: { $0.state == .failed && !isIdle($0) }) {
      nextRoundAt = now + roundPause
    }
  }

  func retransmit(_ index: Int, at now: Instant) {
    guard let check = pairs[index].check, check.dueAt <= now else { return }
    if pairs[index].check?.send(at: now) == true {
      outputs.append(.transmit(check.bytes, pairs[index].path))
    } else {
      pairs[index].check = nil
      pairs[index].state = .failed
      thawFoundations()
    }
  }

  func keepConsent(at now: Instant) {
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

  func nominate(at now: Instant) {
    guard let nomination, nomination.at <= now else { return }
    check(nomination.index, nominates: true, at: now)
  }

  /// RFC 8445 §8.1.1: the controlling side asks for the best valid pair, at once when no better
  /// one can come any more, after some patience otherwise. A direct pair that becomes valid after a
  /// relayed one was nominated is nominated in its place.
  var nomination: (index: Int, at: Instant)? {
    guard isControlling, isSearching,
      !pairs.contains(where: { $0.check?.nominates == true && !isDoubted($0) }),
      let best = pairs.firstIndex(where: { $0.state == .succeeded && !isStale($0) }),
      isWanted(pairs[best])
    else { return nil }
    guard let since = firstValidAt, pairs[..<best].contains(where: { $0.state != .failed }) else {
      return (best, .zero)
    }
    return (best, since + (pairs[best].isRelayed ? Self.relayedPatience : Self.patience))
  }

  /// Whether this pair could be the one to nominate: any while there is none, a direct one while
  /// frames go over a relay.
  func isWanted(_ pair: CandidatePair) -> Bool {
    needsNomination || doubtedAt != nil || isOverRelay && !pair.isRelayed
  }

  var isSearching: Bool { needsNomination || isOverRelay || doubtedAt != nil }

  /// The nominated one, while it is checked: it stands in nobody's way.
  private func isDoubted(_ pair: CandidatePair) -> Bool {
    !needsNomination && doubtedAt != nil && pair.path == selected
  }

  /// In doubt, what worked before need not work now.
  private func isStale(_ pair: CandidatePair) -> Bool {
    guard !needsNomination, let doubtedAt else { return false }
    return pair.path == selected || pair.lastResponse.map { $0 < doubtedAt } ?? true
  }

  /// A relayed pair while another one is in use, or this: it is not checked again.
  private func isIdle(_ pair: CandidatePair) -> Bool {
    !needsNomination && doubtedAt == nil && isOverRelay && pair.isRelayed
  }

  /// Triggered checks first, then the best that waits; none once a direct path is nominated.
  func nextToCheck() -> Int? {
    while let path = triggered.first {
      if let index = pairs.firstIndex(where: { $0.path == path }), pairs[index].state == .waiting {
        return index
      }
      triggered.removeFirst()
    }
    guard isSearching else { return nil }
    if let index = nextWanted { return index }
    thawFoundations()
    return nextWanted
  }

  private var nextWanted: Int? { pairs.firstIndex { $0.state == .waiting && isWanted($0) } }

  func check(_ index: Int, nominates: Bool, at now: Instant) {
    let request = request(localPriority: pairs[index].localPriority, nominates: nominates)
    // One that was valid stays so while it is checked again: others of its foundation need not wait.
    if !nominates, pairs[index].state != .succeeded { pairs[index].state = .inProgress }
    pairs[index].checks += 1
    pairs[index].check = ConnectivityCheck(
      transactionID: request.transactionID, bytes: request.encoded, nominates: nominates, at: now)
    retransmit(index, at: now)
  }

  func priority(on path: DatagramPath) -> UInt32 {
    pairs.first { $0.path == path }?.localPriority ?? 0
  }

  /// RFC 8445 §7.1: PRIORITY is what a peer-reflexive candidate found by this check would have.
  func request(localPriority: UInt32, nominates: Bool) -> StunMessage {
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
}
