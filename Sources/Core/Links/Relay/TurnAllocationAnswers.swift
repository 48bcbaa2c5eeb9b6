import Units
import Wire

/// What the server says, and what is done when it says nothing.
extension TurnAllocation {
  mutating func receive(_ bytes: [UInt8], at now: Instant) {
    if case .over = phase { return }
    guard carrier == .stream else { return receiveMessage(bytes, at: now) }
    splitter.push(bytes)
    do throws(WireError) {
      while let message = try splitter.next() {
        receiveMessage(message, at: now)
        if case .over = phase { return }
      }
    } catch {
      end(.failed(.stream(error)))
    }
  }

  private mutating func receiveMessage(_ bytes: [UInt8], at now: Instant) {
    if ChannelData.isChannelData(bytes), let message = try? ChannelData(datagram: bytes) {
      return receive(message)
    }
    guard StunMessage.isStun(bytes), let received = try? StunMessage.Received(bytes),
      // RFC 8489 §6.3.2 and §6.3.3: what must be understood and isn't spoils the whole.
      received.message.attributes.allSatisfy({ $0.isUnknownAndRequired == nil })
    else {
      counters.foreign += 1
      return
    }
    switch received.message.kind {
    case .indication where received.message.method == .data: receiveData(received.message)
    case .success, .error: receiveAnswer(received, at: now)
    case .request, .indication: counters.foreign += 1
    }
  }

  // MARK: Answers

  private mutating func receiveAnswer(_ received: StunMessage.Received, at now: Instant) {
    let message = received.message
    guard
      let index = transactions.firstIndex(where: {
        $0.transactionID == message.transactionID && $0.purpose.method == message.method
      })
    else {
      counters.foreign += 1
      return
    }
    let transaction = transactions[index]
    let isAuthentic = credential.isAuthentic(received)
    guard message.kind == .error else {
      // An unsigned Allocate is only there to be refused with a challenge.
      guard isAuthentic else { return ignore(index) }
      transactions.remove(at: index)
      return succeed(transaction, message, at: now)
    }
    let code = message.attributes.lazy.compactMap {
      if case .errorCode(let code, _) = $0 { code } else { nil }
    }.first
    guard let code else { return ignore(index) }
    // RFC 8489 §9.2.4: a server can sign all refusals of a signed request but these two.
    let needsNoSignature =
      !transaction.isSigned || message.integrity == nil && (code == 401 || code == 438)
    guard isAuthentic || needsNoSignature else { return ignore(index) }
    transactions.remove(at: index)
    let asksForSignature = code == 401 && !transaction.isSigned
    let hasNewNonce = code == 438 && transaction.isSigned && !transaction.isSecondTry
    guard asksForSignature || hasNewNonce else {
      return refuse(transaction, code: code, by: message, at: now)
    }
    do throws(TurnFailure) {
      try credential.take(message)
      begin(transaction.purpose, isSecondTry: hasNewNonce, at: now)
    } catch {
      fail(transaction.purpose, error, at: now)
    }
  }

  private mutating func ignore(_ index: Int) {
    transactions[index].hadUnauthentic = true
    counters.unauthentic += 1
  }

  private mutating func succeed(
    _ transaction: TurnTransaction, _ message: StunMessage, at now: Instant
  ) {
    switch transaction.purpose {
    case .allocate, .refresh(ending: false):
      do throws(TurnFailure) {
        try adopt(message, answering: transaction.purpose, at: now)
      } catch {
        fail(transaction.purpose, error, at: now)
      }
    case .refresh(ending: true): end(.closed)
    case .permission(let ip):
      guard let index = permissions.firstIndex(where: { $0.ip == ip }) else { return }
      permissions[index].lease.grant(for: TurnPermission.lifetime, at: now)
    case .channel(let number):
      guard let index = channels.firstIndex(where: { $0.number == number }) else { return }
      channels[index].lease.grant(for: TurnChannel.lifetime, at: now)
    }
  }

