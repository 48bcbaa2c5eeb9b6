import CLinux
import CSQLite
package import Rooms
import Synchronization
import Wire

/// A rendezvous server's rooms in one SQLite file.
///
/// Rows carry checksums: one that does not fit, or does not decode, is dropped and reported. A
/// damaged file is set aside under another name and a fresh one begun. What cannot be written is
/// reported and lives in memory only: rooms are soft state.
package final class RoomStore: RoomArchive {
  private let path: String
  /// Sentences for the log: no secret, no address, no room's name.
  private let report: @Sendable (String) -> Void
  private let database: Mutex<Database?>

  /// Throws when another server has the file, or when no file can be had there at all.
  package init(
    _ path: String, report: @escaping @Sendable (String) -> Void
  ) throws(FileProblem) {
    self.path = path
    self.report = report
    var opened = try Self.open(path)
    if opened == nil {
      report(Self.setAside(path))
      opened = try Self.open(path)
    }
    guard let opened else {
      throw FileProblem("cannot keep rooms in \(path); remove that file or choose another --state")
    }
    database = Mutex(opened)
  }

  /// `nil` when the file is damaged.
  private static func open(_ path: String) throws(FileProblem) -> sending Database? {
    do throws(Database.Failure) {
      let database = try Database(path)
      // Exclusive: a second server on the same state is refused. The write-ahead log survives
      // kill -9 without waiting for the disk at each room.
      try database.run(
        """
        PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
        PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;
        PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304;
        CREATE TABLE IF NOT EXISTS rooms
          (rid BLOB NOT NULL PRIMARY KEY, record BLOB NOT NULL, checksum BLOB NOT NULL)
          WITHOUT ROWID;
        PRAGMA user_version = 1;
        """)
      _ = chmod(path, 0o600)
      guard try database.answer("PRAGMA quick_check(1)") == "ok" else { return nil }
      // A table of another shape is damage as well.
      try database.rows("SELECT rid, record, checksum FROM rooms LIMIT 0") { _ in }
      return database
    } catch {
      if error.isBusy {
        throw FileProblem(
          "another server keeps its rooms in \(path); end it or give this one its own --state")
      }
      // A flipped bit in the schema is a plain error, since the text above is fixed, and one in
      // the header makes the database read-only, or of a format to come.
      let mayWrite = access(path, W_OK) == 0
      if error.isDamage
        || (mayWrite && [SQLITE_ERROR, SQLITE_READONLY].contains(error.code & 0xFF))
      {
        return nil
      }
      throw FileProblem(
        "cannot keep rooms in \(path): \(error.message); check the directory's permissions and "
          + "the disk's space")
    }
  }

  /// Renames the damaged file and what SQLite keeps beside it; says so.
  private static func setAside(_ path: String) -> String {
    let aside = "\(path).damaged"
    for suffix in ["", "-wal", "-shm"] {
      if rename(path + suffix, aside + suffix) != 0 { unlink(path + suffix) }
    }
    return
      "the room file was damaged and is now \(aside); members will make their rooms again"
  }

  package func load() -> [StoredRoom] {
    database.withLock { (database: inout Database?) -> [StoredRoom] in
      var rooms: [StoredRoom] = []
      var dropped = 0
      do throws(Database.Failure) {
        try database?.rows("SELECT rid, record, checksum FROM rooms") { row in
          if let room = Self.room(row) { rooms.append(room) } else { dropped += 1 }
        }
      } catch {
        report("the room file could not be read to its end (\(error.message))")
        startAfresh(&database)
        for room in rooms { write(room, &database) }
      }
      if dropped > 0 { report("\(dropped) damaged rooms were dropped from the room file") }
      return rooms
    }
  }

  package func store(_ room: StoredRoom) {
    database.withLock { write(room, &$0) }
  }

  package func forget(rid: [UInt8]) {
    database.withLock { (database: inout Database?) in
      do throws(Database.Failure) {
        try database?.run("DELETE FROM rooms WHERE rid = ?", rid)
      } catch {
        failed(error, &database)
      }
    }
  }

  private func write(_ room: StoredRoom, _ database: inout Database?) {
    let record = room.record.encoded
    do throws(Database.Failure) {
      try database?.run(
        "INSERT OR REPLACE INTO rooms VALUES (?, ?, ?)", room.rid, record,
        Self.checksum(room.rid, record))
    } catch {
      failed(error, &database)
    }
  }

  private func failed(_ failure: Database.Failure, _ database: inout Database?) {
    report("the room file could not be written (\(failure.message)); new rooms may be forgotten")
    if failure.isDamage { startAfresh(&database) }
  }

  private func startAfresh(_ database: inout Database?) {
    database = nil
    report(Self.setAside(path))
    database = try? Self.open(path)
  }

  // MARK: Rows

  private static func room(_ row: [[UInt8]?]) -> StoredRoom? {
    guard row.count == 3, let rid = row[0], rid.count == 16, let record = row[1],
      row[2] == checksum(rid, record), let decoded = try? RoomRecord(decoding: record)
    else { return nil }
    return StoredRoom(rid: rid, record: decoded)
  }

  /// FNV-1a over both, 64 bits: against decay, not against an attacker, who could write whole
  /// rows; members check the owner's signature themselves.
  private static func checksum(_ rid: [UInt8], _ record: [UInt8]) -> [UInt8] {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in rid + record { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    return (0..<8).map { UInt8(truncatingIfNeeded: hash >> (8 * UInt64($0))) }
  }
}
