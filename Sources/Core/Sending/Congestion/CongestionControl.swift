import Units
import Wire

/// How much may be sent, and how fast packets may follow one another (docs/congestion.md).
///
/// Two measurements of the same feedback: the bottleneck's capacity, from how it stretches packets
/// sent closely behind one another, and the queue that stands in front of it. The target is a little
/// below capacity, less what drains the queue. Loss plays no part below a quarter of all packets.
struct CongestionControl {
  /// Of everything that is sent, overhead included.
  private(set) var target: Bitrate
  /// Holds at once, measured or not.
  var limit: Bitrate { didSet { target = max(minimum, min(target, limit)) } }
  private(set) var standingQueue = Interval.zero
  /// Of packets, smoothed over about a second, 0…1.
  private(set) var lossRatio = 0.0
  /// The same over a longer time, and how losses follow one another.
  private(set) var lossPattern = LossPattern()
  /// What the newest feedback missed was lost to a queue that overflows.
  private(set) var isOverflowing = false
  private var overflowedAt: Instant?
  /// Packets lost to the queue that overflows now, since a key frame last made them superfluous.
  private(set) var lostToQueue = 0

  private var log: SentLog
  private var capacity: CapacityEstimate
  private var delay = PathDelay()
  private var share = FairShare()
  private let minimum: Bitrate
  private let startRate: Bitrate
  private var updatedAt: Instant?
  /// When a queue last stood.
  private var quietSince: Instant?
  private var last: (sentAt: Instant, size: ByteCount)?
  private var delivered = RateMeter(window: .milliseconds(400))
  /// From sending a packet to hearing of its arrival: smoothed, and the least.
  private(set) var responseTime: Interval?
  private var response = WindowedLeast()
  /// The first packet since feedback was last heard: the longer ago, the deader the path.
  private var unansweredSince: Instant?
  /// Of the link, the least since the path changed.
  private var leastRoundTrip: Interval?

  /// The share of capacity that is used: the rest lets the queue of a large picture drain.
  private static let utilisation = 0.94
  /// What the path is taken to carry beyond what it has carried without a queue: a little more than
  /// `utilisation` leaves unused, so that the target creeps up where nothing else can be measured.
  private static let headroom = 1.07
  /// The same where jitter hides the capacity, after `quietTime` without a queue: growing is all that
  /// finds out what there is, and the longer it found nothing, the bolder.
  private static let blurredHeadroom = 1.4
  private static let quietTime = 2.0
  /// The time in which a standing queue is to drain.
  private static let drainTime = 0.4
  /// How much of what is too much for a fair share is given up, a second.
  private static let yielding = 2.2
  /// The time in which the target may double, about, when the path allows it.
  private static let growthTime = 0.2
  /// Where the path has far more room than is used, pictures need not be spread.
  private static let generousPaceFactor = 2.5
  /// What may be in flight beyond the least response time: feedback's interval and a short queue.
  private static let windowSlack = Interval.milliseconds(75)
  private static let leastWindow = ByteCount(12_000)
  /// More says that the bottleneck is at work, beyond jitter.
  private static let shortQueue = Interval.milliseconds(25)
  private static let longWait = Interval.milliseconds(50)
  /// So much may be a full queue's.
  private static let heavyLoss = 0.08
  /// How much longer than the link's round trip the receiver's answer may take: it gathers what it tells.
  private static let answerSlack = Interval.milliseconds(60)
  /// Answers of the last queue that was seen no longer count in `responseTime`.
  private static let answerMemory = Interval.milliseconds(500)
  private static let outage = Interval.milliseconds(500)
  /// Lateness of a timer that does not matter.
  private static let timerSlack = Interval.microseconds(300)
  /// At start, before anything was measured.
  private static let startPace = Bitrate.kilobits(20_000)

  init(_ configuration: SendingConfiguration) {
    target = configuration.startRate
    startRate = configuration.startRate
    limit = configuration.limit
    minimum = configuration.minimumRate
    log = SentLog(configuration)
    capacity = CapacityEstimate(start: configuration.startRate)
  }

