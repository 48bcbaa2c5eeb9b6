import Units

/// Which video packets are missing, and when to ask for each (RFC 4585 §6.2.1).
///
/// A gap is asked about at once, unless packets were seen to come reordered: then after as long as
/// they were late. Asked again each time a round trip has brought nothing.
///
/// Where the sender adds parity, which leaves right behind its frame, a gap inside of a frame is held
/// until that parity has come and was too little, a later frame begins, or silence says that nothing
/// more of the frame comes.
///
/// Packets beyond the highest that came are asked for unseen, where their frame breaks off, or where
/// sound tells that something was lost before it: a sender ignores what it has not sent.
struct LossTracker {
  private struct Missing {
    var index: PacketIndex
    var since: Instant
    var askAt: Instant
    /// Its frame's parity may still come.
    var isHeld = false
    var asked = 0
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
  /// The frame's first packet that came, and how many the frame before it had.
  private var frameFirst = PacketIndex(0)
  private var usualCount: Int64 = 1
  /// So many packets were lost since, of pictures or of anything else.
  private var suspected: Int64 = 0
  /// How often what follows `highest` was asked for.
  private var unseenAsks = 0
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
  private static let repetition = Interval.milliseconds(10)
  private static let reorderLimit = Interval.milliseconds(40)
  /// So long after the last parity no more is expected.
  private static let parityMemory = Interval.milliseconds(500)
  private static let unseenLimit: Int64 = 16
  /// Fewer packets in a row are lost by themselves, and may as well be parity or sound.
  private static let leastBurst: Int64 = 3
  /// So long after the last packet of a picture none is suspected to have been lost.
  private static let suspicion = Interval.milliseconds(300)

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
      frameFirst = index
      note(endsFrame: endsFrame, timestamp: timestamp, at: now)
      return .inOrder
    }
    if index > highest {
      guard index - highest <= Self.gapLimit else {
        missing.removeAll()
        self.highest = index
        return .jump
      }
      let isSameFrame = !isFrameEnded && timestamp == self.timestamp
      if isSameFrame, !isRepair, let lastArrival {
        let step = (now - lastArrival) / (index - highest)
        spacing = min(max(step, spacing * 0.95), .milliseconds(50))
      }
      // What stands between is of this frame alone, and its parity has not come yet.
      let isHeld =
        !startsFrame && !isRepair && (isSameFrame || isFrameEnded) && expectsParity(at: now)
      if !isSameFrame {
        release(at: now)
        frameFirst = index
      }
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
    if !isRepair {
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
    frameFirst = packets.lowerBound
    note(endsFrame: true, timestamp: timestamp, at: now)
  }

  /// Sound came, and `count` packets that were sent just before it did not: they may have been of a
  /// picture.
  mutating func suspect(_ count: Int64, at now: Instant) {
    guard count >= Self.leastBurst, let lastArrival, now - lastArrival < Self.suspicion,
      reorderWait < .milliseconds(2)
    else { return }
    suspected = min(suspected + count, Self.unseenLimit)
    let quiet = now + patience
    quietAt = quietAt.map { min($0, quiet) } ?? quiet
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

  /// A silence so long says that nothing more of a frame comes.
  private var patience: Interval { spacing * 2 + .milliseconds(4) }

  /// The newest of all.
  private mutating func note(endsFrame: Bool, timestamp: UInt32, at now: Instant) {
    lastArrival = now
    isFrameEnded = endsFrame
    self.timestamp = timestamp
    suspected = 0
    unseenAsks = 0
    if endsFrame, let highest { usualCount = max(1, highest - frameFirst + 1) }
    quietAt = endsFrame && !missing.contains(where: \.isHeld) ? nil : now + patience
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
    let unseen = takeUnseen(roundTrip: roundTrip, at: now)
    missing.removeAll { now - $0.since > Self.ageLimit }
    var due: [SequenceNumber] = []
    for at in missing.indices where !missing[at].isHeld && missing[at].askAt <= now {
      due.append(SequenceNumber(missing[at].index))
      missing[at].asked += 1
      missing[at].askAt = now + pause(after: missing[at].asked, roundTrip)
    }
    return due + unseen
  }

  /// What must follow the highest packet, when it has been silent for long enough.
  private mutating func takeUnseen(
    roundTrip: Interval, at now: Instant
  ) -> [SequenceNumber] {
    guard let quiet = quietAt, quiet <= now, let highest, let lastArrival else { return [] }
    quietAt = nil
    release(at: now)
    // On a path that does not lose, silence is more often lateness.
    let wanting = expectsParity(at: now) ? usualCount - (highest - frameFirst + 1) : 1
    let rest = isFrameEnded ? 0 : max(1, wanting)
    let count = min(max(rest, suspected), Self.unseenLimit)
    // That sound told of a loss says little more when nothing came of it.
    guard count > 0, !isFrameEnded || unseenAsks < 3, now - lastArrival < Self.ageLimit else {
      return []
    }
    unseenAsks += 1
    quietAt = now + pause(after: unseenAsks, roundTrip)
    return (1...count).map { SequenceNumber(highest + $0) }
  }

  /// The request may be lost as well: it is repeated twice, before an answer is overdue.
  private func pause(after asked: Int, _ roundTrip: Interval) -> Interval {
    let again = roundTrip + max(.milliseconds(8), roundTrip / 5)
    return asked <= 2 ? min(Self.repetition, again) : again
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
