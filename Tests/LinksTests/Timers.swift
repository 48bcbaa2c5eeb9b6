import Testing
import Units

/// Lets time go on from one deadline to the next; `fire` is told each, and the end is returned. One that stays due
/// would spin a real loop.
func runTimers(
  from start: Instant, for interval: Interval, next: () -> Deadline?, fire: (Instant) -> Void
) -> Instant {
  let end = start + interval
  var now = start
  while let deadline = next(), deadline.at <= end {
    now = max(now, deadline.at)
    fire(now)
    if let left = next(), left.at <= now {
      Issue.record("\(left.timer) stays due")
      return now
    }
  }
  return end
}
