import Units

/// Which video packets are missing, and when to ask for each (RFC 4585 §6.2.1).
///
/// A gap is asked about at once, unless packets were seen to come reordered: then after as long as
/// they were late. Asked again each time a round trip has brought nothing.
struct LossTracker {
  private struct Missing {
    var index: PacketIndex
    var since: Instant
    var askAt: Instant
    var asked = 0
    /// It was only guessed that the packet has been sent.
    var isGuess = false
  }

  private var missing: [Missing] = []
  private(set) var highest: PacketIndex?
  /// How late reordered packets come, with some margin.
  private var reorderWait = Interval.zero
  /// When a frame whose end has not come is asked on: packets of a frame follow closely, so a
  /// longer silence means that its last ones are lost.
  private var tailAt: Instant?
  /// The usual distance of two packets of a frame, decaying from the longest seen.
  private var spacing = Interval.milliseconds(5)
  private var lastArrival: Instant?

  /// A gap so long is not asked for: a key frame costs less.
  static let gapLimit: Int64 = 400
  private static let countLimit = 512
  /// A first packet of a higher number is one of a stream that has been running for some time.
  private static let firstLimit: Int64 = 128
  private static let ageLimit = Interval.milliseconds(1_200)
  private static let repetition = Interval.milliseconds(12)
  private static let reorderLimit = Interval.milliseconds(40)

  enum Arrival {
    case inOrder
    case repaired
    /// So far ahead that what is between is given up.
    case jump
    case old
  }

  mutating func insert(
    _ index: PacketIndex, isRepair: Bool, startsFrame: Bool, endsFrame: Bool, at now: Instant
  ) -> Arrival {
    guard let highest else {
      self.highest = index
      let number = Int64(SequenceNumber(index).value)
      if number <= Self.firstLimit {
        // Senders count from 0: what came before was lost, or is still under way.
        for step in (0..<number).reversed() { miss(index + (-1 - step), at: now) }
      } else if !startsFrame {
        // The frame's beginning is missing: it is just before.
        for step in (1...4).reversed() { miss(index + Int64(-step), at: now) }
      }
      watchTail(endsFrame: endsFrame, at: now)
      return .inOrder
    }
    if index > highest {
      guard index - highest <= Self.gapLimit else {
        missing.removeAll()
        self.highest = index
        return .jump
      }
      if index == highest + 1, !startsFrame, let lastArrival {
        spacing = min(max(now - lastArrival, spacing * 0.95), .milliseconds(50))
      }
      var gap = highest + 1
      while gap < index {
        miss(gap, at: now)
        gap += 1
      }
      self.highest = index
      watchTail(endsFrame: endsFrame, at: now)
      return .inOrder
    }
    guard let at = missing.firstIndex(where: { $0.index == index }) else { return .old }
    let found = missing.remove(at: at)
    if found.isGuess {
      if !isRepair { spacing = min(max(spacing, now - (lastArrival ?? now)), .milliseconds(50)) }
    } else if !isRepair {
      reorderWait = min(max(reorderWait, (now - found.since) * 1.25), Self.reorderLimit)
    } else {
      reorderWait = reorderWait * 0.97
    }
    if index == highest { watchTail(endsFrame: endsFrame, at: now) }
    return .repaired
  }

  private mutating func watchTail(endsFrame: Bool, at now: Instant) {
    lastArrival = now
    tailAt = endsFrame ? nil : now + spacing * 2 + .milliseconds(4)
  }

  private mutating func miss(_ index: PacketIndex, at now: Instant) {
    if missing.count == Self.countLimit { missing.removeFirst() }
    missing.append(Missing(index: index, since: now, askAt: now + reorderWait))
  }

  /// Packets up to `index` are not needed any more.
  mutating func forget(through index: PacketIndex) {
    missing.removeAll { $0.index <= index }
  }

  mutating func forgetAll() {
    missing.removeAll()
    tailAt = nil
  }

  /// What to ask for now, oldest first.
  mutating func takeDue(roundTrip: Interval, at now: Instant) -> [SequenceNumber] {
    if let tail = tailAt, tail <= now, let last = highest {
      tailAt = nil
      highest = last + 1
      miss(last + 1, at: now - reorderWait)
      missing[missing.count - 1].isGuess = true
    }
    missing.removeAll { now - $0.since > Self.ageLimit }
    var due: [SequenceNumber] = []
    for at in missing.indices where missing[at].askAt <= now {
      due.append(SequenceNumber(missing[at].index))
      missing[at].asked += 1
      let again = roundTrip + max(.milliseconds(8), roundTrip / 5)
      // The request may be lost as well: it is repeated once, well before an answer is overdue.
      missing[at].askAt = now + (missing[at].asked == 1 ? min(Self.repetition, again) : again)
    }
    return due
  }

  var nextAsk: Instant? {
    let ask = missing.min { $0.askAt < $1.askAt }?.askAt
    guard let tailAt else { return ask }
    return ask.map { min($0, tailAt) } ?? tailAt
  }

  var isEmpty: Bool { missing.isEmpty }
}
