import Units
import Wire

/// What became of every packet: sent when, arrived when, by transport-wide sequence number.
struct SentLog {
  struct Entry {
    var index: PacketIndex
    var sentAt: Instant
    var size: ByteCount
    /// Of all packets up to this one.
    var total: ByteCount
    /// The pacer alone kept it apart from the packet before it, so that the two measure the path.
    var followsClosely: Bool
    /// On the receiver's clock, whose zero is unknown.
    var arrivedAt: Instant?
    var isReportedLost = false
  }

  private var entries: [Entry?] = Array(repeating: nil, count: Self.capacity)
  private(set) var next: PacketIndex
  /// Nothing that was sent before is told of.
  private var first: PacketIndex
  private var total = ByteCount.zero
  /// The newest packet that feedback told to have arrived, and what was sent up to it.
  private var newestArrived: (index: PacketIndex, total: ByteCount)?
  private var highestReference: Int64?
  /// Of the newest feedback, kept for its memory.
  private var arrived: [Entry] = []

  private static let capacity = 4_096
  private static let referenceTick = Interval.milliseconds(64)

  init(_ configuration: SendingConfiguration) {
    next = PacketIndex(Int64(configuration.firstSequence))
    first = next
  }

  subscript(index: PacketIndex) -> Entry? {
    guard index.value >= 0, let entry = entries[slot(index)], entry.index == index else {
      return nil
    }
    return entry
  }

  /// Sent after the newest packet that is known to have arrived.
  var inFlight: ByteCount { total - (newestArrived?.total ?? .zero) }

  /// Numbers a packet that leaves now.
  mutating func append(size: ByteCount, followsClosely: Bool, at now: Instant) -> SequenceNumber {
    total += size
    entries[slot(next)] = Entry(
      index: next, sentAt: now, size: size, total: total, followsClosely: followsClosely)
    defer { next += 1 }
    return SequenceNumber(next)
  }

  /// What is under way was sent on another path, or stood in one that stood still: when it arrives, and
  /// whether, measures neither what there is now.
  mutating func forget() { first = next }

  /// Takes in a feedback message. Returns the packets it tells to have arrived that were not known
  /// to, in order of sending; how many more (or, after reordering, fewer) are lost; and how many of
  /// these were sent behind one that was not.
  mutating func apply(
    _ feedback: TransportFeedback
  ) -> (arrived: [Entry], lost: Int, runs: Int) {
    let newest = next + (-1)
    let base = newest + Int64(feedback.base.distance(from: SequenceNumber(newest)))
    var clock = Instant.zero + Self.referenceTick.times(unwrap(feedback.referenceTime))
    arrived.removeAll(keepingCapacity: true)
    var lost = 0
    var runs = 0
    for (offset, arrival) in feedback.arrivals.enumerated() {
      if let arrival { clock += TransportFeedback.tick.times(Int64(arrival)) }
      let index = base + Int64(offset)
      guard var entry = self[index], entry.arrivedAt == nil else { continue }
      if arrival != nil {
        entry.arrivedAt = clock
        if entry.isReportedLost {
          if index >= first {
            lost -= 1
            if !isLost(index + (-1)), !isLost(index + 1) { runs -= 1 }
          }
          entry.isReportedLost = false
        }
        if index >= first { arrived.append(entry) }
        if newestArrived.map({ $0.index < index }) ?? true { newestArrived = (index, entry.total) }
      } else if !entry.isReportedLost {
        entry.isReportedLost = true
        if index >= first {
          lost += 1
          if !isLost(index + (-1)) { runs += 1 }
        }
      }
      entries[slot(index)] = entry
    }
    return (arrived, lost, runs)
  }

  private func isLost(_ index: PacketIndex) -> Bool { self[index]?.isReportedLost ?? false }

  /// Reference times wrap after 12 days; each is the one nearest to the highest seen.
  private mutating func unwrap(_ wire: UInt32) -> Int64 {
    let span: Int64 = 1 << 24
    guard let highest = highestReference else {
      highestReference = Int64(wire)
      return Int64(wire)
    }
    var step = (Int64(wire) - highest) % span
    if step >= span / 2 { step -= span }
    if step < -span / 2 { step += span }
    highestReference = max(highest, highest + step)
    return highest + step
  }

  private func slot(_ index: PacketIndex) -> Int { Int(index.value % Int64(Self.capacity)) }
}

extension Interval {
  fileprivate func times(_ count: Int64) -> Interval {
    Interval(nanoseconds: nanoseconds &* count)
  }
}
