import CLinux
import Units

/// The clock of `Instant`, as Runtime reads it.
func monotonicNow() -> Instant { Instant(nanoseconds: clinux_now()) }

/// Sleeps until an instant of that clock.
func sleepUntil(_ instant: Instant) {
  while true {
    let left = instant - monotonicNow()
    if left <= .zero { return }
    var request = timespec(
      tv_sec: Int(left.nanoseconds / 1_000_000_000),
      tv_nsec: Int(left.nanoseconds % 1_000_000_000))
    nanosleep(&request, nil)
  }
}
