import Units

/// How much later than the fastest packet sound must play so that all but a few packets are there
/// in time: a histogram of how late packets came, in which older ones weigh less.
struct AudioDelayTarget {
  /// Share of packets in each step of lateness; the last takes everything beyond.
  private var histogram = [Float](repeating: 0, count: Self.bucketCount)
  private var total: Float = 0
  /// Least transit time of this half window and of the one before it, nanoseconds of two clocks.
  private var least: Int64?
  private var previousLeast: Int64?
  private var halfBegan = Instant.zero

  private static let bucket = Interval.milliseconds(4)
  private static let bucketCount = 51
  /// Packets after which one weighs 1/e: about 10 s of 20 ms packets.
  private static let keep: Float = 1 - 1 / 500
  /// Late packets that are worth their concealment.
  private static let covered: Float = 0.97
  private static let jump: Int64 = 2_000_000_000
  /// Clocks of two sound cards drift apart by up to 0.1 ms a second.
  private static let halfWindow = Interval.milliseconds(4_000)

  /// When a packet of this timestamp would have come had it been the fastest.
  func fastest(_ rtpTimestamp: Int64) -> Instant {
    Instant(nanoseconds: base &+ Self.nanoseconds(rtpTimestamp))
  }

  mutating func note(_ rtpTimestamp: Int64, at now: Instant) {
    let transit = now.nanoseconds &- Self.nanoseconds(rtpTimestamp)
    if least != nil, !(-Self.jump...Self.jump).contains(transit &- base) {
      // The sender's timestamps jumped, or the path: what was known is void.
      least = transit
      previousLeast = nil
      halfBegan = now
    }
    if now - halfBegan > Self.halfWindow {
      previousLeast = least
      least = nil
      halfBegan = now
    }
    least = min(least ?? transit, transit)
    let late = Int(max(0, transit &- base) / Self.bucket.nanoseconds)
    for at in histogram.indices { histogram[at] *= Self.keep }
    histogram[min(late, Self.bucketCount - 1)] += 1
    total = total * Self.keep + 1
  }

  /// The lateness that all but 3 % of packets keep; at most 200 ms.
  var value: Interval {
    var sum: Float = 0
    for at in histogram.indices {
      sum += histogram[at]
      if sum >= total * Self.covered { return Self.bucket * Double(at + 1) }
    }
    return Self.bucket
  }

  private var base: Int64 {
    switch (least, previousLeast) {
    case (let least?, let previous?): min(least, previous)
    case (let least?, nil): least
    case (nil, let previous?): previous
    case (nil, nil): 0
    }
  }

  private static func nanoseconds(_ rtpTimestamp: Int64) -> Int64 {
    // 48 kHz: 62 500 / 3 ns a sample. Timestamps are below 2^40.
    rtpTimestamp &* 62_500 / 3
  }
}
