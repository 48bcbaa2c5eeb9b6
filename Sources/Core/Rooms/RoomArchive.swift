package import Wire

/// A room as it survives a restart of the server.
package struct StoredRoom: Hashable, Sendable {
  /// 16 bytes.
  package var rid: [UInt8]
  package var record: RoomRecord

  package init(rid: [UInt8], record: RoomRecord) {
    self.rid = rid
    self.record = record
  }
}

/// Where a server keeps its rooms. What cannot be kept is reported and does no harm: rooms are
/// soft state, their members make them again.
package protocol RoomArchive: Sendable {
  /// All rooms that are still whole.
  func load() -> [StoredRoom]
  /// Adds or replaces.
  func store(_ room: StoredRoom)
  func forget(rid: [UInt8])
}
