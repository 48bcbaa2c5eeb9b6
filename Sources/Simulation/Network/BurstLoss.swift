/// Loss that comes in bursts (Gilbert and Elliott): the line is in a good or a bad state, may change
/// it before each packet, and loses packets of each state with that state's probability.
package struct BurstLoss: Hashable, Sendable {
  /// Probabilities of 0…1, for each packet: good to bad (p), and bad to good (r).
  package var toBad: Double
  package var toGood: Double
  package var lossWhenGood: Double
  package var lossWhenBad: Double

  package init(
    toBad: Double, toGood: Double, lossWhenGood: Double = 0, lossWhenBad: Double = 1
  ) {
    self.toBad = toBad
    self.toGood = toGood
    self.lossWhenGood = lossWhenGood
    self.lossWhenBad = lossWhenBad
  }

  /// The share of all packets that is lost in the long run.
  package var averageLoss: Double {
    guard toBad + toGood > 0 else { return lossWhenGood }
    let bad = toBad / (toBad + toGood)
    return bad * lossWhenBad + (1 - bad) * lossWhenGood
  }
}