  /// The target once no queue stands, where the path has been measured.
  var lasting: Bitrate? {
    capacity.isMeasured ? max(target, min(capacity.rate * Self.utilisation, limit)) : nil
  }

  /// How fast repair and pictures leave the pacer.
  var pace: Bitrate {
    guard capacity.isMeasured else { return Self.startPace }
    let hasRoom = target * 3 < capacity.rate
    return hasRoom ? max(capacity.pace, capacity.rate * Self.generousPaceFactor) : capacity.pace
  }

  /// Numbers a packet that leaves now.
  mutating func send(_ size: ByteCount, at now: Instant) -> SequenceNumber {
    // At the pace, the packet before would just have left: the two keep a bottleneck busy.
    let closely = last.map { now - $0.sentAt <= pace.duration(of: $0.size) + Self.timerSlack }
    last = (now, size)
    if unansweredSince == nil { unansweredSince = now }
    return log.append(size: size, followsClosely: closely ?? false, at: now)
  }

  /// When silence of the receiver counts as a dead path.
  func stalls(roundTrip: Interval) -> Instant? {
    unansweredSince.map { $0 + max(Self.outage, roundTrip * 2 + .milliseconds(250)) }
  }

  /// A stream doubles its rate each round trip until the bottleneck's queue overflows, and what it loses
  /// then holds up all that comes after: before anything was measured, it is given less to do that with.
  mutating func beginLow() {
    if !capacity.isMeasured { target = max(minimum, min(target, Self.streamStart)) }
  }
  private static let streamStart = Bitrate.kilobits(400)

  /// The path is alive again. What it kept through a long silence comes first: the key frame that follows
  /// should find room behind that.
  mutating func resume(after silence: Interval) {
    log.forget()
    unansweredSince = nil
    if silence > Self.longSilence { target = max(minimum, target * Self.resumption) }
  }
  private static let longSilence = Interval.seconds(2)
  private static let resumption = 0.5

  mutating func forgetPath() {
    log.forget()
    delay = PathDelay()
    response = WindowedLeast()
    responseTime = nil
    leastRoundTrip = nil
    overflowedAt = nil
    lossPattern = LossPattern()
    capacity.forget()
    unansweredSince = nil
  }

  /// The link has measured one.
  mutating func noteRoundTrip(_ time: Interval) {
    leastRoundTrip = min(leastRoundTrip ?? time, time)
  }

  /// A key frame replaces it.
  mutating func forgetLostToQueue() { lostToQueue = 0 }

  mutating func handle(_ feedback: TransportFeedback, at now: Instant) {
    let (arrived, lost, runs) = log.apply(feedback)
    guard !arrived.isEmpty else { return }
    let isOutageOver = unansweredSince.map { now - $0 > Self.outage } ?? false
    unansweredSince = nil
    for entry in arrived {
      guard let arrivedAt = entry.arrivedAt else { continue }
      delay.append(arrivedAt - entry.sentAt, at: now)
      delivered.add(entry.size, at: now)
    }
    if let newest = arrived.last { noteResponse(now - newest.sentAt, at: now) }
    if lossRatio > Self.heavyLoss { revealQueue(at: now) }
    for entry in arrived { measureGap(before: entry, at: now) }
    quietSince = quietSince ?? now
    let elapsed = now - (updatedAt ?? now)
    updatedAt = now
    // What an outage swallowed tells nothing about the path after it.
    countLoss(arrived: arrived.count, lost: isOutageOver ? 0 : lost, elapsed: elapsed)
    isOverflowing = isQueueing(arrived)
    lostToQueue = isOverflowing ? max(0, lostToQueue + lost) : 0
    if isOverflowing { overflowedAt = now }
    if !isOutageOver, !isOverflowing {
      lossPattern.count(arrived.count + max(0, lost), lost: lost, runs: runs)
    }
    standingQueue = delay.standing(at: now)
    if capacity.update(at: now) {
      delay.keepNewest(4)
      standingQueue = delay.standing(at: now)
    }
    share.update(queue: delay.lasting, isShared: capacity.isMixed, target: target)
    boundByDelivery(at: now)
    adjustTarget(elapsed: elapsed)
  }

