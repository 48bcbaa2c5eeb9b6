/// What a room's owner decrees.
///
///     flags u8 (1 locked, 2 lobby) | expiry u64 | size u16 | epoch u32
///     | allowed u8 × PeerID 32 | banned u8 × PeerID 32
package struct RoomPolicy: WireMessage, Hashable {
  /// Then only the owner and `allowed` may enter.
  package var isLocked: Bool
  /// Then only holders of an owner's ticket may enter.
  package var hasLobby: Bool
  /// Seconds since 1970; 0 is never.
  package var expiry: UInt64
  /// The most members; 0 leaves it to the server.
  package var size: UInt16
  /// Rises when tickets are to lose their validity.
  package var epoch: UInt32
  /// PeerIDs (32 bytes), at most `allowedLimit`.
  package var allowed: [[UInt8]]
  /// PeerIDs (32 bytes), at most `bannedLimit`.
  package var banned: [[UInt8]]

  package static let allowedLimit = 64
  package static let bannedLimit = 32

  package init(
    isLocked: Bool = false, hasLobby: Bool = false, expiry: UInt64 = 0, size: UInt16 = 0,
    epoch: UInt32 = 0, allowed: [[UInt8]] = [], banned: [[UInt8]] = []
  ) {
    self.isLocked = isLocked
    self.hasLobby = hasLobby
    self.expiry = expiry
    self.size = size
    self.epoch = epoch
    self.allowed = allowed
    self.banned = banned
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    let flags = try reader.u8()
    guard flags <= 3 else { throw .invalid(field: "policy flags", found: UInt64(flags)) }
    isLocked = flags & 1 != 0
    hasLobby = flags & 2 != 0
    expiry = try reader.u64()
    size = try reader.u16()
    epoch = try reader.u32()
    allowed = try reader.peerIDs("allowed", limit: Self.allowedLimit)
    banned = try reader.peerIDs("banned", limit: Self.bannedLimit)
  }

  package func write(to writer: inout ByteWriter) {
    precondition(allowed.count <= Self.allowedLimit && banned.count <= Self.bannedLimit)
    precondition((allowed + banned).allSatisfy { $0.count == 32 }, "PeerIDs")
    writer.u8((isLocked ? 1 : 0) | (hasLobby ? 2 : 0))
    writer.u64(expiry)
    writer.u16(size)
    writer.u32(epoch)
    writer.u8(UInt8(allowed.count))
    for peer in allowed { writer.append(peer) }
    writer.u8(UInt8(banned.count))
    for peer in banned { writer.append(peer) }
  }
}

/// What members believe about their room: its policy under the signature of the owner, and what
/// proves that the room id names this owner. It travels sealed for members only; the `RoomRecord`
/// that a server keeps is its envelope, with terms that the server can read.
///
///     owner SPKI field | r 32 | policy | version u32 | signature field
package struct RoomCharter: WireMessage, Hashable {
  /// DER SubjectPublicKeyInfo, at most 256 bytes.
  package var ownerKeyInfo: [UInt8]
  /// r, 32 bytes.
  package var nonce: [UInt8]
  package var policy: RoomPolicy
  /// Of two charters the higher version holds.
  package var version: UInt32
  /// ECDSA by the owner's key, DER, at most 256 bytes.
  package var signature: [UInt8]

  package init(
    ownerKeyInfo: [UInt8], nonce: [UInt8], policy: RoomPolicy, version: UInt32,
    signature: [UInt8] = []
  ) {
    self.ownerKeyInfo = ownerKeyInfo
    self.nonce = nonce
    self.policy = policy
    self.version = version
    self.signature = signature
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    ownerKeyInfo = try reader.field("owner key", limit: 256)
    nonce = try reader.bytes(32)
    policy = try RoomPolicy(from: &reader)
    version = try reader.u32()
    signature = try reader.field("signature", limit: 256)
  }

  package func write(to writer: inout ByteWriter) {
    writer.append(unsigned)
    writer.field(signature)
  }

  /// All but the signature: what it is over.
  package var unsigned: [UInt8] {
    precondition(nonce.count == 32, "r is 32 bytes")
    var writer = ByteWriter()
    writer.field(ownerKeyInfo)
    writer.append(nonce)
    policy.write(to: &writer)
    writer.u32(version)
    return writer.bytes
  }
}

extension ByteReader {
  fileprivate mutating func peerIDs(
    _ name: StaticStringName, limit: Int
  ) throws(WireError) -> [[UInt8]] {
    let count = Int(try u8())
    guard count <= limit else { throw .tooLong(field: name, found: count, limit: limit) }
    var peers: [[UInt8]] = []
    for _ in 0..<count { peers.append(try bytes(32)) }
    return peers
  }
}
