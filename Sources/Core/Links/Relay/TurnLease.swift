import Units

/// Something that the relay keeps for a while and forgets unless it is asked for again: a permission
/// or a channel. It is kept while it is used.
struct TurnLease: Sendable {
  /// Granted until then; `nil` when it never was, or was taken back.
  private var until: Instant?
  /// A request is on its way.
  private(set) var isAsked = false
  /// Since it was last asked for.
  private var isUsed = false
  /// The relay said no; forgotten at `askAt`.
  private(set) var isRefused = false
  /// Not to be asked for again before.
  private var askAt = Instant.zero

  func isGranted(at now: Instant) -> Bool { until.map { now < $0 } ?? false }

  mutating func use() { isUsed = true }

  mutating func ask() {
    isAsked = true
    isUsed = false
  }

  mutating func grant(for lifetime: Interval, at now: Instant) {
    isAsked = false
    until = now + lifetime
    askAt = now + lifetime * Self.renewal
  }

  /// What was granted stays until its end.
  mutating func fail(pausing pause: Interval, at now: Instant) {
    isAsked = false
    isUsed = true
    askAt = now + pause
  }

  mutating func refuse(pausing pause: Interval, at now: Instant) {
    isAsked = false
    isRefused = true
    until = nil
    askAt = now + pause
  }

  /// Time to ask again for what is granted and used.
  func isDue(at now: Instant) -> Bool {
    !isAsked && isUsed && askAt <= now && isGranted(at: now)
  }

  /// Neither granted nor asked for, and no pause is left to be kept.
  func isOver(at now: Instant) -> Bool { !isAsked && askAt <= now && !isGranted(at: now) }

  /// When one of the two becomes so; `nil` while it is asked for.
  var deadline: Instant? {
    guard !isAsked else { return nil }
    guard let until, !isUsed else { return askAt }
    return max(until, askAt)
  }

  /// Of the lifetime: leaves time for every retransmission and a second try.
  private static let renewal = 0.8
}
