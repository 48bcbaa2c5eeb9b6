/// What a server is told about a room in clear, and obeys.
///
///     owner PeerID 32 | expiry u64 | size u16 | locked u8 | allowed u8 × PeerID 32
package struct RoomTerms: WireMessage, Hashable {
  /// PeerID (32 bytes) of the only one who may change terms and record.
  package var owner: [UInt8]
  /// Seconds since 1970; 0 is never.
  package var expiry: UInt64
  /// The most members; 0 leaves it to the server.
  package var size: UInt16
  /// Then only the owner and `allowed` may enter.
  package var isLocked: Bool
  /// PeerIDs, at most `allowedLimit`.
  package var allowed: [[UInt8]]

  package static let allowedLimit = 64

  package init(
    owner: [UInt8], expiry: UInt64 = 0, size: UInt16 = 0, isLocked: Bool = false,
    allowed: [[UInt8]] = []
  ) {
    self.owner = owner
    self.expiry = expiry
    self.size = size
    self.isLocked = isLocked
    self.allowed = allowed
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    owner = try reader.bytes(32)
    expiry = try reader.u64()
    size = try reader.u16()
    let locked = try reader.u8()
    guard locked <= 1 else { throw .invalid(field: "locked", found: UInt64(locked)) }
    isLocked = locked == 1
    let count = Int(try reader.u8())
    guard count <= Self.allowedLimit else {
      throw .tooLong(field: "allowed", found: count, limit: Self.allowedLimit)
    }
    allowed = []
    for _ in 0..<count { allowed.append(try reader.bytes(32)) }
  }

  package func write(to writer: inout ByteWriter) {
    precondition(owner.count == 32 && allowed.allSatisfy { $0.count == 32 }, "PeerIDs")
    precondition(allowed.count <= Self.allowedLimit, "owners keep to the limit")
    writer.append(owner)
    writer.u64(expiry)
    writer.u16(size)
    writer.u8(isLocked ? 1 : 0)
    writer.u8(UInt8(allowed.count))
    for peer in allowed { writer.append(peer) }
  }
}

/// What the server keeps of a room: its terms in clear, and its charter (`RoomCharter`), sealed, which
/// the server cannot read.
///
///     terms | sealed charter: field
package struct RoomRecord: WireMessage, Hashable {
  package var terms: RoomTerms
  /// The charter: AES-256-GCM under K_room, nonce first; at most `sealedLimit` bytes.
  package var sealed: [UInt8]

  package static let sealedLimit = 4_096

  package init(terms: RoomTerms, sealed: [UInt8]) {
    self.terms = terms
    self.sealed = sealed
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    terms = try RoomTerms(from: &reader)
    sealed = try reader.field("sealed charter", limit: Self.sealedLimit)
  }

  package func write(to writer: inout ByteWriter) {
    terms.write(to: &writer)
    writer.field(sealed)
  }
}

/// The right to enter a room: the admission key that the room's address commits to, and its
/// signature over this very connection.
///
///     rid 16 | sid 16 | admission key 32 | signature 64
package struct Admission: WireMessage, Hashable {
  /// The room's address at the server: SHA-256 of the admission key, cut to 16 bytes.
  package var rid: [UInt8]
  package var session: SessionID
  /// Ed25519 public key.
  package var key: [UInt8]
  package var signature: [UInt8]

  package init(rid: [UInt8], session: SessionID, key: [UInt8], signature: [UInt8]) {
    self.rid = rid
    self.session = session
    self.key = key
    self.signature = signature
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    rid = try reader.bytes(16)
    session = try SessionID(from: &reader)
    key = try reader.bytes(32)
    signature = try reader.bytes(64)
  }

  package func write(to writer: inout ByteWriter) {
    precondition(rid.count == 16 && key.count == 32 && signature.count == 64, "fixed sizes")
    writer.append(rid)
    session.write(to: &writer)
    writer.append(key)
    writer.append(signature)
  }
}

/// Opens a room, or enters it if it lives already: admission, then `RoomRecord`.
package struct CreateRoom: WireMessage, Hashable {
  package var admission: Admission
  package var record: RoomRecord

  package init(admission: Admission, record: RoomRecord) {
    self.admission = admission
    self.record = record
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    admission = try Admission(from: &reader)
    record = try RoomRecord(from: &reader)
  }

  package func write(to writer: inout ByteWriter) {
    admission.write(to: &writer)
    record.write(to: &writer)
  }
}

/// Enters a room: an admission, nothing else.
package struct JoinRoom: WireMessage, Hashable {
  package var admission: Admission

  package init(admission: Admission) { self.admission = admission }

  package init(from reader: inout ByteReader) throws(WireError) {
    admission = try Admission(from: &reader)
  }

  package func write(to writer: inout ByteWriter) { admission.write(to: &writer) }
}

/// A sealed box on its way: to the server with its addressee, from the server with its sender.
///
///     sid 16 | sealed: field
package struct SealedBox: WireMessage, Hashable {
  package var session: SessionID
  /// At most `sealedLimit` bytes.
  package var sealed: [UInt8]

  package static let sealedLimit = 4_096

  package init(session: SessionID, sealed: [UInt8]) {
    self.session = session
    self.sealed = sealed
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    session = try SessionID(from: &reader)
    sealed = try reader.field("box", limit: Self.sealedLimit)
  }

  package func write(to writer: inout ByteWriter) {
    session.write(to: &writer)
    writer.field(sealed)
  }
}

/// Asks for a sign of life: any eight bytes, sent back as they came.
package struct RendezvousPing: WireMessage, Hashable {
  package var token: UInt64

  package init(token: UInt64) { self.token = token }

  package init(from reader: inout ByteReader) throws(WireError) { token = try reader.u64() }

  package func write(to writer: inout ByteWriter) { writer.u64(token) }
}
