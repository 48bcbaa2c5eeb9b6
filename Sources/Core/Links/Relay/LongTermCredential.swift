import Ciphers
import Units
import Wire

/// A user name and password as a relay asks for them (RFC 8489 §9.2): what requests are signed with
/// and answers are checked by. Both are ASCII here, so that OpaqueString (RFC 8265) changes nothing.
struct LongTermCredential: Sendable {
  private let credentials: TurnCredentials
  private let ciphers: any CipherSuite
  private var challenge: Challenge?

  /// What the server's last 401 or 438 told.
  private struct Challenge: Sendable {
    let realm: [UInt8]
    let nonce: [UInt8]
    /// Repeated to the server, so that it sees what somebody between may have taken out; `nil` where
    /// the server named none: MD5 and HMAC-SHA1 then.
    let offered: [StunPasswordAlgorithm]?
    /// Of `offered`, the first that is known.
    let algorithm: StunPasswordAlgorithm
    /// The nonce says that the server wants a hash in place of the name.
    let hidesName: Bool
    let key: [UInt8]

    /// RFC 8489 §9.2.5: whoever names algorithms gets the longer HMAC, whatever the key's is.
    var hash: StunMessage.IntegrityHash { offered == nil ? .sha1 : .sha256 }
  }

  init(_ credentials: TurnCredentials, ciphers: any CipherSuite) {
    self.credentials = credentials
    self.ciphers = ciphers
  }

  /// Takes up what a 401 or 438 asks for (RFC 8489 §9.2.5).
  mutating func take(_ error: StunMessage) throws(TurnFailure) {
    var (realm, nonce): ([UInt8]?, [UInt8]?)
    var offered: [StunPasswordAlgorithm]?
    for attribute in error.attributes {
      switch attribute {
      case .realm(let value): realm = realm ?? value
      case .nonce(let value): nonce = nonce ?? value
      case .passwordAlgorithms(let list): offered = offered ?? list
      default: break
      }
    }
    guard let realm else { throw .challenge(.withoutRealm) }
    guard let nonce else { throw .challenge(.withoutNonce) }
    let features = Self.features(of: nonce)
    // The nonce says that there are some: somebody between took them out, to get the weaker ones.
    if features & 1 != 0 || challenge?.offered != nil, offered == nil {
      throw .challenge(.weakened)
    }
    guard let algorithm = (offered ?? [.md5]).first(where: { $0 == .sha256 || $0 == .md5 }) else {
      throw .challenge(.unknownAlgorithms)
    }
    let text = Self.joined(credentials.username, realm, credentials.password)
    challenge = Challenge(
      realm: realm, nonce: nonce, offered: offered, algorithm: algorithm,
      hidesName: features & 2 != 0,
      key: algorithm == .sha256 ? ciphers.sha256(text) : ciphers.md5(text))
  }

  /// Whether requests can be signed.
  var isChallenged: Bool { challenge != nil }

  /// `message` with the attributes of a request that the server has asked to be signed.
  func signed(_ message: StunMessage) -> StunMessage {
    guard let challenge else { return message }
    var message = message
    message.attributes += [
      challenge.hidesName
        ? .userHash(ciphers.sha256(Self.joined(credentials.username, challenge.realm)))
        : .username(credentials.username),
      .realm(challenge.realm), .nonce(challenge.nonce),
    ]
    if let offered = challenge.offered {
      message.attributes += [
        .passwordAlgorithms(offered), .passwordAlgorithm(challenge.algorithm),
      ]
    }
    return message.signed(by: challenge.hash) { code($0, by: challenge) }
  }

  /// Whether who holds the same password has signed it, in the way of our requests.
  func isAuthentic(_ received: StunMessage.Received) -> Bool {
    guard let challenge, let integrity = received.message.integrity else { return false }
    return ciphers.equal(integrity, code(received.covered, by: challenge))
  }

  private func code(_ bytes: [UInt8], by challenge: Challenge) -> [UInt8] {
    switch challenge.hash {
    case .sha1: ciphers.hmacSHA1(key: challenge.key, bytes)
    case .sha256: ciphers.hmacSHA256(key: challenge.key, bytes)
    }
  }

  private static func joined(_ parts: [UInt8]...) -> [UInt8] {
    Array(parts.joined(separator: [UInt8(ascii: ":")]))
  }

  /// The 24 bits behind a nonce's cookie, in base64 (RFC 8489 §9.2); 0 where there is none. Bit 0,
  /// password algorithms, is the lowest (erratum 6290), bit 1 hides names.
  private static func features(of nonce: [UInt8]) -> UInt32 {
    guard nonce.starts(with: cookie), nonce.count >= cookie.count + 4 else { return 0 }
    return nonce[cookie.count..<cookie.count + 4].reduce(0) { bits, character in
      bits << 6 | UInt32(Base64.digits.firstIndex(of: character) ?? 0)
    }
  }

  private static let cookie = Array("obMatJos2".utf8)
}
