import Units
import Wire

/// How late pictures come, against the fastest packet of the last ten to twenty seconds, and which
/// of them are too late to be shown.
///
/// What waited in a socket while this process was stopped, in TCP while the network was away, or for
/// its repair, is decoded, since later pictures refer to it, but nobody wants to see it flash by.
struct PictureAge {
  private var least = WindowedLeast()
  /// Of the packets of this second.
  private var newest: (least: Interval, since: Instant, count: Int)?

  /// A late picture beside its round trips: each is a chance of repair, and a picture after two of
  /// them is better than none.
  private static let allowance = Interval.milliseconds(300)
  private static let roundTrips = 2.0
  /// When even the fastest of so many packets was too late for so long, the path has become longer.
  private static let span = Interval.milliseconds(1_000)
  private static let leastCount = 8

  /// A packet came on its own, no repair: `timestamp` in ticks of the picture clock, without wrap.
  mutating func note(_ timestamp: Int64, roundTrip: Interval, at now: Instant) {
    let transit = transit(timestamp, at: now)
    least.note(transit, at: now)
    guard var second = newest else {
      newest = (transit, now, 1)
      return
    }
    second.least = min(second.least, transit)
    second.count += 1
    newest = second
    guard now - second.since >= Self.span else { return }
    newest = nil
    let isLonger = second.least - (least.value ?? transit) > Self.limit(roundTrip: roundTrip)
    if isLonger, second.count >= Self.leastCount {
      least = WindowedLeast()
      least.note(second.least, at: now)
    }
  }

  /// Whether a picture that is ready now is to be shown.
  func admits(_ timestamp: Int64, roundTrip: Interval, at now: Instant) -> Bool {
    let transit = transit(timestamp, at: now)
    return transit - (least.value ?? transit) <= Self.limit(roundTrip: roundTrip)
  }

  private static func limit(roundTrip: Interval) -> Interval { allowance + roundTrip * roundTrips }

  /// On two clocks: only differences of such values mean anything.
  private func transit(_ timestamp: Int64, at now: Instant) -> Interval {
    now - Instant.zero - .seconds(Double(timestamp) / Double(MediaStream.ClockRate.video))
  }
}
