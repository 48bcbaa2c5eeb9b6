import Units
import Wire

/// How late pictures come, against the fastest packet of the last ten to twenty seconds, and which
/// of them are too late to be shown.
///
/// What waited in a socket while this process was stopped, in TCP while the network was away, or for
/// its repair, is decoded, since later pictures refer to it, but nobody wants to see it flash by.
struct PictureAge {
  private var least = WindowedLeast()
  /// A stall is measured as a round trip too, and must not excuse what waited in it.
  private var leastRoundTrip = WindowedLeast()
  /// Of the packets of this span.
  private var newest: (least: Interval, since: Instant, count: Int)?
  /// By how much even the fastest packet of the span before was slower than `least`, if too much.
  private var excess: Interval?

  /// A late picture beside its round trips: each is a chance of repair, and a picture after two of
  /// them is better than none.
  private static let allowance = Interval.milliseconds(300)
  private static let roundTrips = 2.0
  /// When even the fastest of so many packets was too late for two spans, the path has become longer,
  /// if by as much in both: what stands in a queue, of the network's or of TCP's after an outage, comes
  /// out of it less late from span to span, or later and later.
  private static let leastSpan = Interval.milliseconds(500)
  private static let spanRoundTrips = 2.0
  private static let leastCount = 4
  private static let steady = 0.9...1.1

  /// A packet came on its own, no repair: `timestamp` in ticks of the picture clock, without wrap.
  mutating func note(_ timestamp: Int64, roundTrip: Interval, at now: Instant) {
    let transit = transit(timestamp, at: now)
    least.note(transit, at: now)
    leastRoundTrip.note(roundTrip, at: now)
    guard var span = newest else {
      newest = (transit, now, 1)
      return
    }
    span.least = min(span.least, transit)
    span.count += 1
    newest = span
    let length = max(Self.leastSpan, (leastRoundTrip.value ?? .zero) * Self.spanRoundTrips)
    guard now - span.since >= length, span.count >= Self.leastCount else { return }
    newest = nil
    let late = span.least - (least.value ?? transit)
    guard late > limit else {
      excess = nil
      return
    }
    if let excess, Self.steady.contains(late.seconds / excess.seconds) {
      least = WindowedLeast()
      least.note(span.least, at: now)
      self.excess = nil
    } else {
      excess = late
    }
  }

  /// Whether a picture that is ready now is to be shown.
  func admits(_ timestamp: Int64, at now: Instant) -> Bool {
    let transit = transit(timestamp, at: now)
    return transit - (least.value ?? transit) <= limit
  }

  private var limit: Interval {
    Self.allowance + (leastRoundTrip.value ?? .zero) * Self.roundTrips
  }

  /// On two clocks: only differences of such values mean anything.
  private func transit(_ timestamp: Int64, at now: Instant) -> Interval {
    now - Instant.zero - .seconds(Double(timestamp) / Double(MediaStream.ClockRate.video))
  }
}