  /// What Allocate and Refresh bring (RFC 8656 §7.3, §8.3).
  private mutating func adopt(
    _ message: StunMessage, answering purpose: TurnTransaction.Purpose, at now: Instant
  ) throws(TurnFailure) {
    var relayed: [SocketAddress] = []
    var mapped: SocketAddress?
    var lifetime: UInt32?
    for attribute in message.attributes {
      switch attribute {
      case .xorRelayedAddress(let address): relayed.append(address)
      case .xorMappedAddress(let address): mapped = mapped ?? address
      case .lifetime(let seconds): lifetime = lifetime ?? seconds
      default: break
      }
    }
    guard let lifetime else { throw .answer(purpose.request, .withoutLifetime) }
    guard lifetime >= Self.leastLifetime else {
      throw .answer(purpose.request, .shortLifetime(lifetime))
    }
    if purpose == .allocate {
      guard let first = relayed.first else { throw .answer(.allocate, .withoutRelayedAddress) }
      // coturn that had no address of IPv4 to give before, on this carrier, names 0.0.0.0:0 first.
      guard let relayed = relayed.first(where: isUsable) else {
        throw .answer(.allocate, .unusableAddress(first))
      }
      self.relayed = relayed
      allocatedAt = now
      phase = .allocated
      outputs.append(.allocated(relayed: relayed, mapped: mapped))
    }
    let granted = Interval.seconds(Double(min(lifetime, Self.longestLifetime)))
    expiresAt = now + granted
    refreshAt = max(expiresAt - Self.refreshMargin, now + granted / 2)
    refreshFailure = nil
  }

  /// Of the family that was asked for, and one that somebody can send to.
  private func isUsable(_ relayed: SocketAddress) -> Bool {
    StunFamily(relayed.ip) == family && relayed.port != 0 && !relayed.ip.isUnspecified
      && !relayed.ip.isMulticast
  }

  // MARK: Refusals

  private mutating func refuse(
    _ transaction: TurnTransaction, code: Int, by message: StunMessage, at now: Instant
  ) {
    let alternate = message.attributes.lazy.compactMap {
      if case .alternateServer(let address) = $0 { address } else { nil }
    }.first
    let request = transaction.purpose.request
    let failure: TurnFailure =
      switch code {
      case 300: alternate.map(TurnFailure.otherServer) ?? .refused(request, code: code)
      case 401: .credentialRefused
      case 437: .addressInUse
      case 486: .quotaReached
      default: .refused(request, code: code)
      }
    switch transaction.purpose {
    case .refresh(ending: false) where code == 437: reallocate(at: now)
    case .permission where code == 437: reallocate(at: now)
    case .channel where code == 437: reallocate(at: now)
    // Neither of the two is about the peer, nor need it be signed.
    case .permission(let ip) where code != 401 && code != 438:
      guard let index = permissions.firstIndex(where: { $0.ip == ip }) else { return }
      permissions[index].lease.refuse(pausing: Self.refusalPause, at: now)
      outputs.append(.refused(ip, code: code))
    case .allocate, .refresh, .permission, .channel: fail(transaction.purpose, failure, at: now)
    }
  }

  /// The server knows nothing of the allocation: it has begun anew, or sees us under another
  /// address. Under that it has none of ours.
  private mutating func reallocate(at now: Instant) {
    guard allocatedAt + Self.reallocationPause <= now else { return end(.failed(.lostAgain)) }
    forgetAll()
    phase = .asking
    begin(.allocate, at: now)
  }

  mutating func giveUp(_ transaction: TurnTransaction, at now: Instant) {
    let request = transaction.purpose.request
    fail(
      transaction.purpose,
      transaction.hadUnauthentic ? .unauthenticAnswers(request) : .noAnswer(request), at: now)
  }

  private mutating func fail(
    _ purpose: TurnTransaction.Purpose, _ failure: TurnFailure, at now: Instant
  ) {
    switch purpose {
    case .allocate: end(.failed(failure))
    case .refresh(ending: true): end(.closed)
    case .refresh(ending: false):
      // There is time left to ask again.
      refreshFailure = failure
      refreshAt = now + Self.refreshPause
    case .permission(let ip):
      guard let index = permissions.firstIndex(where: { $0.ip == ip }) else { return }
      permissions[index].lease.fail(pausing: Self.silencePause, at: now)
    case .channel(let number):
      guard let index = channels.firstIndex(where: { $0.number == number }) else { return }
      channels[index].lease.fail(pausing: Self.refusalPause, at: now)
    }
  }
}
