package import Units

/// What happened to the packets of one direction, by cause.
package struct LineCounters: Hashable, Sendable {
  package var offered = 0
  package var delivered = 0
  package var lost = 0
  package var droppedByQueue = 0
  package var droppedByOutage = 0
  package var duplicated = 0
  package var corrupted = 0
  package var reordered = 0
  /// On the wire, headers included.
  package var sentBytes = ByteCount.zero
  /// How long packets waited for the rate, since the last `beginMeasurement`.
  package var waits = WaitHistogram()
  /// How long the line was busy, since the last `beginMeasurement`.
  package var busy = Interval.zero
  package var measuredSince = Instant.zero

  package init() {}

  package mutating func beginMeasurement(at now: Instant) {
    waits = WaitHistogram()
    busy = .zero
    measuredSince = now
  }

  /// The part of the time, 0…1, in which the line was busy.
  package func utilisation(at now: Instant) -> Double {
    let span = (now - measuredSince).seconds
    return span > 0 ? busy.seconds / span : 0
  }
}

/// Waits in steps of a millisecond up to 10 s.
package struct WaitHistogram: Hashable, Sendable {
  private var counts: [Int] = []
  package private(set) var count = 0

  package init() {}

  package mutating func add(_ wait: Interval) {
    let bucket = Int(min(10_000, max(0, wait.nanoseconds / 1_000_000)))
    if bucket >= counts.count { counts += [Int](repeating: 0, count: bucket + 1 - counts.count) }
    counts[bucket] += 1
    count += 1
  }

  /// The wait that the given part of all packets (0…1) stayed below; zero without packets.
  package func percentile(_ part: Double) -> Interval {
    var left = Int((Double(count) * part).rounded(.up))
    for (bucket, found) in counts.enumerated() {
      left -= found
      if left <= 0 { return count == 0 ? .zero : .milliseconds(Int64(bucket) + 1) }
    }
    return .zero
  }
}
