import Units

/// What is tried, and when, to get a silent datagram link back.
struct Revival {
  struct Way: Equatable {
    var path: DatagramPath?
    /// Of the candidates.
    var generation: UInt32
  }
  enum Step {
    /// The path in use is checked: it may lead nowhere, or one end have got another address.
    case probe
    /// Every known path is checked again.
    case reconsider
    /// The path may be good and only the session be lost to the other side.
    case replaceSession
    /// ICE starts anew, with a new description.
    case restart
  }
  /// What was heard last, and how we send.
  private var heard: (at: Instant, way: Way)?
  /// Between two signs of life, of late: what is usual on this path means nothing. No longer than
  /// `Liveness.suspicion`.
  private var longestGap = Interval.zero
  private var probeAt = Instant.distantFuture
  private var reconsiderAt = Instant.distantFuture
  private var replaceAt = Instant.distantFuture
  private var restartAt = Instant.distantFuture
  private var restartPause = Revival.firstRestart
  /// The path was found to answer when the session was to be replaced.
  private var isPathAnswering = false

  /// Media come every 20 ms: by then fifteen packets are missing.
  private static let leastHush = Interval.milliseconds(300)
  /// How fast a gap is forgotten, one of a second in so many seconds, and how much longer one must be to
  /// mean something.
  private static let memory: Int64 = 8
  private static let excess = 1.5
  private static let reconsiderPeriod = Interval.seconds(2)
  private static let replaceAfter = Interval.seconds(3)
  /// When a path comes back its checks may be answered first: what the session sends comes after
  /// them, and a new handshake would cost more than waiting for it.
  private static let patience = Interval.seconds(1)
  private static let firstRestart = Interval.seconds(4)
  private static let longestRestart = Interval.seconds(32)

  /// When the proved link was last heard. A gap across which the way has changed tells nothing about
  /// what is usual: if it did, each outage would make the next one longer where a NAT maps anew every few
  /// seconds.
  mutating func observe(heardAt instant: Instant, on way: Way) {
    if let heard {
      guard instant > heard.at else { return }
      let gap = min(instant - heard.at, Liveness.suspicion)
      if heard.way == way { longestGap = max(gap, longestGap - gap / Self.memory) }
    }
    heard = (instant, way)
    probeAt = instant + min(max(Self.leastHush, longestGap * Self.excess), Liveness.suspicion)
    reconsiderAt = instant + Liveness.suspicion
    replaceAt = instant + Self.replaceAfter
    isPathAnswering = false
    restartPause = Self.firstRestart
    restartAt = instant + restartPause
  }

  /// `pathAnsweredAt`: when the path last proved to work without the session.
  mutating func nextStep(pathAnsweredAt: Instant?, at now: Instant) -> Step? {
    if restartAt <= now {
      restartPause = min(restartPause * 2, Self.longestRestart)
      restartAt = now + restartPause
      reconsiderAt = now + Self.reconsiderPeriod
      probeAt = .distantFuture
      return .restart
    }
    if reconsiderAt <= now {
      reconsiderAt = now + Self.reconsiderPeriod
      probeAt = .distantFuture
      return .reconsider
    }
    if probeAt <= now {
      probeAt = .distantFuture
      return .probe
    }
    if replaceAt <= now {
      let wasPathAnswering = isPathAnswering
      isPathAnswering = pathAnsweredAt.map { now - $0 < Liveness.suspicion } ?? false
      let isDoubtful = isPathAnswering && !wasPathAnswering
      replaceAt = now + (isDoubtful ? Self.patience : Self.replaceAfter)
      if isPathAnswering, wasPathAnswering { return .replaceSession }
    }
    return nil
  }

  var nextDeadline: Deadline? {
    guard heard != nil else { return nil }
    return Deadline("revival", at: min(probeAt, reconsiderAt, replaceAt, restartAt))
  }
}
