import Units

/// Turns instants into RTP timestamps and into the NTP format of sender reports (RFC 3550 §4).
enum MediaClock {
  /// Ticks of a clock with `rate` ticks a second at `instant`, without wrap.
  static func ticks(at instant: Instant, rate: Int64) -> Int64 {
    let second: Int64 = 1_000_000_000
    let whole = instant.nanoseconds / second
    let part = instant.nanoseconds % second
    return whole &* rate &+ part * rate / second
  }

  /// 32 bits of seconds and 32 of fraction.
  static func ntp(_ instant: Instant) -> UInt64 {
    let second: Int64 = 1_000_000_000
    let whole = UInt64(truncatingIfNeeded: instant.nanoseconds / second)
    let part = UInt64(truncatingIfNeeded: instant.nanoseconds % second)
    return whole << 32 | (part << 32) / UInt64(second)
  }
}
