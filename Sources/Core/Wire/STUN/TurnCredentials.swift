/// What a relay lets someone in by: a user name and a password, for a while.
package struct TurnCredentials: Hashable, Sendable {
  /// 1…508 bytes (RFC 8489 §14.3).
  package let username: [UInt8]
  /// 1…508 bytes.
  package let password: [UInt8]

  package static let limit = 508

  /// `nil` when one of them is empty or too long.
  package init?(username: [UInt8], password: [UInt8]) {
    guard (1...Self.limit).contains(username.count), (1...Self.limit).contains(password.count)
    else { return nil }
    self.username = username
    self.password = password
  }
}
