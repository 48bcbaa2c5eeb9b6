import CLinux
package import Units

/// The computer's clocks. A loop reads `now` once a turn; nothing else reads it on that thread.
package enum Clock {
  /// CLOCK_BOOTTIME: never jumps, and counts the time that the computer sleeps, so that leases
  /// and silences end as long after a suspend as they should.
  package static var now: Instant { Instant(nanoseconds: clinux_now()) }

  /// The same point in time as a CLOCK_MONOTONIC reading, such as a device's timestamp.
  package static func instant(monotonic nanoseconds: Int64) -> Instant {
    Instant(nanoseconds: nanoseconds + clinux_sleep_offset())
  }

  /// Seconds since 1970; read once at start and carried on by `now`, since it may jump.
  package static var wallSeconds: Int64 { clinux_wall_clock() / 1_000_000_000 }

  /// Whether something keeps the wall clock right, as far as the kernel knows.
  package static var isSynchronized: Bool? {
    let answer = clinux_is_clock_synchronized()
    return answer < 0 ? nil : answer == 1
  }
}
