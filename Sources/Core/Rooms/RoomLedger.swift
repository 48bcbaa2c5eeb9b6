import Units
import Wire

/// All living rooms of a server, and when each one ends.
struct RoomLedger {
  private let limits: RendezvousLimits
  private let clock: WallClock
  private var rooms: [[UInt8]: HostedRoom] = [:]
  private var ends = DeadlineQueue<[UInt8]>()

  init(limits: RendezvousLimits, clock: WallClock) {
    self.limits = limits
    self.clock = clock
  }

  var count: Int { rooms.count }

  /// By rid; rooms come and go by `open` and `remove` only.
  subscript(rid: [UInt8]) -> HostedRoom? {
    get { rooms[rid] }
    _modify { yield &rooms[rid] }
  }

  mutating func open(_ rid: [UInt8], _ record: RoomRecord, at now: Instant) {
    rooms[rid] = HostedRoom(record: record, at: now)
    scheduleEnd(of: rid, now)
  }

  /// The owner's new record may end the room at another time.
  mutating func replace(_ rid: [UInt8], by record: RoomRecord, at now: Instant) {
    rooms[rid]?.record = record
    scheduleEnd(of: rid, now)
  }

  mutating func remove(_ rid: [UInt8]) { rooms[rid] = nil }

  func isExpired(_ terms: RoomTerms, at now: Instant) -> Bool {
    terms.expiry != 0 && expiry(of: terms) <= now
  }

  private func expiry(of terms: RoomTerms) -> Instant {
    let instant = clock.instant(ofUnixSeconds: terms.expiry)
    return instant == .distantFuture ? instant : instant + limits.expiryGrace
  }

  private func end(of room: HostedRoom) -> Instant {
    let unused = room.usedAt + limits.unusedRoomTime
    return room.record.terms.expiry == 0 ? unused : min(unused, expiry(of: room.record.terms))
  }

  /// A later end needs no entry of its own: it is looked up when the earlier one has come.
  private mutating func scheduleEnd(of rid: [UInt8], _ now: Instant) {
    guard let room = rooms[rid] else { return }
    let end = max(now, end(of: room))
    if let scheduled = room.lookedAtNext, scheduled <= end { return }
    rooms[rid]?.lookedAtNext = end
    ends.insert(rid, at: end)
  }

  var nextDeadline: Instant? { ends.next }

  /// A room whose end has come, to be removed; call until nil.
  mutating func nextEnded(at now: Instant) -> [UInt8]? {
    while let (scheduled, rid) = ends.takeDue(at: now) {
      // Else of a room that is gone, or overtaken by an earlier entry.
      guard var room = rooms[rid], room.lookedAtNext == scheduled else { continue }
      room.lookedAtNext = nil
      if !room.members.isEmpty { room.usedAt = now }
      rooms[rid] = room
      if end(of: room) <= now { return rid }
      scheduleEnd(of: rid, now)
    }
    return nil
  }
}
