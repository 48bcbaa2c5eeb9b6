package import Ciphers
package import Wire

/// Why a sealed charter was not believed.
package enum CharterRefusal: Error, Hashable, Sendable {
  /// Not sealed with this room's key, or altered.
  case forged
  case malformed(WireError)
  /// The room id does not name this owner.
  case foreignOwner
  case badSignature
}

extension RoomKeys {
  /// Signed by the room's owner.
  package func signedCharter(
    _ policy: RoomPolicy, version: UInt32, nonce: [UInt8], by owner: some IdentityKey
  ) -> RoomCharter {
    var charter = RoomCharter(
      ownerKeyInfo: owner.publicKeyInfo, nonce: nonce, policy: policy, version: version)
    charter.signature = owner.signature(of: statement(of: charter))
    return charter
  }

  /// `iv`, 12 bytes, must be random and new. The result is what the server stores.
  package func sealed(
    _ charter: RoomCharter, iv: [UInt8], with suite: some CipherSuite
  ) -> [UInt8] {
    iv
      + suite.seal(
        charter.encoded, key: self.charter, nonce: iv, associatedData: charterAssociatedData)
  }

  /// The charter, once it is certain that the room's owner wrote it.
  package func opened(
    _ sealed: [UInt8], with suite: some CipherSuite
  ) throws(CharterRefusal) -> RoomCharter {
    guard sealed.count >= 12 + 16,
      let content = suite.open(
        Array(sealed[12...]), key: self.charter, nonce: Array(sealed[..<12]),
        associatedData: charterAssociatedData)
    else { throw .forged }
    let charter: RoomCharter
    do { charter = try RoomCharter(decoding: content) } catch { throw .malformed(error) }
    guard room.isOwned(by: charter.ownerKeyInfo, nonce: charter.nonce, with: suite) else {
      throw .foreignOwner
    }
    guard
      suite.verifyIdentity(
        charter.signature, of: statement(of: charter), publicKeyInfo: charter.ownerKeyInfo)
    else { throw .badSignature }
    return charter
  }

  /// "policy" | rid | all of it: what the owner signs.
  package func statement(of charter: RoomCharter) -> [UInt8] {
    joinedFields(protocolLabel("policy"), rid, charter.unsigned)
  }

  private var charterAssociatedData: [UInt8] { joinedFields([1], rid) }
}

/// The room's charter as far as this member knows: of those that the owner signed, the newest.
package struct StandingCharter: Sendable {
  package private(set) var current: RoomCharter?

  package init() {}

  /// Whether `charter`, which `RoomKeys.opened` has believed, is news and now holds.
  @discardableResult
  package mutating func adopt(_ charter: RoomCharter) -> Bool {
    if let current, charter.version <= current.version { return false }
    current = charter
    return true
  }

  /// Why a member may not take part; `nil` if he may. `now` is in seconds since 1970.
  package func objection(
    to peer: KeyFingerprint, owner: KeyFingerprint?, flags: RoomFlags, now: UInt64
  ) -> CharterObjection? {
    guard let policy = current?.policy else {
      return flags.contains(.lobby) ? .noCharter : nil
    }
    if policy.banned.contains(peer.bytes) { return .banned }
    if isExpired(at: now) { return .expired }
    if policy.isLocked, peer != owner, !policy.allowed.contains(peer.bytes) { return .locked }
    return nil
  }

  /// With five minutes' grace for clocks that differ.
  package func isExpired(at now: UInt64) -> Bool { end.map { now >= $0 } ?? false }

  /// The first second, since 1970, in which nobody may be here any more; `nil` where none is set.
  package var end: UInt64? {
    guard let expiry = current?.policy.expiry, expiry != 0 else { return nil }
    let (end, isBeyondTime) = expiry.addingReportingOverflow(301)
    return isBeyondTime ? nil : end
  }
}

package enum CharterObjection: Hashable, Sendable {
  /// A room with a lobby admits nobody before its owner's word is known.
  case noCharter
  case banned
  case expired
  case locked
}
