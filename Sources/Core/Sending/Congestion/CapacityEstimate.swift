import Units

/// How fast the bottleneck passes packets, from how it stretches those that are sent closely
/// behind one another: packets that leave at a rate above its capacity arrive at its capacity, long
/// before its queue is full. Lost packets do not count, so random loss does not lower it.
struct CapacityEstimate {
  /// One packet that arrived, and the packet sent just before it did too.
  struct Gap {
    var at: Instant
    var size: ByteCount
    /// Between the two at the sender and at the receiver.
    var sent: Interval
    var arrived: Interval
    /// How long the packet in front took beyond the fastest.
    var waited: Interval

    /// The packet reached the bottleneck before the one in front of it had left.
    var isQueued: Bool { waited > sent + .microseconds(500) }
  }

  private(set) var rate: Bitrate
  /// Something was measured: `rate` is no longer a guess.
  private(set) var isMeasured = false
  /// Jitter hides how the path stretches packets: only what arrives over a longer time counts.
  private(set) var isBlurred = false
  /// A bottleneck that serves nobody else gives out packets at one rate. These came at several: those of
  /// others were between them, or jitter was.
  private(set) var isMixed = false
  private var gaps: [Gap] = []
  /// How often in a row the path kept up with the pace.
  private var haste = 0

  /// How much faster than the estimate pictures leave, to learn whether the path is faster: the
  /// more often it was, the bolder.
  private static let paceFactors = [1.25, 1.5, 2.0, 2.5]

  /// Gaps that a measurement needs, and how old they may be.
  private static let leastCount = 6
  private static let age = Interval.milliseconds(300)
  private static let sparseAge = Interval.milliseconds(1_000)
  private static let countLimit = 64
  private static let collapseCount = 5
  private static let collapseWait = Interval.milliseconds(40)
  /// Arrivals are stamped in 250 µs: shorter trains say no more than "very fast".
  private static let shortest = Interval.microseconds(500)
  /// A train longer than it was sent by this factor was stretched.
  private static let stretch = 1.05
  private static let bunching = 3.0
  private static let mixing = 1.35
  private static let growthLimit = 2.0
  private static let ceiling = Bitrate.kilobits(100_000)

  init(start: Bitrate) { rate = start }

  /// How fast packets may follow one another.
  var pace: Bitrate { rate * Self.paceFactors[haste] }

  /// What was learned of a path that is no longer used.
  mutating func forget() {
    haste = 0
    gaps.removeAll(keepingCapacity: true)
  }

  /// Lowers the estimate to a rate at which packets were seen to arrive.
  mutating func lower(to limit: Bitrate) { if isMeasured { rate = min(rate, limit) } }

  /// Raises the estimate to a rate that passed without a queue.
  mutating func raise(to limit: Bitrate) { if isMeasured { rate = max(rate, limit) } }

  mutating func append(_ gap: Gap) {
    if gaps.count == Self.countLimit { gaps.removeFirst() }
    gaps.append(gap)
  }

  /// Measures anew. Returns `true` when the path was found to carry far less than it did.
  mutating func update(at now: Instant) -> Bool {
    gaps.removeAll { now - $0.at > Self.sparseAge }
    let collapsed = followCollapse()
    // Apart, since who holds a part of the gaps keeps their memory from being used again.
    if measure(at: now) { gaps.removeAll(keepingCapacity: true) }
    return collapsed
  }

  /// Returns `true` when the gaps so far say nothing any more.
  private mutating func measure(at now: Instant) -> Bool {
    var recent = gaps[...]
    let fresh = gaps.drop { now - $0.at > Self.age }
    if fresh.count >= Self.leastCount { recent = fresh }
    guard recent.count >= (isMeasured ? Self.leastCount : 3) else { return false }

    let measured = Self.rate(of: recent)
    let sent = recent.reduce(Interval.zero) { $0 + $1.sent }
    let arrived = recent.reduce(Interval.zero) { $0 + $1.arrived }
    let queued = recent.count { $0.isQueued }
    // A bottleneck gives out no packet faster than it can: many that came much closer were bunched
    // by jitter, and the wide gaps between the bunches say nothing either.
    let bunched = recent.count {
      Bitrate(of: $0.size, in: max($0.arrived, Self.shortest)) > measured * Self.bunching
    }
    isBlurred = bunched * 2 > recent.count
    let close = recent.count {
      Bitrate(of: $0.size, in: max($0.arrived, Self.shortest)) > measured * Self.mixing
    }
    isMixed = close * 4 > recent.count
    if measured < rate, isBlurred { return false }
    var isOutdated = false
    if arrived > sent * Self.stretch || queued * 2 > recent.count {
      // The bottleneck was at work: this is its rate, whether higher or lower than thought.
      rate = isMeasured ? min(measured, rate * Self.growthLimit) : measured
      haste = 0
    } else if measured > rate {
      // It kept up, so there is more: the next trains leave faster, and older ones say nothing.
      rate = min(measured, rate * Self.growthLimit)
      haste = min(haste + 1, Self.paceFactors.count - 1)
      isOutdated = true
    }
    rate = min(rate, Self.ceiling)
    isMeasured = true
    return isOutdated
  }

  /// A few packets in a row that all waited, at half the rate: what came before is history, and
  /// averaging over it would fill the queue.
  private mutating func followCollapse() -> Bool {
    let newest = gaps.suffix(Self.collapseCount)
    guard isMeasured, newest.count == Self.collapseCount,
      newest.allSatisfy({ $0.isQueued && $0.waited > Self.collapseWait })
    else { return false }
    let measured = Self.rate(of: newest)
    guard measured < rate * 0.6 else { return false }
    rate = measured
    gaps = Array(newest)
    return true
  }

  private static func rate(of gaps: ArraySlice<Gap>) -> Bitrate {
    let size = gaps.reduce(ByteCount.zero) { $0 + $1.size }
    let arrived = gaps.reduce(Interval.zero) { $0 + $1.arrived }
    return Bitrate(of: size, in: max(arrived, shortest))
  }
}
