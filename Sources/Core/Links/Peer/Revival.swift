import Units

/// What is tried, and when, to get a silent datagram link back.
struct Revival {
  enum Step {
    /// Every known path is checked again.
    case reconsider
    /// The path may be good and only the session be lost to the other side.
    case replaceSession
    /// ICE starts anew, with a new description.
    case restart
  }
  private var heardAt: Instant?
  private var reconsiderAt = Instant.distantFuture
  private var replaceAt = Instant.distantFuture
  private var restartAt = Instant.distantFuture
  private var restartPause = Revival.firstRestart

  private static let reconsiderPeriod = Interval.seconds(2)
  private static let replaceAfter = Interval.seconds(3)
  private static let firstRestart = Interval.seconds(4)
  private static let longestRestart = Interval.seconds(32)

  /// When the proved link was last heard.
  mutating func observe(heardAt heard: Instant) {
    if let heardAt, heardAt >= heard { return }
    heardAt = heard
    reconsiderAt = heard + Liveness.suspicion
    replaceAt = heard + Self.replaceAfter
    restartPause = Self.firstRestart
    restartAt = heard + restartPause
  }

  mutating func nextStep(at now: Instant) -> Step? {
    if restartAt <= now {
      restartPause = min(restartPause * 2, Self.longestRestart)
      restartAt = now + restartPause
      reconsiderAt = now + Self.reconsiderPeriod
      return .restart
    }
    if reconsiderAt <= now {
      reconsiderAt = now + Self.reconsiderPeriod
      return .reconsider
    }
    if replaceAt <= now {
      replaceAt = now + Self.replaceAfter
      return .replaceSession
    }
    return nil
  }

  var nextDeadline: Deadline? {
    guard heardAt != nil else { return nil }
    return Deadline("revival", at: min(reconsiderAt, replaceAt, restartAt))
  }
}
