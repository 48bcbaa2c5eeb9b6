package import Units

/// One line each way that everybody on the left shares who speaks with somebody on the right: the
/// middle of a dumb-bell (RFC 8867 §4.1).
package final class Bottleneck {
  package enum Side: Hashable, Sendable {
    case left
    case right
  }
  package enum Direction: Hashable, Sendable, CaseIterable {
    /// From left to right.
    case forward
    case backward
  }

  private let forward: Line
  private let backward: Line

  init(forward: Line, backward: Line) {
    self.forward = forward
    self.backward = backward
  }

  func line(_ direction: Direction) -> Line { direction == .forward ? forward : backward }

  package func set(_ direction: Direction, _ conditions: LinkConditions) {
    line(direction).set(conditions)
  }
  package func conditions(_ direction: Direction) -> LinkConditions { line(direction).conditions }
  package func counters(_ direction: Direction) -> LineCounters { line(direction).counters }
  /// How long what came now would wait for the rate.
  package func queue(_ direction: Direction) -> Interval { line(direction).queue }
  /// What can pass within `span` from now on; `nil` without limit.
  package func capacity(_ direction: Direction, in span: Interval) -> ByteCount? {
    line(direction).capacity(in: span)
  }
}
