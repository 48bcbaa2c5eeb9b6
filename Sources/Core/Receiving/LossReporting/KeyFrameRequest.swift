import Units

/// When to ask for a key frame (RFC 4585 §6.3.1): as soon as waiting for repair has become hopeless,
/// and again until one comes.
struct KeyFrameRequest {
  /// Since when packets come and nothing can be decoded.
  private var blockedSince: Instant?
  private var askedAt: Instant?
  /// Repair cannot help: the decoder failed, or packets are gone for good.
  private var isHopeless = false

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

  func nextAsk(roundTrip: Interval) -> Instant? {
    guard let blockedSince else { return nil }
    if let askedAt { return askedAt + max(Self.leastRepeat, roundTrip * 1.5) }
    if isHopeless { return blockedSince }
    let repair = roundTrip * 4 + .milliseconds(100)
    return blockedSince + min(max(repair, Self.leastPatience), Self.mostPatience)
  }

  mutating func isDue(roundTrip: Interval, at now: Instant) -> Bool {
    guard let ask = nextAsk(roundTrip: roundTrip), ask <= now else { return false }
    askedAt = now
    return true
  }
}