  /// No delay shows a queue that was full before the first packet. While much is lost, an answer that takes
  /// far longer than the round trip once took tells of it.
  private mutating func revealQueue(at now: Instant) {
    guard let leastRoundTrip, let responseTime,
      overflowedAt.map({ now - $0 > Self.answerMemory }) ?? true
    else { return }
    let hidden = responseTime - leastRoundTrip - Self.answerSlack
    if hidden > Self.shortQueue { delay.reveal(hidden, at: now) }
  }

  private mutating func noteResponse(_ time: Interval, at now: Instant) {
    response.note(time, at: now)
    responseTime = responseTime.map { $0 + (time - $0) * 0.25 } ?? time
  }

  /// More is on its way than the path holds with a short queue: feedback is overdue, and whatever
  /// is sent on top of it would only wait.
  var isWindowFull: Bool {
    guard capacity.isMeasured, let least = response.value else { return false }
    let window = capacity.rate.bytes(in: least + Self.windowSlack)
    return log.inFlight > max(window, Self.leastWindow)
  }

  private mutating func measureGap(before entry: SentLog.Entry, at now: Instant) {
    guard let previous = log[entry.index + (-1)], let previousArrival = previous.arrivedAt,
      let arrival = entry.arrivedAt, arrival >= previousArrival
    else { return }
    let sent = entry.sentAt - previous.sentAt
    let waited = delay.queueing(previousArrival - previous.sentAt)
    let gap = CapacityEstimate.Gap(
      at: now, size: entry.size, sent: sent, arrived: arrival - previousArrival, waited: waited)
    guard gap.isQueued || entry.followsClosely else { return }
    capacity.append(gap)
  }

  /// What is lost beside packets that waited is lost to a queue that overflows.
  private func isQueueing(_ arrived: [SentLog.Entry]) -> Bool {
    standingQueue > Self.shortQueue
      || arrived.contains { entry in
        guard let arrivedAt = entry.arrivedAt else { return false }
        return delay.queueing(arrivedAt - entry.sentAt) > Self.longWait
      }
  }

  /// Weighs by time, not by packets: a burst of losses told in one message is no lossy path.
  private mutating func countLoss(arrived: Int, lost: Int, elapsed: Interval) {
    let ratio = Double(max(0, lost)) / Double(arrived + max(0, lost))
    lossRatio += (ratio - lossRatio) * min(0.05, elapsed.seconds)
  }

  /// Whatever single gaps seem to say, what arrives is all that the path carries when a queue
  /// stands on it (links that deliver in bursts, and TCP, make gaps look short), and no more than
  /// it carries when none does (jitter makes gaps look long).
  private mutating func boundByDelivery(at now: Instant) {
    let rate = delivered.rate(at: now)
    if standingQueue > PathDelay.allowance { quietSince = now }
    if standingQueue > .milliseconds(40) && !share.isPushing || lossRatio > 0.25 {
      capacity.lower(to: max(rate * 1.1, minimum * 4))
    } else if standingQueue <= PathDelay.allowance || share.isPushing {
      let raised = rate * headroom(at: now)
      capacity.raise(to: share.isPushing ? raised + FairShare.step(beyond: target) : raised)
    }
  }

  private func headroom(at now: Instant) -> Double {
    guard capacity.isBlurred, let quietSince else { return Self.headroom }
    let quiet = min(1, (now - quietSince).seconds / Self.quietTime)
    return Self.headroom + (Self.blurredHeadroom - Self.headroom) * quiet
  }

  private mutating func adjustTarget(elapsed: Interval) {
    guard capacity.isMeasured else { return }
    let excess = share.isPushing ? .zero : max(.zero, standingQueue - PathDelay.allowance)
    let used = max(0.2, Self.utilisation - excess.seconds / Self.drainTime)
    var allowed = capacity.rate * used
    if let fairRate = share.rate, fairRate < target {
      allowed = min(allowed, target - (target - fairRate) * min(1, Self.yielding * elapsed.seconds))
    }
    let grown = target * (1 + min(elapsed.seconds, 0.2) / Self.growthTime)
    target = max(minimum, min(allowed, grown, limit))
  }
}
