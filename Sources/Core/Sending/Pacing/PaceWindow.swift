import Units

/// What left in the last tenth of a second, against a limit.
struct PaceWindow {
  /// Bytes that may leave in `span`.
  var limit = ByteCount(Int.max)
  private var sent: [(at: Instant, size: ByteCount)] = []
  /// The part of `sent` that is older than `span`.
  private var left = 0
  private var total = ByteCount.zero

  static let span = Interval.milliseconds(100)
  /// By which clocks count a span differently: what left at once must not fall out of it too early.
  private static let margin = Interval.microseconds(50)

  mutating func add(_ size: ByteCount, at now: Instant) {
    sent.append((now, size))
    total += size
    forget(at: now)
  }

  /// When a packet of `size` may leave: not after `now` if it may leave at once, as it may where
  /// nothing else did.
  mutating func opens(for size: ByteCount, at now: Instant) -> Instant {
    forget(at: now)
    var excess = total.bytes + size.bytes - limit.bytes
    var opening = now
    for (at, size) in sent[left...] {
      guard excess > 0 else { break }
      excess -= size.bytes
      opening = at + Self.span + Self.margin + .nanoseconds(1)
    }
    return opening
  }

  private mutating func forget(at now: Instant) {
    while left < sent.count, sent[left].at + Self.span + Self.margin < now {
      total -= sent[left].size
      left += 1
    }
    if left > 256 || left == sent.count {
      sent.removeFirst(left)
      left = 0
    }
  }
}
