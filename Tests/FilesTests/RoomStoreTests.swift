import CLinux
import Files
import Fixtures
import Rooms
import Synchronization
import Testing
import Units
import Wire

@Suite struct RoomStoreTests {
  private let scratch = ScratchDirectory()
  private let reports = Reports()

  private final class Reports: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
  }

  private func store(_ name: String = "rooms.sqlite") throws -> RoomStore {
    let reports = reports
    return try RoomStore(scratch.path(name)) { reports.add($0) }
  }

  private func room(_ number: UInt8) -> StoredRoom {
    StoredRoom(
      rid: [UInt8](repeating: number, count: 16),
      record: RoomRecord(
        terms: RoomTerms(owner: [UInt8](repeating: number, count: 32), expiry: 12, size: 3),
        sealed: [UInt8](repeating: number, count: 100)))
  }

  @Test func `rooms survive, newer records replace older, forgotten ones are gone`() throws {
    var changed = room(2)
    changed.record.terms.size = 9
    do {
      let store = try store()
      for number in 1...3 as ClosedRange<UInt8> { store.store(room(number)) }
      store.store(changed)
      store.forget(rid: room(3).rid)
    }
    #expect(try store().load() == [room(1), changed])
    #expect(reports.all.isEmpty)
    #expect(scratch.mode("rooms.sqlite") == 0o600)
  }

  @Test func `a second server on the same file is refused with a sentence`() throws {
    let first = try store()
    #expect(
      throws: FileProblem(
        "another server keeps its rooms in \(scratch.path("rooms.sqlite")); "
          + "end it or give this one its own --state")
    ) { _ = try store() }
    first.store(room(1))
    #expect(first.load() == [room(1)])
  }

  @Test func `a place where nothing can be written is an error and no crash`() {
    #expect(throws: FileProblem.self) { _ = try store("missing/rooms.sqlite") }
  }

  /// A whole file with a few rooms.
  private func wholeFile(_ rooms: [StoredRoom]) throws -> [UInt8] {
    do {
      let store = try store("whole.sqlite")
      for room in rooms { store.store(room) }
    }
    return try readFile(scratch.path("whole.sqlite"), limit: 10 << 20)
  }

  /// Whatever the bytes, the server starts, serves only what was stored, and can go on storing.
  private func check(_ bytes: [UInt8], _ rooms: [StoredRoom], _ what: String) throws {
    for suffix in ["", "-wal", "-shm", ".damaged", ".damaged-wal", ".damaged-shm"] {
      unlink(scratch.path("rooms.sqlite" + suffix))
    }
    scratch.put("rooms.sqlite", bytes)
    do {
      let store = try store()
      let isRight = store.load().allSatisfy { rooms.contains($0) }
      #expect(isRight, "\(what) gave a wrong record")
      store.store(room(200))
    }
    let isKept = try store().load().contains(room(200))
    #expect(isKept, "\(what): cannot keep rooms any more")
  }

  @Test func `a file truncated anywhere starts a server and gives no wrong record`() throws {
    let rooms = (1...9).map { room($0) }
    let bytes = try wholeFile(rooms)
    for count in stride(from: 0, to: bytes.count, by: 37) {
      try check(Array(bytes[..<count]), rooms, "truncation to \(count)")
    }
  }

  @Test func `a file with a flipped bit anywhere starts a server and gives no wrong record`() throws
  {
    let rooms = (1...9).map { room($0) }
    let bytes = try wholeFile(rooms)
    var random = SeededRandom(seed: 5)
    // Every byte of the header and schema, then every few bytes.
    let places = Array(0..<180) + stride(from: 180, to: bytes.count, by: 13)
    for place in places {
      var flipped = bytes
      flipped[place] ^= 1 << UInt8(random.next() % 8)
      try check(flipped, rooms, "a flip at \(place)")
    }
  }

  @Test func `garbage in the file's place is set aside and said`() throws {
    scratch.put("rooms.sqlite", Array("no database at all, but long enough to look at".utf8))
    let store = try store()
    #expect(store.load().isEmpty)
    #expect(scratch.names().contains("rooms.sqlite.damaged"))
    #expect(reports.all.count == 1)
    #expect(reports.all[0].hasPrefix("the room file was damaged and is now "))
  }
}
