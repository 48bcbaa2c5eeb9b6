/// A point on a monotonic clock, in nanoseconds since an epoch that only the clock's owner knows.
///
/// Runtime reads the clock once a turn and passes the instant down; Core never reads a clock.
package struct Instant: Hashable, Comparable, Sendable {
  package var nanoseconds: Int64

  package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  package static let zero = Instant(nanoseconds: 0)
  /// Later than every instant that a clock can return.
  package static let distantFuture = Instant(nanoseconds: .max)

  package static func < (left: Instant, right: Instant) -> Bool {
    left.nanoseconds < right.nanoseconds
  }
  package static func + (instant: Instant, interval: Interval) -> Instant {
    Instant(nanoseconds: instant.nanoseconds &+ interval.nanoseconds)
  }
  package static func - (instant: Instant, interval: Interval) -> Instant {
    Instant(nanoseconds: instant.nanoseconds &- interval.nanoseconds)
  }
  package static func - (left: Instant, right: Instant) -> Interval {
    Interval(nanoseconds: left.nanoseconds &- right.nanoseconds)
  }
  package static func += (instant: inout Instant, interval: Interval) {
    instant = instant + interval
  }
}

/// A signed length of time in nanoseconds (±292 years).
package struct Interval: Hashable, Comparable, Sendable {
  package var nanoseconds: Int64

  package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  package static let zero = Interval(nanoseconds: 0)
  package static func nanoseconds(_ count: Int64) -> Interval { Interval(nanoseconds: count) }
  package static func microseconds(_ count: Int64) -> Interval {
    Interval(nanoseconds: count * 1_000)
  }
  package static func milliseconds(_ count: Int64) -> Interval {
    Interval(nanoseconds: count * 1_000_000)
  }
  /// Fractions of a second; values outside ±292 years are clamped, NaN is zero.
  package static func seconds(_ count: Double) -> Interval {
    let nanoseconds = count * 1e9
    if nanoseconds.isNaN { return .zero }
    if nanoseconds >= 9.2e18 { return Interval(nanoseconds: .max) }
    if nanoseconds <= -9.2e18 { return Interval(nanoseconds: .min) }
    return Interval(nanoseconds: Int64(nanoseconds))
  }

  package var seconds: Double { Double(nanoseconds) / 1e9 }
  package var milliseconds: Double { Double(nanoseconds) / 1e6 }
  package var microseconds: Int64 { nanoseconds / 1_000 }
  package var magnitude: Interval { nanoseconds < 0 ? .zero - self : self }

  package static func < (left: Interval, right: Interval) -> Bool {
    left.nanoseconds < right.nanoseconds
  }
  package static func + (left: Interval, right: Interval) -> Interval {
    Interval(nanoseconds: left.nanoseconds &+ right.nanoseconds)
  }
  package static func - (left: Interval, right: Interval) -> Interval {
    Interval(nanoseconds: left.nanoseconds &- right.nanoseconds)
  }
  package static func * (interval: Interval, factor: Double) -> Interval {
    .seconds(interval.seconds * factor)
  }
  /// The divisor must not be zero.
  package static func / (interval: Interval, divisor: Int64) -> Interval {
    Interval(nanoseconds: interval.nanoseconds / divisor)
  }
}

/// When a state machine wants to be called again, and why: the name appears in logs and traces.
package struct Deadline: Hashable, Sendable {
  package var at: Instant
  package var timer: TimerName

  package init(_ timer: TimerName, at: Instant) {
    self.at = at
    self.timer = timer
  }

  /// The earlier of two optional deadlines; the first wins a tie.
  package static func earlier(_ left: Deadline?, _ right: Deadline?) -> Deadline? {
    guard let left else { return right }
    guard let right else { return left }
    return right.at < left.at ? right : left
  }
}

/// The name of a timer: a literal of the part that owns it, such as `"nack"` or `"pacer"`.
package struct TimerName: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  package let description: String
  package init(stringLiteral value: StaticString) { description = value.description }
}
