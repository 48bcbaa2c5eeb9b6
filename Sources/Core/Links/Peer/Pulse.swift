package import Units
package import Wire

/// Whether a proved link is alive, and how long its round trip takes.
package struct Pulse: Sendable {
  /// When anything authentic last came.
  package private(set) var heardAt: Instant
  /// When the last answer to a ping came: the link works both ways.
  private var answeredAt: Instant
  /// Since when the link is alive without a gap longer than `Liveness.suspicion`.
  private var steadySince: Instant
  private var hadOutage = false
  /// On a stream, what follows a loss waits for its repetition.
  private let isOrdered: Bool
  /// Smoothed like RFC 6298 §2, 1/8 of each new value.
  package private(set) var roundTrip: Interval?
  /// Heard in `patience`; answers may take twice that, as two frames can be lost. Kept, since it is
  /// asked for several times after every packet.
  package private(set) var aliveUntil: Instant
  private var nextNumber: UInt32 = 0
  private var pingAt: Instant
  /// Pings not answered, the oldest first.
  private var outstanding: [(number: UInt32, sentAt: Instant)] = []

  private static let period = Interval.milliseconds(500)
  /// In doubt: seldom enough to be cheap, often enough that loss alone can't kill a link.
  private static let doubtfulPeriod = Interval.milliseconds(100)
  /// After this, pings are rare again.
  private static let hopeless = Interval.seconds(5)
  private static let outstandingLimit = 64
  /// A link that came back carries frames again after it was steady for so long.
  private static let probation = Interval.seconds(1)

  package init(at now: Instant, isOrdered: Bool = false) {
    self.isOrdered = isOrdered
    heardAt = now
    answeredAt = now
    steadySince = now
    pingAt = now
    aliveUntil = now
    updateAliveness()
  }

  package mutating func hear(at now: Instant) {
    if !isAlive(at: now) {
      hadOutage = true
      steadySince = now
      if now - heardAt > patience {
        // Nothing came, so no answer could: whether there is one again is asked now. Until then the
        // link counts as alive, else another that came back a moment sooner would take its place.
        answeredAt = max(answeredAt, now - patience)
        pingAt = min(pingAt, now)
      }
    }
    heardAt = now
    updateAliveness()
  }

  /// The ping that is due.
  package mutating func nextPing(at now: Instant) -> Ping? {
    guard pingAt <= now else { return nil }
    defer { nextNumber &+= 1 }
    outstanding.append((nextNumber, now))
    if outstanding.count > Self.outstandingLimit { outstanding.removeFirst() }
    pingAt = now + period(at: now)
    return Ping(number: nextNumber)
  }

  private func period(at now: Instant) -> Interval {
    // A stream loses no ping, and on one that has stood still more of them would wait ahead of sound.
    guard !isOrdered else { return Self.period }
    let age = now - min(heardAt, answeredAt)
    return age > Liveness.doubt && age < Self.hopeless ? Self.doubtfulPeriod : Self.period
  }

  /// How long this answer took, whatever held it up; `nil` if it was not waited for.
  @discardableResult
  package mutating func take(_ pong: Pong, at now: Instant) -> Interval? {
    guard let index = outstanding.firstIndex(where: { $0.number == pong.number }) else {
      return nil
    }
    answeredAt = now
    // One from before a silence was held up by it, and tells how long that was.
    let sentAt = outstanding[index].sentAt
    if sentAt >= steadySince { measure(now - sentAt) } else { updateAliveness() }
    outstanding.removeFirst(index + 1)
    return now - sentAt
  }

  package mutating func measure(_ sample: Interval) {
    roundTrip = roundTrip.map { $0 + (sample - $0) / 8 } ?? sample
    updateAliveness()
  }

  /// Heard, and answered, not long ago.
  package func isAlive(at now: Instant) -> Bool {
    now < aliveUntil
  }

  private mutating func updateAliveness() {
    let patience = patience
    aliveUntil = min(heardAt + patience, answeredAt + patience + patience)
  }

  /// A stream is silent from a loss until the repetition has come: that it is missing is known
  /// after a round trip and a quarter, and it may be late itself.
  private var patience: Interval {
    guard isOrdered, let roundTrip else { return Liveness.suspicion }
    return min(max(Liveness.suspicion, roundTrip * 2.5), Liveness.silence)
  }

  /// Alive, and not only just back.
  package func isSteady(at now: Instant) -> Bool {
    isAlive(at: now) && (!hadOutage || now - steadySince >= Self.probation)
  }

  /// When to ping, or when one of the answers above changes by itself. Always in the future right
  /// after `nextPing`.
  func nextDeadline(at now: Instant) -> Deadline {
    var deadline = Deadline("ping", at: pingAt)
    if isAlive(at: now) {
      deadline = .earlier(deadline, Deadline("suspicion", at: aliveUntil)) ?? deadline
      let steadyAt = steadySince + Self.probation
      if hadOutage, steadyAt > now {
        deadline = .earlier(deadline, Deadline("probation", at: steadyAt)) ?? deadline
      }
    }
    return deadline
  }
}
