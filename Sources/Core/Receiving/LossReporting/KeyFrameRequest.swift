import Units

/// When to ask for a key frame (RFC 4585 §6.3.1): as soon as waiting for repair has become hopeless,
/// and again until one comes.
struct KeyFrameRequest {
  /// Since when packets come and nothing can be decoded.
  private var blockedSince: Instant?
  private var askedAt: Instant?
  /// Repair cannot help: the decoder failed, or packets are gone for good.
  private var isHopeless = false
  /// The newest key frame that has begun to come, and when it did.
  private var coming: (index: PacketIndex, since: Instant)?

  private static let leastPatience = Interval.milliseconds(150)
  private static let mostPatience = Interval.milliseconds(800)
  private static let leastRepeat = Interval.milliseconds(250)

  mutating func noteProgress() { self = KeyFrameRequest() }

  mutating func noteBlocked(at now: Instant) {
    if blockedSince == nil { blockedSince = now }
  }

  mutating func noteHopeless(at now: Instant) {
    noteBlocked(at: now)
    isHopeless = true
  }

  /// The first packet of a key frame: the rest gets the time of its repair, since another one in its
  /// place would have to begin anew.
  mutating func noteComing(_ index: PacketIndex, at now: Instant) {
    if let coming, coming.index >= index { return }
    coming = (index, now)
  }

  func nextAsk(roundTrip: Interval) -> Instant? {
    guard let blockedSince else { return nil }
    let repair = min(
      max(roundTrip * 4 + .milliseconds(100), Self.leastPatience), Self.mostPatience)
    let ask: Instant
    if let askedAt {
      ask = askedAt + max(Self.leastRepeat, roundTrip * 1.5)
    } else {
      ask = isHopeless ? blockedSince : blockedSince + repair
    }
    return coming.map { max(ask, $0.since + repair) } ?? ask
  }

  mutating func isDue(roundTrip: Interval, at now: Instant) -> Bool {
    guard let ask = nextAsk(roundTrip: roundTrip), ask <= now else { return false }
    askedAt = now
    return true
  }
}
