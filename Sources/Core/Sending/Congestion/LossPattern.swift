/// How the path loses packets, over about the newest 1 200: what share, and in how long runs.
struct LossPattern {
  private var packets = 0.0
  private var lost = 0.0
  private var runs = 0.0
  /// Packets since the last loss.
  private var whole = 0

  /// Packets after which what was seen counts a third.
  private static let memory = 1_200.0
  /// As if so many packets had come before: a loss among the first few makes no lossy path.
  private static let doubt = 20.0
  /// Losses that were to be expected where none came: by chance once in 160 000 times.
  private static let disbelief = 12.0

  /// `runs`: how many of the lost were not right behind another lost one.
  mutating func count(_ packets: Int, lost: Int, runs: Int) {
    let keep = max(0, 1 - Double(packets) / Self.memory)
    self.packets = self.packets * keep + Double(packets)
    self.lost = max(0, self.lost * keep + Double(lost))
    self.runs = max(0, self.runs * keep + Double(runs))
    whole = lost > 0 ? 0 : whole + packets
    // So many in a row do not come by chance: a queue that overflowed has drained, a path has changed.
    if Double(whole) * ratio > Self.disbelief {
      self.lost /= 2
      self.runs /= 2
      whole = 0
    }
  }

  /// Of packets that are lost, 0…1.
  var ratio: Double { min(1, lost / (packets + Self.doubt)) }

  /// How many are lost in a row in the mean: at least as many as if each was lost by itself.
  var burst: Double {
    let alone = 1 / max(0.1, 1 - ratio)
    // As if two more had been lost by themselves: one run says little of the next.
    return min(max((lost + 2 * alone) / (runs + 2), alone), 50)
  }
}
