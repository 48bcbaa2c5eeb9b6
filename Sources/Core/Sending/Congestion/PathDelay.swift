import Units

/// The queue on the path, from one-way delays: differences of two unrelated clocks, of which only
/// the distance to the least one means anything.
struct PathDelay {
  private var least = WindowedLeast()
  /// The newest delays, for what stands in the queue.
  private var recent: [(at: Instant, delay: Interval)] = []
  /// The least delays of the newest 350 ms or so.
  private var spans: [(since: Instant, least: Interval)] = []
  /// Since when the queue has not drained, although less was sent than the path carries.
  private var standsSince: Instant?
  private var revelation: Revelation?

  /// Of a queue that no delay shows.
  private enum Revelation {
    case believed
    /// It did not drain: it was none, or not on this way.
    case refuted
  }

  private static let span = Interval.milliseconds(50)
  private static let spanCount = 7
  private static let recentWindow = Interval.milliseconds(100)
  /// Where fewer packets than this came in the window, it goes further back.
  private static let leastCount = 8
  private static let longestWindow = Interval.milliseconds(400)
  private static let countLimit = 256
  /// Less is noise: jitter, the serialisation of larger packets.
  static let allowance = Interval.milliseconds(6)
  private static let patience = Interval.milliseconds(2_500)

  mutating func append(_ delay: Interval, at now: Instant) {
    least.note(delay, at: now)
    if recent.count == Self.countLimit { recent.removeFirst() }
    recent.append((now, delay))
    if let last = spans.last, now - last.since < Self.span {
      spans[spans.count - 1].least = min(last.least, delay)
    } else {
      if spans.count == Self.spanCount { spans.removeFirst() }
      spans.append((now, delay))
    }
  }

  /// As much stands that no delay shows, because it has stood since before the first packet.
  mutating func reveal(_ queue: Interval, at now: Instant) {
    guard revelation != .refuted, let fastest = recent.lazy.map(\.delay).min(),
      queueing(fastest) < queue * 0.5
    else { return }
    least = WindowedLeast()
    least.note(fastest - queue, at: now)
    revelation = .believed
  }

  /// How much longer than the fastest a packet of this delay took.
  func queueing(_ delay: Interval) -> Interval { delay - (least.value ?? delay) }

  /// The queue that has not drained for 350 ms: a flow that is alone drains its own between pictures,
  /// so this is mostly what several share.
  var lasting: Interval {
    spans.min { $0.least < $1.least }.map { queueing($0.least) } ?? .zero
  }

  /// The path has changed its rate: what stood in the queue before says nothing.
  mutating func keepNewest(_ count: Int) {
    recent.removeFirst(max(0, recent.count - count))
    spans.removeFirst(max(0, spans.count - 1))
  }

  /// The part of the queue that did not drain between pictures: the least delay of the last 100 ms,
  /// which neither a picture's own packets nor jitter can raise.
  mutating func standing(at now: Instant) -> Interval {
    // Of a few packets even the fastest was held up by jitter: that is no queue.
    let old = recent.firstIndex { now - $0.at <= Self.recentWindow } ?? recent.count
    let surplus = max(0, min(old, recent.count - Self.leastCount))
    recent.removeFirst(surplus)
    recent.removeAll { now - $0.at > Self.longestWindow }
    guard let fastest = recent.min(by: { $0.delay < $1.delay })?.delay else {
      return .zero
    }
    let standing = queueing(fastest)
    if standing <= Self.allowance * 2 {
      standsSince = nil
    } else if let since = standsSince {
      if now - since > Self.patience {
        // It would have drained: the path itself became longer, or others fill its queue.
        least = WindowedLeast()
        least.note(fastest, at: now)
        standsSince = nil
        if revelation == .believed { revelation = .refuted }
      }
    } else {
      standsSince = now
    }
    return standing
  }
}
