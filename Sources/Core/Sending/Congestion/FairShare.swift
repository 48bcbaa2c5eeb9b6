import Units

/// Pulls the rates of those who share a bottleneck together. All of them see the same queue: if each
/// sends the same bytes for every queue's time, all rates are the same (Copa, NSDI 2018). Who sends
/// less than that pushes, who sends more yields.
struct FairShare {
  /// What everyone should send at this queue; `nil` without a queue that lasts.
  private(set) var rate: Bitrate?
  /// Less is sent than the share: the queue is for others to drain.
  private(set) var isPushing = false

  /// For every queue's time.
  private static let bytes = ByteCount(1_750)
  /// Shorter queues are noise.
  private static let leastQueue = Interval.milliseconds(3)
  /// What a push asks for beyond what arrives.
  static let step = Bitrate.kilobits(80)

  /// `queue` is what has not drained for a while, and `isShared` whether others may be in it.
  mutating func update(queue: Interval, isShared: Bool, target: Bitrate) {
    rate = isShared && queue > Self.leastQueue ? Bitrate(of: Self.bytes, in: queue) : nil
    isPushing = rate.map { target < $0 } ?? false
  }
}
