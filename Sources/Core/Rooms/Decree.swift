package import Wire

/// What a room's owner changes about it while the room lives (docs/protocol.md, "The room's charter").
package enum Decree: Hashable, Sendable {
  /// From now on nobody enters but the owner and these.
  case lock(present: [KeyFingerprint])
  case unlock
  /// This one goes, and does not come back.
  case ban(KeyFingerprint)
}

package enum DecreeRefusal: Error, Hashable, Sendable {
  /// The server has not told the charter yet.
  case noCharter
  case notOwner
  /// An owner can't ban himself.
  case ownKey
  /// A charter bans `RoomPolicy.bannedLimit` people, and a lock lets in `RoomPolicy.allowedLimit`.
  case full
}

extension RoomPolicy {
  package func changed(by decree: Decree) throws(DecreeRefusal) -> RoomPolicy {
    var policy = self
    switch decree {
    case .lock(let present):
      policy.isLocked = true
      policy.allowed = []
      for key in present where !policy.allowed.contains(key.bytes) && !banned.contains(key.bytes) {
        policy.allowed.append(key.bytes)
      }
    case .unlock:
      policy.isLocked = false
      policy.allowed = []
    case .ban(let key):
      policy.allowed.removeAll { $0 == key.bytes }
      if !banned.contains(key.bytes) { policy.banned.append(key.bytes) }
    }
    guard policy.allowed.count <= Self.allowedLimit, policy.banned.count <= Self.bannedLimit
    else { throw .full }
    return policy
  }
}
