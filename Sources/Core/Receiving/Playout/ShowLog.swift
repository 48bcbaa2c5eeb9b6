import Units

/// Frames given out, and the gaps between them that a viewer notices.
struct ShowLog {
  private var last: Instant?
  private(set) var freezes = 0
  private(set) var frozen = Interval.zero
  private var frames = 0

  /// A longer gap is a freeze (docs/benchmarks.md).
  private static let freezeLimit = Interval.milliseconds(150)
  /// A gap longer than this in the sender's own timestamps is a camera that was off.
  private static let pauseLimit = Interval.milliseconds(2_000)
  private var lastTimestamp: Int64?

  mutating func note(_ timestamp: Int64, shownAt: Instant, clockRate: Int64) {
    frames += 1
    if let last, let lastTimestamp {
      let gap = shownAt - last
      let media = Interval.seconds(Double(timestamp &- lastTimestamp) / Double(clockRate))
      if gap > Self.freezeLimit, media < Self.pauseLimit {
        freezes += 1
        frozen = frozen + gap
      }
    }
    last = shownAt
    lastTimestamp = timestamp
  }

  mutating func takeFrames() -> Int {
    defer { frames = 0 }
    return frames
  }
}
