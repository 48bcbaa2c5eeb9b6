/// A point on a monotonic clock, in nanoseconds since an epoch that only the clock's owner knows.
///
/// Runtime reads the clock once a turn and passes the instant down; Core never reads a clock.
public struct Instant: Hashable, Comparable, Sendable {
  public var nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  public static let zero = Instant(nanoseconds: 0)
  /// Later than every instant that a clock can return.
  public static let distantFuture = Instant(nanoseconds: .max)

  public static func < (left: Instant, right: Instant) -> Bool {
    left.nanoseconds < right.nanoseconds
  }
  public static func + (instant: Instant, interval: Interval) -> Instant {
    Instant(nanoseconds: instant.nanoseconds &+ interval.nanoseconds)
  }
  public static func - (instant: Instant, interval: Interval) -> Instant {
    Instant(nanoseconds: instant.nanoseconds &- interval.nanoseconds)
  }
  public static func - (left: Instant, right: Instant) -> Interval {
    Interval(nanoseconds: left.nanoseconds &- right.nanoseconds)
  }
  public static func += (instant: inout Instant, interval: Interval) {
    instant = instant + interval
  }
}

/// A signed length of time in nanoseconds (±292 years).
public struct Interval: Hashable, Comparable, Sendable {
  public var nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  public static let zero = Interval(nanoseconds: 0)
  public static func nanoseconds(_ count: Int64) -> Interval { Interval(nanoseconds: count) }
  public static func microseconds(_ count: Int64) -> Interval {
    Interval(nanoseconds: count * 1_000)
  }
  public static func milliseconds(_ count: Int64) -> Interval {
    Interval(nanoseconds: count * 1_000_000)
  }
  /// Fractions of a second; values outside ±292 years are clamped, NaN is zero.
  public static func seconds(_ count: Double) -> Interval {
    let nanoseconds = count * 1e9
    if nanoseconds.isNaN { return .zero }
    if nanoseconds >= 9.2e18 { return Interval(nanoseconds: .max) }
    if nanoseconds <= -9.2e18 { return Interval(nanoseconds: .min) }
    return Interval(nanoseconds: Int64(nanoseconds))
  }

  public var seconds: Double { Double(nanoseconds) / 1e9 }
  public var milliseconds: Double { Double(nanoseconds) / 1e6 }
  public var microseconds: Int64 { nanoseconds / 1_000 }
  public var magnitude: Interval { nanoseconds < 0 ? .zero - self : self }

  public static func < (left: Interval, right: Interval) -> Bool {
    left.nanoseconds < right.nanoseconds
  }
  public static func + (left: Interval, right: Interval) -> Interval {
    Interval(nanoseconds: left.nanoseconds &+ right.nanoseconds)
  }
  public static func - (left: Interval, right: Interval) -> Interval {
    Interval(nanoseconds: left.nanoseconds &- right.nanoseconds)
  }
  public static func * (interval: Interval, factor: Double) -> Interval {
    .seconds(interval.seconds * factor)
  }
  /// The divisor must not be zero.
  public static func / (interval: Interval, divisor: Int64) -> Interval {
    Interval(nanoseconds: interval.nanoseconds / divisor)
  }
}

/// When a state machine wants to be called again, and why: the name appears in logs and traces.
public struct Deadline: Hashable, Sendable {
  public var at: Instant
  public var timer: TimerName

  public init(_ timer: TimerName, at: Instant) {
    self.at = at
    self.timer = timer
  }

  /// The earlier of two optional deadlines; the first wins a tie.
  public static func earlier(_ left: Deadline?, _ right: Deadline?) -> Deadline? {
    guard let left else { return right }
    guard let right else { return left }
    return right.at < left.at ? right : left
  }
}

/// The name of a timer: a literal of the part that owns it, such as `"nack"` or `"pacer"`.
///
/// Deadlines are compared after every packet: a literal, unlike a string, is copied for nothing.
public struct TimerName: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  private let literal: StaticString

  public init(stringLiteral value: StaticString) { literal = value }

  public var description: String { literal.description }

  public static func == (left: TimerName, right: TimerName) -> Bool {
    left.description == right.description
  }
  public func hash(into hasher: inout Hasher) { hasher.combine(description) }
}
