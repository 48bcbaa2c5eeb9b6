import Ciphers
import Rooms
import Units
import Wire

/// Who may ask a simulated relay: the long-term credentials of STUN (RFC 8489 §9.2), minted by whoever
/// shares the relay's secret.
extension TurnService {
  enum Admission {
    case admitted(User)
    case refused(StunMessage)
  }

  /// RFC 8489 §9.2.4.
  func admission(of received: StunMessage.Received, at now: Instant) -> Admission {
    let request = received.message
    guard let integrity = request.integrity else {
      return .refused(challenge(401, to: request, at: now))
    }
    let name = request.first { if case .username(let name) = $0 { name } else { nil } }
    let realm = request.first { if case .realm(let realm) = $0 { realm } else { nil } }
    let nonce = request.first { if case .nonce(let nonce) = $0 { nonce } else { nil } }
    guard let name, let realm, let nonce else { return .refused(error(400, to: request)) }
    guard realm == Self.realm, let user = user(named: name, at: now),
      ciphers.equal(integrity, ciphers.hmacSHA1(key: user.key, received.covered))
    else { return .refused(challenge(401, to: request, at: now)) }
    guard isFresh(nonce, at: now) else { return .refused(challenge(438, to: request, at: now)) }
    return .admitted(user)
  }

  /// Whoever has been given credentials whose time is not over; they follow from the name.
  private func user(named name: [UInt8], at now: Instant) -> User? {
    let parts = name.split(separator: UInt8(ascii: ":"), maxSplits: 1)
    guard parts.count == 2, parts[1].count <= 400,
      let expiry = Int64(String(decoding: parts[0], as: UTF8.self)),
      clock.unixSeconds(at: now) < expiry
    else { return nil }
    let credentials = TurnCredentials.minted(
      name: Array(parts[1]), expiry: expiry, secret: secret, ciphers: ciphers)
    guard credentials.username == name else { return nil }
    let colon = [UInt8(ascii: ":")]
    return User(
      name: Array(parts[1]),
      key: ciphers.md5(name + colon + Self.realm + colon + credentials.password))
  }

  // MARK: Nonces

  /// Says when it was made, and that it was made here.
  private func nonce(at now: Instant) -> [UInt8] {
    let time = Array(String(now.nanoseconds).utf8)
    return time + [UInt8(ascii: "-")]
      + Base64.encode(Array(ciphers.hmacSHA256(key: secret, time).prefix(9)))
  }

  private func isFresh(_ nonce: [UInt8], at now: Instant) -> Bool {
    guard
      let time = Int64(
        String(decoding: nonce.prefix { $0 != UInt8(ascii: "-") }, as: UTF8.self))
    else { return false }
    let madeAt = Instant(nanoseconds: time)
    return madeAt <= now && now - madeAt < behavior.nonceLifetime
      && nonce == self.nonce(at: madeAt)
  }

  // MARK: Answers

  func success(_ request: StunMessage, _ attributes: [StunAttribute]) -> StunMessage {
    StunMessage(
      .success, method: request.method, transactionID: request.transactionID,
      attributes: attributes)
  }

  func error(
    _ code: Int, to request: StunMessage, _ attributes: [StunAttribute] = []
  ) -> StunMessage {
    StunMessage(
      .error, method: request.method, transactionID: request.transactionID,
      attributes: [.errorCode(code, reason: [])] + attributes)
  }

  private func challenge(_ code: Int, to request: StunMessage, at now: Instant) -> StunMessage {
    error(code, to: request, [.realm(Self.realm), .nonce(nonce(at: now))])
  }

  func signed(_ answer: StunMessage, for user: User) -> StunMessage {
    answer.signed { ciphers.hmacSHA1(key: user.key, $0) }
  }
}
