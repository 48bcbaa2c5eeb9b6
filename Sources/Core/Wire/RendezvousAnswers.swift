/// Someone in a room, as the server sees him.
///
///     sid 16 | PeerID 32
package struct RoomMember: WireMessage, Hashable {
  package var session: SessionID
  /// SHA-256 of the identity key's SubjectPublicKeyInfo, from the certificate of his connection.
  /// The server's word only: the link's IDENTITY proves it.
  package var peerID: [UInt8]

  package init(session: SessionID, peerID: [UInt8]) {
    self.session = session
    self.peerID = peerID
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    session = try SessionID(from: &reader)
    peerID = try reader.bytes(32)
  }

  package func write(to writer: inout ByteWriter) {
    precondition(peerID.count == 32, "a PeerID")
    session.write(to: &writer)
    writer.append(peerID)
  }
}

/// The room that one has entered: its record, and the members that are there already.
///
///     created u8 | record | count u8 × member
package struct RoomSnapshot: WireMessage, Hashable {
  /// The room did not live before.
  package var isNew: Bool
  package var record: RoomRecord
  /// Without the one who is told; at most `memberLimit`, in the order of their coming.
  package var members: [RoomMember]

  package static let memberLimit = 64

  package init(isNew: Bool, record: RoomRecord, members: [RoomMember]) {
    self.isNew = isNew
    self.record = record
    self.members = members
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    let created = try reader.u8()
    guard created <= 1 else { throw .invalid(field: "created", found: UInt64(created)) }
    isNew = created == 1
    record = try RoomRecord(from: &reader)
    let count = Int(try reader.u8())
    guard count <= Self.memberLimit else {
      throw .tooLong(field: "members", found: count, limit: Self.memberLimit)
    }
    members = []
    for _ in 0..<count { members.append(try RoomMember(from: &reader)) }
  }

  package func write(to writer: inout ByteWriter) {
    precondition(members.count <= Self.memberLimit, "the server keeps to the limit")
    writer.u8(isNew ? 1 : 0)
    record.write(to: &writer)
    writer.u8(UInt8(members.count))
    for member in members { member.write(to: &writer) }
  }
}

/// Come back later: milliseconds, u32.
package struct RetryLater: WireMessage, Hashable {
  package var milliseconds: UInt32

  package init(milliseconds: UInt32) { self.milliseconds = milliseconds }

  package init(from reader: inout ByteReader) throws(WireError) { milliseconds = try reader.u32() }

  package func write(to writer: inout ByteWriter) { writer.u32(milliseconds) }
}
