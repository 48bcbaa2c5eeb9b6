import Units

/// Bytes over a sliding window, in eight steps.
struct RateMeter {
  private let window: Interval
  private var buckets: [(began: Instant, size: ByteCount)] = []

  init(window: Interval) { self.window = window }

  mutating func add(_ size: ByteCount, at now: Instant) {
    if let last = buckets.last, now - last.began < window / 8 {
      buckets[buckets.count - 1].size += size
    } else {
      buckets.append((now, size))
    }
    drop(at: now)
  }

  /// Over the window that ends at `now`.
  mutating func rate(at now: Instant) -> Bitrate {
    drop(at: now)
    return Bitrate(of: buckets.reduce(.zero) { $0 + $1.size }, in: window)
  }

  private mutating func drop(at now: Instant) {
    buckets.removeAll { now - $0.began >= window }
  }
}
