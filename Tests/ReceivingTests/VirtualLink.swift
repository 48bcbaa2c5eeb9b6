import Units

/// One direction of a path in virtual time: a bottleneck with a drop-tail queue, then delay, loss,
/// jitter, reordering and duplication. Sizes are those of the wire.
struct VirtualLink {
  /// One way.
  var delay = Interval.milliseconds(25)
  /// Uniform, added to `delay`; order is kept.
  var jitter = Interval.zero
  var loss = 0.0
  /// `nil` is without limit.
  var rate: Bitrate?
  /// What the queue holds at `rate`.
  var queueLimit = Interval.milliseconds(300)
  /// Share of packets that come this much later than the others.
  var reordering = 0.0
  var reorderDelay = Interval.milliseconds(8)
  var duplication = 0.0
  /// Nothing passes before this.
  var blockedUntil = Instant.zero

  private var random: SeededRandom
  private var busyUntil = Instant.zero
  private var lastArrival = Instant.zero
  private(set) var carried = ByteCount.zero
  /// Wait of each packet that passed, before its own transmission.
  private(set) var queueDelays: [Interval] = []

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  mutating func resetMeasures() {
    carried = .zero
    queueDelays = []
  }

  /// Bytes in the queue.
  func waiting(at now: Instant) -> ByteCount {
    rate.map { $0.bytes(in: max(.zero, busyUntil - now)) } ?? .zero
  }

  /// When the packet arrives: never, once, or twice.
  mutating func send(_ size: ByteCount, at now: Instant) -> [Instant] {
    guard now >= blockedUntil else { return [] }
    var leaves = now
    if let rate {
      let wait = max(.zero, busyUntil - now)
      guard wait + rate.duration(of: size) <= queueLimit else { return [] }
      queueDelays.append(wait)
      leaves = now + wait + rate.duration(of: size)
      busyUntil = leaves
    }
    carried += size
    if random.chance(loss) { return [] }
    var arrival = leaves + delay + jitter * random.unit()
    if random.chance(reordering) {
      arrival += reorderDelay
    } else {
      arrival = max(arrival, lastArrival)
      lastArrival = arrival
    }
    return random.chance(duplication) ? [arrival, arrival + .milliseconds(3)] : [arrival]
  }
}

extension [Interval] {
  /// The value below which this share of all lies; zero when there is none.
  func percentile(_ share: Double) -> Interval {
    guard !isEmpty else { return .zero }
    return sorted()[Swift.min(count - 1, Int(Double(count) * share))]
  }
}
