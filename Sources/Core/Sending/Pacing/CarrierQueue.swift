import Units

/// What waits in the connection below, TCP's send queue, and for how long: how much it tells, since when
/// is known here. So a line that stands still shows long before the receiver's silence does.
struct CarrierQueue {
  private(set) var size = ByteCount.zero
  /// What waits, the oldest first: up to which byte of all that ever did, and since when.
  private var waiting: [(end: Int64, since: Instant)] = []
  private var end: Int64 = 0

  /// What comes within this time is one entry, and no more are kept.
  private static let step = Interval.milliseconds(5)
  private static let countLimit = 64

  init() { waiting.reserveCapacity(Self.countLimit) }

  /// Until it tells anew, that waits, too; behind nothing it leaves at once.
  mutating func give(_ more: ByteCount, at now: Instant) {
    if size > .zero { append(more, at: now) }
  }

  mutating func tell(_ told: ByteCount, at now: Instant) {
    if told > size { append(told - size, at: now) }
    size = told
    let head = end - Int64(told.bytes)
    waiting.removeFirst(waiting.firstIndex { $0.end > head } ?? waiting.count)
  }

  private mutating func append(_ more: ByteCount, at now: Instant) {
    size += more
    end += Int64(more.bytes)
    if let last = waiting.last, now - last.since < Self.step || waiting.count == Self.countLimit {
      waiting[waiting.count - 1].end = end
    } else {
      waiting.append((end, now))
    }
  }

  /// How long the first byte of it has waited.
  func age(at now: Instant) -> Interval { waiting.first.map { now - $0.since } ?? .zero }
}
