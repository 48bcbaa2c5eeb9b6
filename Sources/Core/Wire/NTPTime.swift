package import Units

/// Instants in NTP's format (RFC 3550 §4), 32 bits of seconds and 32 of fraction: of a monotonic clock,
/// not of the time of day.
package enum NTPTime {
  private static let second: UInt64 = 1_000_000_000

  package static func at(_ instant: Instant) -> UInt64 {
    let whole = UInt64(truncatingIfNeeded: instant.nanoseconds / Int64(second))
    let part = UInt64(truncatingIfNeeded: instant.nanoseconds % Int64(second))
    return whole << 32 | (part << 32) / second
  }

  /// Since the zero of the clock that it is of.
  package static func interval(_ time: UInt64) -> Interval {
    Interval(nanoseconds: Int64((time >> 32) * second + ((time & 0xFFFF_FFFF) * second) >> 32))
  }
}
