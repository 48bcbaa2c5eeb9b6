import Units

/// How many parity packets a block of a frame's packets gets.
///
/// A frame that lost more than its parity makes up for waits for a retransmission, a round trip
/// long. From how the path loses packets follows how probable that is; parity is added until it is
/// improbable enough, as far as its share of the rate goes.
struct ParityPlan {
  /// What is known of the path.
  struct Path {
    var loss: LossPattern
    var roundTrip: Interval
    /// The queue that stands in front of the bottleneck.
    var standingQueue: Interval
  }

  enum Worth {
    /// No later frame refers to it.
    case discardable
    case usual
    /// All later frames refer to it.
    case keyFrame

    /// How probable it may be that parity does not suffice: a little more where it costs as much as
    /// the picture.
    func allowance(atLoss ratio: Double) -> Double {
      switch self {
      case .discardable: 0.03
      case .usual: max(0.0078, ratio * 0.05)
      case .keyFrame: 0.001
      }
    }
  }

  /// By how much one more packet must lower the risk to be sent. It falls while frames run a higher
  /// risk than allowed, and rises while they run a lower one: so the mean risk is the one allowed, and
  /// frames to which a packet means most get it.
  private var price = Worth.usual.allowance(atLoss: 0)
  /// Parity packets that the share of the rate allows and that were not sent.
  private var credit = 0.0
  /// Scratch: probabilities by packets lost, where the newest was not lost and where it was.
  private var kept: [Double] = []
  private var lost: [Double] = []
  /// Scratch: the risk with so many parity packets.
  private var risks: [Double] = []

  /// Less loss is left to retransmission.
  private static let leastLoss = 0.005
  /// A retransmission this soon is in time.
  private static let shortRoundTrip = Interval.milliseconds(20)
  /// With so much in it a queue overflows: fewer bytes help there, not more.
  private static let longestQueue = Interval.milliseconds(50)
  /// Of the packets protected: what parity may cost at the least loss, how much more for each part
  /// of loss, and in all.
  private static let baseShare = 0.12
  private static let shareOfLoss = 4.4
  private static let mostShare = 1.0
  private static let creditLimit = 3.0
  private static let priceStep = 0.06
  private static let leastPrice = 0.000_5
  private static let mostPrice = 0.02
  /// Where all that may be spent on every frame leaves more than this part of the risk, losses come in bursts too
  /// long for parity: retransmission mends them for less.
  private static let uselessness = 0.6

  /// For `count` packets of one frame.
  mutating func parityCount(for count: Int, worth: Worth, on path: Path) -> Int {
    let loss = path.loss.ratio
    guard count > 0, loss >= Self.leastLoss, path.roundTrip >= Self.shortRoundTrip,
      path.standingQueue <= Self.longestQueue
    else {
      credit = 0
      return 0
    }
    let share = min(Self.mostShare, Self.baseShare + Self.shareOfLoss * loss)
    credit = min(credit, Self.creditLimit) + Double(count) * share
    // A key frame may take what the frames after it will save.
    let most = worth == .keyFrame ? credit * 1.5 + 2 : credit
    let limit = max(0, min(Int(most), min(count * 2, ParityLimit.packets)))
    let wanted = wanted(
      for: count, worth: worth, path.loss, atMost: limit,
      lasting: Int((Double(count) * share).rounded(.up)))
    credit -= Double(wanted)
    return wanted
  }

  /// `limit`: what may be spent now; `lasting`: what may be spent on every frame.
  private mutating func wanted(
    for count: Int, worth: Worth, _ loss: LossPattern, atMost limit: Int, lasting: Int
  ) -> Int {
    let most = max(limit, lasting)
    let allowance = worth.allowance(atLoss: loss.ratio)
    var chain = GilbertChain(loss, atMost: most, kept: &kept, lost: &lost)
    for _ in 0..<count { chain.step(&kept, &lost) }
    risks.removeAll(keepingCapacity: true)
    for parity in 0...most {
      if parity > 0 { chain.step(&kept, &lost) }
      risks.append(chain.excess(over: parity, kept, lost))
    }
    var parity =
      worth == .usual
      ? (0...limit).last { $0 > 0 && risks[$0 - 1] - risks[$0] >= price } ?? 0
      : (0..<limit).first { risks[$0] <= allowance } ?? limit
    if risks[lasting] > max(allowance * 2, risks[0] * Self.uselessness) { parity = 0 }
    if worth == .usual {
      let excess = min(max(risks[parity] / allowance - 1, -1), 4)
      price = min(max(price * (1 - Self.priceStep * excess), Self.leastPrice), Self.mostPrice)
    }
    return parity
  }
}

/// Bounds of what is sent as parity of one block.
private enum ParityLimit {
  static let packets = 40
}

/// Losses of consecutive packets as a Markov chain of two states (Gilbert): after a packet that came
/// the next is lost with one probability, after one that was lost with another.
private struct GilbertChain {
  private let afterKept: Double
  private let afterLost: Double
  private let ratio: Double
  private var steps = 0
  /// More losses than this are counted as failure, not one by one.
  private let most: Int

  init(_ loss: LossPattern, atMost most: Int, kept: inout [Double], lost: inout [Double]) {
    ratio = min(loss.ratio, 0.9)
    // A run ends with the first packet that comes; in the long run as many begin as end.
    afterLost = 1 - 1 / loss.burst
    afterKept = min(1, ratio / (1 - ratio) / loss.burst)
    self.most = most
    kept.removeAll(keepingCapacity: true)
    lost.removeAll(keepingCapacity: true)
    kept.append(contentsOf: repeatElement(0, count: most + 1))
    lost.append(contentsOf: repeatElement(0, count: most + 1))
  }

  /// One more packet.
  mutating func step(_ kept: inout [Double], _ lost: inout [Double]) {
    defer { steps += 1 }
    guard steps > 0 else {
      kept[0] = 1 - ratio
      if most > 0 { lost[1] = ratio }
      return
    }
    var count = most
    while count > 0 {
      // `lost` needs the row below as it was before this packet.
      kept[count] = kept[count] * (1 - afterKept) + lost[count] * (1 - afterLost)
      lost[count] = kept[count - 1] * afterKept + lost[count - 1] * afterLost
      count -= 1
    }
    kept[0] = kept[0] * (1 - afterKept) + lost[0] * (1 - afterLost)
    lost[0] = 0
  }

  /// The probability that more than `count` were lost.
  func excess(over count: Int, _ kept: [Double], _ lost: [Double]) -> Double {
    var sum = 0.0
    for index in 0...count { sum += kept[index] + lost[index] }
    return max(0, 1 - sum)
  }
}
