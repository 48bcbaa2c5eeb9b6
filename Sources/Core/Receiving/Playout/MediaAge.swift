import Units

/// How late a peer's sound or pictures come, against the fastest packet of the last ten to twenty
/// seconds, and which of it is too late to be heard or shown.
///
/// What waited in a socket while this process was stopped, in TCP while the network was away, or for
/// its repair, is a relic: pictures of it are decoded, since later ones refer to them, but nobody
/// wants to see it flash by, nor hear it.
struct MediaAge {
  private var least = WindowedLeast()
  /// A stall is measured as a round trip too, and must not excuse what waited in it.
  private var leastRoundTrip = WindowedLeast()
  /// No packet can come faster, by what is known of both clocks; `nil` before anything is.
  private var floor: Interval?
  /// Whether something came that did not wait, so that `least` is to be trusted.
  private var isSettled = false
  /// Of the packets of this span.
  private var newest: (least: Interval, since: Instant, count: Int)?
  /// By how much even the fastest packet of the span before was slower than `least`, if too much.
  private var excess: Interval?
  /// How late the newest sound was that was admitted, and when.
  private var heard: (transit: Interval, at: Instant)?

  /// What is late beside its round trips: each is a chance of repair, by us or by TCP, and what comes
  /// after two of them is better than nothing.
  private static let allowance = Interval.milliseconds(300)
  private static let roundTrips = 2.0
  private static let unknownRoundTrip = Interval.milliseconds(100)
  /// On a stream all that waited for a repair comes at once, and sound goes on at the newest of it: so
  /// do pictures.
  private static let streamLimit = Interval.milliseconds(400)
  /// By how much sound may be later than what was heard before it, and how soon it must come after.
  private static let step = Interval.milliseconds(300)
  private static let pause = Interval.milliseconds(500)
  /// When even the fastest of so many packets was too late for two spans, the path has become longer,
  /// if by as much in both: what stands in a queue, of the network's or of TCP's after an outage, comes
  /// out of it less late from span to span, or later and later.
  private static let leastSpan = Interval.milliseconds(500)
  private static let spanRoundTrips = 2.0
  private static let leastCount = 4
  private static let steady = (share: 0.1, most: Interval.milliseconds(150))
  /// No path becomes longer by more than that beyond the limit: what is later is believed only when
  /// nothing else has come for as long as `least` remembers, since a backlog of many seconds may
  /// drain no faster than it grew.
  private static let most = Interval.milliseconds(2_000)

  /// Of the link, whether something comes on it or not.
  mutating func note(roundTrip: Interval, at now: Instant) {
    leastRoundTrip.note(roundTrip, at: now)
  }

  /// Something else than media that left at this `time` came at `instant`: media can come as fast.
  mutating func compare(with time: Interval, from instant: Instant, at now: Instant) {
    let transit = transit(time, at: instant)
    let isFastest = least.value.map { transit < $0 } ?? true
    least.note(transit, at: now)
    if isFastest { forgetStale() }
  }

  /// It left in the `roundTrip` before `instant`. If that is longer than the path's by more than what
  /// is late, it waited somewhere, on its way or what asked for it on the other; until something
  /// tells which, and that takes a round trip, it is taken for late.
  mutating func bound(
    _ time: Interval, from instant: Instant, roundTrip: Interval, at now: Instant
  ) {
    guard !isSettled, let usual = leastRoundTrip.value else { return }
    if roundTrip - usual <= Self.allowance {
      isSettled = true
      return
    }
    let bound = transit(time, at: instant) - roundTrip
    floor = max(floor ?? bound, bound)
    forgetStale()
  }

  /// What was heard before it was known to be too late lets nothing follow.
  private mutating func forgetStale() {
    if let heard, late(heard.transit) > limit { self.heard = nil }
  }

  /// A packet came on its own, no repair: of what was captured at this `time`.
  mutating func note(_ captured: Interval, roundTrip: Interval?, at now: Instant) {
    let transit = transit(captured, at: now)
    least.note(transit, at: now)
    if let roundTrip { leastRoundTrip.note(roundTrip, at: now) }
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
    let late = late(span.least)
    guard late > limit, late <= limit + Self.most else {
      excess = nil
      return
    }
    if let excess,
      (late - excess).magnitude <= min(excess * Self.steady.share, Self.steady.most)
    {
      least = WindowedLeast()
      least.note(span.least, at: now)
      isSettled = true
      self.excess = nil
    } else {
      excess = late
    }
  }

  /// Whether sound that came now is to be heard. However late it is, it is where it follows sound that
  /// was heard step by step: a queue that grows makes all of it late, and late is better than nothing;
  /// what stood still comes at once by as much later as it stood.
  mutating func admitsSound(_ captured: Interval, at now: Instant) -> Bool {
    let transit = transit(captured, at: now)
    let follows =
      heard.map { transit - $0.transit < Self.step && now - $0.at < Self.pause } ?? false
    guard follows || late(transit) <= limit else { return false }
    heard = (transit, now)
    return true
  }

  /// Whether a picture that is ready now is to be shown.
  func admitsPicture(_ captured: Interval, onStream: Bool, at now: Instant) -> Bool {
    late(transit(captured, at: now)) <= (onStream ? min(limit, Self.streamLimit) : limit)
  }

  private var limit: Interval {
    Self.allowance + (leastRoundTrip.value ?? Self.unknownRoundTrip) * Self.roundTrips
  }

  /// On the clock of a medium's timestamps, without wrap.
  static func time(of timestamp: Int64, rate: Int64) -> Interval {
    .seconds(Double(timestamp) / Double(rate))
  }

  private func late(_ transit: Interval) -> Interval {
    let least = least.value ?? transit
    guard !isSettled, let floor, let usual = leastRoundTrip.value else { return transit - least }
    return transit - min(least, floor + usual)
  }

  /// On two clocks: only differences of such values mean anything.
  private func transit(_ captured: Interval, at now: Instant) -> Interval {
    now - Instant.zero - captured
  }
}
