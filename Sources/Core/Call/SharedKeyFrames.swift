import Units

/// When a rendition's key frames are made. One costs several pictures' worth of everybody who gets
/// the rendition: where they are more than one, whoever loses much asks for all of them no oftener
/// than once in a while.
struct SharedKeyFrames {
  private var lastAt: Instant?
  private var isAsked = false

  private static let distance = Interval.milliseconds(1_000)

  /// Somebody needs one. True if it is to be made now, else it is at `dueAt`.
  mutating func ask(isShared: Bool, at now: Instant) -> Bool {
    guard isShared, let lastAt, now - lastAt < Self.distance else { return true }
    isAsked = true
    return false
  }

  /// When one is to be made that was put off.
  var dueAt: Instant? { isAsked ? lastAt.map { $0 + Self.distance } : nil }

  func isDue(at now: Instant) -> Bool { dueAt.map { $0 <= now } ?? false }

  /// One was ordered, or came by itself.
  mutating func noteOrdered(at now: Instant) {
    lastAt = now
    isAsked = false
  }
}
