import Units

/// Repeats a handshake flight until the next one answers it: after 50 ms, doubling up to 400 ms,
/// twelve times, as Encryption sets OpenSSL's DTLS timer. A stream needs none.
struct FlightTimer {
  private(set) var datagrams: [[UInt8]] = []
  private(set) var nextDeadline: Deadline?
  private var wait = Interval.zero
  private var repeats = 0
  private let isArmable: Bool

  private static let first = Interval.milliseconds(50)
  private static let longest = Interval.milliseconds(400)
  private static let limit = 12

  init(isArmable: Bool) { self.isArmable = isArmable }

  mutating func sent(_ datagrams: [[UInt8]], at now: Instant) {
    self.datagrams = datagrams
    guard isArmable else { return }
    wait = Self.first
    repeats = 0
    nextDeadline = Deadline("handshake", at: now + wait)
  }

  /// What to send again; `nil` after the last attempt.
  mutating func expired(at now: Instant) -> [[UInt8]]? {
    repeats += 1
    guard repeats <= Self.limit else {
      nextDeadline = nil
      return nil
    }
    wait = min(wait + wait, Self.longest)
    nextDeadline = Deadline("handshake", at: now + wait)
    return datagrams
  }

  /// The flight stays at hand for a peer that asks for it again.
  mutating func disarm() { nextDeadline = nil }
}
