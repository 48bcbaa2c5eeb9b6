import Units

/// How long nothing was heard of a peer, over all of its links together.
struct SilenceWatch {
  enum Event {
    case silent
    case lost
  }
  private var heardAt: Instant?
  /// `.silent` was told, and nothing heard since.
  private(set) var isReported = false
  /// Something was heard after `.silent`; its owner tells that and clears this.
  var isOver = false

  /// Something came at that time, perhaps known already.
  mutating func hear(at heard: Instant) {
    if let heardAt, heardAt >= heard { return }
    heardAt = heard
    if isReported {
      isReported = false
      isOver = true
    }
  }

  mutating func nextEvent(at now: Instant) -> Event? {
    guard let heardAt else { return nil }
    if now - heardAt >= Liveness.loss { return .lost }
    guard !isReported, now - heardAt >= Liveness.silence else { return nil }
    isReported = true
    return .silent
  }

  var nextDeadline: Deadline? {
    heardAt.map {
      isReported
        ? Deadline("loss", at: $0 + Liveness.loss) : Deadline("silence", at: $0 + Liveness.silence)
    }
  }
}
