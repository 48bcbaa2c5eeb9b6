package import Ciphers
import Units

/// What lets two sessions check connectivity between them: fresh for each pair of sessions and
/// each generation.
package struct IceCredentials: Hashable, Sendable {
  /// ICE characters.
  package var userFragment: [UInt8]
  package var password: [UInt8]

  package init(userFragment: [UInt8], password: [UInt8]) {
    self.userFragment = userFragment
    self.password = password
  }

  /// 48 random bits to be found by, and a password of 144 (RFC 8445 §5.3 asks for 24 and 128).
  package init(from ciphers: any CipherSuite) {
    let characters = ciphers.randomBytes(32).map { Base64.digits[Int($0 & 63)] }
    userFragment = Array(characters[..<8])
    password = Array(characters[8...])
  }
}
