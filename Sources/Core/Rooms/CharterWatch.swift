package import Ciphers
package import Units
package import Wire

/// The room's charter as this member keeps and enforces it: sealed charters that the server hands
/// out and other members repeat go in, objections to members come out.
package struct CharterWatch: Sendable {
  private let suite: any CipherSuite
  private let keys: RoomKeys
  /// Ours: whoever made the room signs with it.
  private let own: any IdentityKey
  /// Seconds since 1970 at an instant: read once, then carried on by the monotonic clock.
  private let epoch: (seconds: UInt64, at: Instant)
  private var standing = StandingCharter()
  /// The charter that holds, sealed, for members who have an older one.
  package private(set) var sealed: [UInt8]?

  package init(
    _ keys: RoomKeys, own: any IdentityKey, wallSeconds: UInt64, at now: Instant,
    with suite: any CipherSuite
  ) {
    self.keys = keys
    self.own = own
    self.suite = suite
    epoch = (wallSeconds, now)
  }

  package var charter: RoomCharter? { standing.current }

  /// Whether a sealed charter, from anyone, is the owner's word and newer than what held so far.
  package mutating func learn(_ offered: [UInt8]) -> Bool {
    guard offered.count <= RoomRecord.sealedLimit, offered != sealed,
      let charter = try? keys.opened(offered, with: suite), standing.adopt(charter)
    else { return false }
    sealed = offered
    return true
  }

  /// Why a member may not take part; `nil` if he may.
  package func objection(to peer: KeyFingerprint, at now: Instant) -> CharterObjection? {
    let owner = charter.flatMap { KeyFingerprint(bytes: suite.sha256($0.ownerKeyInfo)) }
    let passed = max(0, (now - epoch.at).nanoseconds) / 1_000_000_000
    return standing.objection(
      to: peer, owner: owner, flags: keys.room.flags, now: epoch.seconds + UInt64(passed))
  }

  /// Why we may not be here ourselves.
  package func ownObjection(at now: Instant) -> CharterObjection? {
    KeyFingerprint(bytes: suite.sha256(own.publicKeyInfo)).flatMap { objection(to: $0, at: now) }
  }

  /// The owner's word of now, where we are the owner: `sealed` and `record` are new then.
  package mutating func issue(_ decree: Decree) throws(DecreeRefusal) {
    guard let charter else { throw .noCharter }
    guard charter.ownerKeyInfo == own.publicKeyInfo else { throw .notOwner }
    if case .ban(let key) = decree, key.bytes == suite.sha256(own.publicKeyInfo) { throw .ownKey }
    let (version, isLast) = charter.version.addingReportingOverflow(1)
    guard !isLast else { throw .full }
    let policy = try charter.policy.changed(by: decree)
    let signed = keys.signedCharter(policy, version: version, nonce: charter.nonce, by: own)
    standing.adopt(signed)
    sealed = keys.sealed(signed, iv: suite.randomBytes(12), with: suite)
  }

  /// When the room has expired, by the clock that `init` was given; `nil` where it never does.
  package var endsAt: Instant? {
    guard let end = standing.end else { return nil }
    // Further than a process lives, and than an `Interval` can tell.
    guard end < epoch.seconds + 4_000_000_000 else { return nil }
    let left = Int64(clamping: end) - Int64(clamping: epoch.seconds)
    return epoch.at + .nanoseconds(max(0, left) * 1_000_000_000)
  }

  /// What the room is made from again where a server has lost it: the terms follow from the
  /// charter, so that nobody but the owner can have changed them.
  package var record: RoomRecord? {
    guard let sealed, let charter else { return nil }
    let policy = charter.policy
    return RoomRecord(
      terms: RoomTerms(
        owner: suite.sha256(charter.ownerKeyInfo), expiry: policy.expiry, size: policy.size,
        isLocked: policy.isLocked, allowed: policy.allowed),
      sealed: sealed)
  }
}
