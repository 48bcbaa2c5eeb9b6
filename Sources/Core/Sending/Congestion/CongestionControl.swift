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
  var limit: Bitrate
  private(set) var standingQueue = Interval.zero
  /// Of the packets of about the last second, 0…1.
  private(set) var lossRatio = 0.0

  private var log: SentLog
  private var capacity: CapacityEstimate
  private var delay = PathDelay()
  private let minimum: Bitrate
  private let startRate: Bitrate
  private var updatedAt: Instant?
  private var last: (sentAt: Instant, size: ByteCount)?
  /// Packets of the last second, decaying: told to have arrived, and lost.
  private var counted = (arrived: 0.0, lost: 0.0)
  private var delivered = RateMeter(window: .milliseconds(400))
  /// The first packet since feedback was last heard: the longer ago, the deader the path.
  private var unansweredSince: Instant?

  /// The share of capacity that is used: the rest lets the queue of a large picture drain.
  private static let utilisation = 0.95
  /// What the path is taken to carry beyond what it has carried without a queue: a little more than
  /// `utilisation` leaves unused, so that the target creeps up where nothing else can be measured.
  private static let headroom = 1.07
  /// The time in which a standing queue is to drain.
  private static let drainTime = 0.4
  /// The time in which the target may double, about, when the path allows it.
  private static let growthTime = 0.2
  /// Pictures leave faster than the path is thought to be, to learn whether it is faster.
  private static let paceFactor = 1.25
  private static let generousPaceFactor = 2.5
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

  /// How fast repair and pictures leave the pacer.
  var pace: Bitrate {
    guard capacity.isMeasured else { return Self.startPace }
    let hasRoom = target * 3 < capacity.rate
    return capacity.rate * (hasRoom ? Self.generousPaceFactor : Self.paceFactor)
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
    unansweredSince.map { $0 + max(.milliseconds(500), roundTrip * 2 + .milliseconds(250)) }
  }

  mutating func forgetPath() {
    delay.forget()
    capacity.forget()
    unansweredSince = nil
  }

  mutating func handle(_ feedback: TransportFeedback, at now: Instant) {
    let (arrived, lost) = log.apply(feedback)
    guard !arrived.isEmpty else { return }
    unansweredSince = nil
    for entry in arrived {
      guard let arrivedAt = entry.arrivedAt else { continue }
      delay.append(arrivedAt - entry.sentAt, at: now)
      delivered.add(entry.size, at: now)
    }
    for entry in arrived { measureGap(before: entry, at: now) }
    let elapsed = now - (updatedAt ?? now)
    updatedAt = now
    countLoss(arrived: arrived.count, lost: lost, elapsed: elapsed)
    standingQueue = delay.standing(at: now)
    capacity.update(at: now)
    boundByDelivery(at: now)
    adjustTarget(elapsed: elapsed)
  }

  private mutating func measureGap(before entry: SentLog.Entry, at now: Instant) {
    guard let previous = log[entry.index + (-1)], let previousArrival = previous.arrivedAt,
      let arrival = entry.arrivedAt, arrival >= previousArrival
    else { return }
    let sent = entry.sentAt - previous.sentAt
    let waited = delay.queueing(previousArrival - previous.sentAt)
    let isQueued = waited > sent + .microseconds(500)
    guard isQueued || entry.followsClosely else { return }
    capacity.append(
      CapacityEstimate.Gap(
        at: now, size: entry.size, sent: sent, arrived: arrival - previousArrival,
        isQueued: isQueued))
  }

  private mutating func countLoss(arrived: Int, lost: Int, elapsed: Interval) {
    let keep = max(0, 1 - elapsed.seconds)
    counted.arrived = counted.arrived * keep + Double(arrived)
    counted.lost = max(0, counted.lost * keep + Double(lost))
    lossRatio = counted.lost / max(1, counted.arrived + counted.lost)
  }

  /// Whatever single gaps seem to say, what arrives is all that the path carries when a queue
  /// stands on it (links that deliver in bursts, and TCP, make gaps look short), and no more than
  /// it carries when none does (jitter makes gaps look long).
  private mutating func boundByDelivery(at now: Instant) {
    let rate = delivered.rate(at: now)
    if standingQueue > .milliseconds(40) || lossRatio > 0.25 {
      capacity.lower(to: max(rate * 1.1, minimum * 4))
    } else if standingQueue <= PathDelay.allowance {
      capacity.raise(to: rate * Self.headroom)
    }
  }

  private mutating func adjustTarget(elapsed: Interval) {
    guard capacity.isMeasured else { return }
    let excess = max(.zero, standingQueue - PathDelay.allowance)
    let share = max(0.2, Self.utilisation - excess.seconds / Self.drainTime)
    let allowed = capacity.rate * share
    let grown = target * (1 + min(elapsed.seconds, 0.2) / Self.growthTime)
    target = max(minimum, min(allowed, grown, limit))
  }
}
