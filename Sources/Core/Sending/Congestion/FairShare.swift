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
  private static let bytes = ByteCount(1_700)
  /// Shorter queues are noise.
  private static let leastQueue = Interval.milliseconds(3)

  /// What a push asks for beyond what arrives: as much for everyone, that who sends little catches up,
  /// and a part of what is sent, that a fast path fills in time. A flow that is alone where jitter looks
  /// like company pushes as well: 80 kbit/s were an eighth of a narrow line, and a queue on it.
  static func step(beyond target: Bitrate) -> Bitrate { leastStep + target * stepShare }
  private static let leastStep = Bitrate.kilobits(20)
  private static let stepShare = 0.02

  /// `queue` is what has not drained for a while, and `isShared` whether others may be in it.
  mutating func update(queue: Interval, isShared: Bool, target: Bitrate) {
    rate = isShared && queue > Self.leastQueue ? Bitrate(of: Self.bytes, in: queue) : nil
    isPushing = rate.map { target < $0 } ?? false
  }
}
