import Units

/// Which video packets are missing, and when to ask for each (RFC 4585 §6.2.1).
///
/// A gap is asked about at once, unless packets were seen to come reordered: then after as long as
/// they were late. Asked again each time a round trip has brought nothing.
///
/// Where the sender adds parity, which leaves right behind its frame, a gap inside of a frame is held
/// until that parity has come and was too little, a later frame begins, or silence says that nothing
/// more of the frame comes.
struct LossTracker {
  private struct Missing {
    var index: PacketIndex
    var since: Instant
    var askAt: Instant
    /// Its frame's parity may still come.
    var isHeld = false
    var asked = 0
    /// It was only guessed that the packet has been sent.
    var isGuess = false
  }

  private var missing: [Missing] = []
  private(set) var highest: PacketIndex?
  /// How late reordered packets come, with some margin.
  private var reorderWait = Interval.zero
  /// Packets of a frame, and its parity, follow closely, so a longer silence means that the rest is
  /// lost: a frame whose end has not come is asked on, and what is held is asked for.
  private var quietAt: Instant?
  /// The highest packet is its frame's last, and the frame's timestamp.
  private var isFrameEnded = true
  private var timestamp: UInt32?
  /// When parity last came.
  private var parityAt: Instant?
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
  /// So long after the last parity no more is expected.
  private static let parityMemory = Interval.milliseconds(500)

  enum Arrival {
    case inOrder
    case repaired
    /// So far ahead that what is between is given up.
    case jump
    case old
  }

  mutating func insert(
    _ index: PacketIndex, isRepair: Bool, startsFrame: Bool, endsFrame: Bool, timestamp: UInt32,
    at now: Instant
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
      note(endsFrame: endsFrame, timestamp: timestamp, at: now)
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
      let isSameFrame = !isFrameEnded && timestamp == self.timestamp
      // What stands between is of this frame alone, and its parity has not come yet.
      let isHeld = !startsFrame && (isSameFrame || isFrameEnded) && expectsParity(at: now)
      if !isSameFrame { release(at: now) }
      var gap = highest + 1
      while gap < index {
        miss(gap, isHeld: isHeld, at: now)
        gap += 1
      }
      self.highest = index
      note(endsFrame: endsFrame, timestamp: timestamp, at: now)
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
    if index == highest { note(endsFrame: endsFrame, timestamp: timestamp, at: now) }
    return .repaired
  }

  /// Parity of a frame came, whose packets it names: what of them is missing was lost.
  mutating func noteParity(
    over packets: ClosedRange<PacketIndex>, timestamp: UInt32, at now: Instant
  ) {
    parityAt = now
    guard let highest, packets.upperBound - highest <= Self.gapLimit else { return }
    release(before: packets.lowerBound, at: now)
    guard packets.upperBound > highest else {
      if packets.contains(highest) { note(endsFrame: true, timestamp: timestamp, at: now) }
      return
    }
    var gap = highest + 1
    while gap <= packets.upperBound {
      miss(gap, isHeld: gap >= packets.lowerBound, at: now)
      gap += 1
    }
    self.highest = packets.upperBound
    note(endsFrame: true, timestamp: timestamp, at: now)
  }

  /// No more parity comes for what is held.
  mutating func release(before end: PacketIndex? = nil, at now: Instant) {
    for at in missing.indices where missing[at].isHeld {
      if let end, missing[at].index >= end { continue }
      missing[at].isHeld = false
      missing[at].askAt = max(now, missing[at].since + reorderWait)
    }
  }

  private func expectsParity(at now: Instant) -> Bool {
    parityAt.map { now - $0 < Self.parityMemory } ?? false
  }

  /// The newest of all.
  private mutating func note(endsFrame: Bool, timestamp: UInt32, at now: Instant) {
    lastArrival = now
    isFrameEnded = endsFrame
    self.timestamp = timestamp
    quietAt =
      endsFrame && !missing.contains(where: \.isHeld)
      ? nil : now + spacing * 2 + .milliseconds(4)
  }

  private mutating func miss(_ index: PacketIndex, isHeld: Bool = false, at now: Instant) {
    if missing.count == Self.countLimit { missing.removeFirst() }
    missing.append(
      Missing(index: index, since: now, askAt: now + reorderWait, isHeld: isHeld))
  }

  /// Packets up to `index` are not needed any more.
  mutating func forget(through index: PacketIndex) {
    missing.removeAll { $0.index <= index }
  }

  mutating func forgetAll() {
    missing.removeAll()
    quietAt = nil
  }

  /// What to ask for now, oldest first.
  mutating func takeDue(roundTrip: Interval, at now: Instant) -> [SequenceNumber] {
    if let quietAt, quietAt <= now, let last = highest {
      self.quietAt = nil
      release(at: now)
      if !isFrameEnded {
        highest = last + 1
        miss(last + 1, at: now - reorderWait)
        missing[missing.count - 1].isGuess = true
      }
    }
    missing.removeAll { now - $0.since > Self.ageLimit }
    var due: [SequenceNumber] = []
    for at in missing.indices where !missing[at].isHeld && missing[at].askAt <= now {
      due.append(SequenceNumber(missing[at].index))
      missing[at].asked += 1
      let again = roundTrip + max(.milliseconds(8), roundTrip / 5)
      // The request may be lost as well: it is repeated once, well before an answer is overdue.
      missing[at].askAt = now + (missing[at].asked == 1 ? min(Self.repetition, again) : again)
    }
    return due
  }

  var nextAsk: Instant? {
    var ask = quietAt
    for packet in missing where !packet.isHeld {
      ask = ask.map { min($0, packet.askAt) } ?? packet.askAt
    }
    return ask
  }

  var isEmpty: Bool { missing.isEmpty }
}
