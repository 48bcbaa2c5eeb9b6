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
    /// The packet reached the bottleneck before the one in front of it had left.
    var isQueued: Bool
  }

  private(set) var rate: Bitrate
  /// Something was measured: `rate` is no longer a guess.
  private(set) var isMeasured = false
  private var gaps: [Gap] = []

  /// Gaps that a measurement needs, and how old they may be.
  private static let leastCount = 6
  private static let age = Interval.milliseconds(300)
  private static let sparseAge = Interval.milliseconds(1_000)
  private static let countLimit = 64
  /// Arrivals are stamped in 250 µs: shorter trains say no more than "very fast".
  private static let shortest = Interval.microseconds(500)
  /// A train longer than it was sent by this factor was stretched.
  private static let stretch = 1.05
  private static let growthLimit = 1.5
  private static let ceiling = Bitrate.kilobits(100_000)

  init(start: Bitrate) { rate = start }

  /// What was learned of a path that is no longer used.
  mutating func forget() { gaps.removeAll(keepingCapacity: true) }

  /// Lowers the estimate to a rate at which packets were seen to arrive.
  mutating func lower(to limit: Bitrate) { if isMeasured { rate = min(rate, limit) } }

  /// Raises the estimate to a rate that passed without a queue.
  mutating func raise(to limit: Bitrate) { if isMeasured { rate = max(rate, limit) } }

  mutating func append(_ gap: Gap) {
    if gaps.count == Self.countLimit { gaps.removeFirst() }
    gaps.append(gap)
  }

  mutating func update(at now: Instant) {
    gaps.removeAll { now - $0.at > Self.sparseAge }
    var recent = gaps[...]
    let fresh = gaps.drop { now - $0.at > Self.age }
    if fresh.count >= Self.leastCount { recent = fresh }
    guard recent.count >= (isMeasured ? Self.leastCount : 3) else { return }

    let size = recent.reduce(ByteCount.zero) { $0 + $1.size }
    let sent = recent.reduce(Interval.zero) { $0 + $1.sent }
    let arrived = max(recent.reduce(Interval.zero) { $0 + $1.arrived }, Self.shortest)
    let measured = Bitrate(of: size, in: arrived)
    let queued = recent.count { $0.isQueued }
    if arrived > sent * Self.stretch || queued * 2 > recent.count {
      // The bottleneck was at work: this is its rate, whether higher or lower than thought.
      rate = isMeasured ? min(measured, rate * Self.growthLimit) : measured
    } else if measured > rate {
      // It kept up, so there is more: the next trains leave faster, and older ones say nothing.
      rate = min(measured, rate * Self.growthLimit)
      gaps.removeAll(keepingCapacity: true)
    }
    rate = min(rate, Self.ceiling)
    isMeasured = true
  }
}
