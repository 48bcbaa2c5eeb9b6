import Ciphers
package import Units
package import Wire

/// Requests of the other side, and responses to our checks.
extension IceAgent {
  /// A binding request whose USERNAME starts with our fragment. False when it was not authentic,
  /// and so got no answer.
  package func handleRequest(
    _ received: StunMessage.Received, on path: DatagramPath, at now: Instant
  ) -> Bool {
    let request = received.message
    guard !barred.contains(path.remote), request.kind == .request,
      request.method == .binding, request.hasFingerprint,
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

  func remember(_ request: Early) {
    if let known = early.firstIndex(where: { $0.path == request.path }) {
      early[known].nominates = early[known].nominates || request.nominates
    } else if early.count < Self.earlyLimit {
      early.append(request)
    }
  }

  func answer(
    _ request: StunMessage, on path: DatagramPath, _ kind: StunMessage.Class,
    _ attributes: [StunAttribute]
  ) {
    let response = StunMessage(
      kind, transactionID: request.transactionID, attributes: attributes
    ).signed { ciphers.hmacSHA1(key: credentials.password, $0) }
    outputs.append(.transmit(response.encoded, path))
  }

  /// A source that no candidate named is a peer-reflexive candidate (RFC 8445 §7.3.1.3).
  func learn(_ path: DatagramPath, priority: UInt32) {
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
  func noteRequest(on path: DatagramPath, nominates: Bool, at now: Instant) {
    guard let index = pairs.firstIndex(where: { $0.path == path }) else { return }
    if nominates, !isControlling {
      for other in pairs.indices { pairs[other].isNominatedByPeer = other == index }
    }
    switch pairs[index].state {
    case .succeeded:
      if nominates, !isControlling { select(path, at: now) }
      // A nomination, perhaps in doubt: what comes in now says that it may get through.
      pairs[index].check?.hasten(at: now)
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
    pairs[index].roundTrip = pairs[index].check.map { now - $0.beganAt }
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

  func succeed(_ index: Int, nominated: Bool, at now: Instant) {
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
      doubtedAt = nil
      // A doubtful path has answered after all. The controlling side nominates it once more, as
      // the other may see it under a new address.
      if !isControlling { needsNomination = false }
    }
  }

  func select(_ path: DatagramPath, at now: Instant) {
    needsNomination = false
    doubtedAt = nil
    triggered = []
    // One that was nominated beside it would take its place.
    for other in pairs.indices where pairs[other].check?.nominates == true {
      pairs[other].check = nil
    }
    guard path != selected else { return }
    selected = path
    consent = ConsentFreshness(at: now, ciphers: ciphers)
  }

  func changeRole(toControlling controlling: Bool) {
    isControlling = controlling
    sortPairs()
  }
}
