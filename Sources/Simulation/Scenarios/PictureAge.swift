package import Units

/// How old the newest thing is that a receiver has, at any instant: with what arrives it falls to that thing's own
/// delay, and grows until something newer comes. So pictures that never came, and outages, count as long as they last
/// (Winstein and others, "Stochastic Forecasts Achieve High Throughput and Low Delay over Cellular Networks", 2013, §5.1).
package struct PictureAge: Sendable {
  /// Stretches of time, each with the age at its beginning.
  private var stretches: [(youngest: Interval, lasting: Interval)] = []
  private var newest: Instant?
  private var now = Instant.zero

  package init() {}

  /// In order of arrival; what is not newer than what is there changes nothing.
  package mutating func add(capturedAt: Instant, arrivedAt: Instant) {
    if let newest, capturedAt <= newest { return }
    pass(until: arrivedAt)
    newest = capturedAt
    now = arrivedAt
  }

  /// Nothing more arrives before then.
  package mutating func end(at end: Instant) { pass(until: end) }

  private mutating func pass(until end: Instant) {
    guard let newest, end > now else { return }
    stretches.append((now - newest, end - now))
    now = end
  }

  /// The age that is not exceeded in this part (0…1) of the time since the first arrival; `nil` before any.
  package func percentile(_ part: Double) -> Interval? {
    let whole = stretches.reduce(0) { $0 + $1.lasting.seconds }
    guard whole > 0 else { return nil }
    var low = stretches.map { $0.youngest.seconds }.min() ?? 0
    var high = stretches.map { ($0.youngest + $0.lasting).seconds }.max() ?? 0
    while high - low > 0.000_01 {
      let middle = (low + high) / 2
      let below = stretches.reduce(0) {
        $0 + min(max(middle - $1.youngest.seconds, 0), $1.lasting.seconds)
      }
      if below < part * whole { low = middle } else { high = middle }
    }
    return .seconds(high)
  }
}
