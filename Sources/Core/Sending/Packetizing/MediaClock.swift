import Units

/// Turns instants into RTP timestamps.
enum MediaClock {
  /// Ticks of a clock with `rate` ticks a second at `instant`, without wrap.
  static func ticks(at instant: Instant, rate: Int64) -> Int64 {
    let second: Int64 = 1_000_000_000
    let whole = instant.nanoseconds / second
    let part = instant.nanoseconds % second
    return whole &* rate &+ part * rate / second
  }
}
