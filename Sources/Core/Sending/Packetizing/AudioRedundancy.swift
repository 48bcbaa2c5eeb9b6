import Units
import Wire

/// How many copies of earlier sound each packet carries, and of which: as many as make a loss of all
/// of them rarer than one in a thousand, and so far apart that a burst seldom takes all.
///
/// Whole copies, not Opus' own redundancy: at the same rate they give the lost sound back exactly and
/// for every packet (docs/congestion.md, "Sound under loss").
struct AudioRedundancy {
  /// Shares of packets lost, 0…1: one follows fast, the other forgets slowly. Before anything is
  /// known, a few losses are taken for granted.
  private var quick = 0.04
  private var slow = 0.0
  /// Copies a packet.
  private(set) var copies = 2
  private var isVeryLossy = false
  /// Sound packets that feedback has not told of, by transport number, the oldest first.
  private var sent: [SequenceNumber] = []
  /// Sound packets lost in a row up to the newest told of.
  private var run = 0
  /// Packets lost in runs of 1, 2, … of sound; old runs weigh less. Single losses are the rule until
  /// something else was seen.
  private var runs: [Double] = [10] + [Double](repeating: 0, count: reachLimit)

  /// From which loss on so many copies are worth their bytes; back at `hysteresis` of it.
  private static let thresholds = [0.005, 0.025, 0.08]
  private static let hysteresis = 0.6
  private static let veryLossy = (from: 0.15, back: 0.12)
  /// Packets after which one weighs 1/e.
  private static let quickCount = 300.0
  private static let slowCount = 600.0
  /// Longer runs of any packets are outages, against which no copy helps.
  private static let outage = 60
  /// The farthest copy: each step is one more packet's length of delay at the receiver.
  static let reachLimit = 4
  /// Share of the lost sound that may be in runs longer than the farthest copy reaches.
  private static let beyondReach = 0.08
  private static let runsKept = 0.97
  private static let sentLimit = 256

  var lossRatio: Double { max(quick, slow) }

  mutating func noteSent(_ number: SequenceNumber) {
    if sent.count == Self.sentLimit { sent.removeFirst() }
    sent.append(number)
  }

  /// A stream loses nothing: nothing is taken for granted, and what another path lost is forgotten.
  mutating func beginStream() {
    quick = 0
    slow = 0
    copies = 0
    isVeryLossy = false
  }

  /// What a queue loses because it overflows would only be more with copies, and does not count.
  mutating func handle(_ feedback: TransportFeedback, isOverflowing: Bool = false) {
    var lost = 0
    var number = feedback.base
    for arrival in feedback.arrivals {
      if arrival == nil {
        if !isOverflowing { lost += 1 }
      } else {
        countLost(lost)
        lost = 0
        quick -= quick / Self.quickCount
        slow -= slow / Self.slowCount
      }
      noteSound(number, isLost: arrival == nil)
      number = number.next
    }
    countLost(lost)
    updateCopies()
  }

  private mutating func countLost(_ count: Int) {
    guard count <= Self.outage else { return }
    for _ in 0..<count {
      quick += (1 - quick) / Self.quickCount
      slow += (1 - slow) / Self.slowCount
    }
  }

  private mutating func noteSound(_ number: SequenceNumber, isLost: Bool) {
    while let first = sent.first, first.distance(from: number) < 0 { sent.removeFirst() }
    guard sent.first == number else { return }
    sent.removeFirst()
    if isLost {
      run += 1
    } else if run > 0 {
      noteRun(of: run)
      run = 0
    }
  }

  private mutating func noteRun(of count: Int) {
    guard count <= 2 * Self.reachLimit else { return }
    for index in runs.indices { runs[index] *= Self.runsKept }
    runs[min(count, runs.count) - 1] += Double(count)
  }

  private mutating func updateCopies() {
    while copies < Self.thresholds.count, lossRatio >= Self.thresholds[copies] { copies += 1 }
    while copies > 0, lossRatio < Self.thresholds[copies - 1] * Self.hysteresis { copies -= 1 }
    isVeryLossy = lossRatio >= (isVeryLossy ? Self.veryLossy.back : Self.veryLossy.from)
  }

  /// How far back the farthest copy should be.
  private var reach: Int {
    var left = runs.reduce(0, +)
    let allowed = left * Self.beyondReach
    for (index, weight) in runs.enumerated() {
      left -= weight
      if left <= allowed { return min(index + 1, Self.reachLimit) }
    }
    return Self.reachLimit
  }

  /// Where very much is lost three lie one packet further back than they must: so two packets in a row
  /// are less often lost for good, and three hardly ever.
  private func leastReach(of count: Int) -> Int { count == 3 && isVeryLossy ? 4 : count }

  /// Which earlier packets to send along, rising, where `affordable` copies fit.
  func distances(affordable: Int) -> [Int] {
    let count = min(copies, max(0, affordable))
    guard count > 0 else { return [] }
    let reach = max(reach, leastReach(of: count))
    return (1...count).map { (reach * $0 + count - 1) / count }
  }
}
