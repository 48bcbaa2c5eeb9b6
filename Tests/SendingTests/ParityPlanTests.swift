import Testing
import Units

@testable import Sending

@Suite struct ParityPlanTests {
  /// As if `runs` runs of `burst` packets had been lost of `packets`.
  private func path(
    loss: Double, burst: Double = 1, roundTrip: Interval = .milliseconds(50),
    queue: Interval = .zero
  ) -> ParityPlan.Path {
    var pattern = LossPattern()
    for _ in 0..<200 {
      pattern.count(
        1_000, lost: Int(1_000 * loss), runs: Int((1_000 * loss / burst).rounded()))
    }
    return ParityPlan.Path(loss: pattern, roundTrip: roundTrip, standingQueue: queue)
  }

  /// Parity packets of each of 300 frames.
  private func plans(
    _ count: Int, _ path: ParityPlan.Path, worth: ParityPlan.Worth = .usual
  ) -> [Int] {
    var plan = ParityPlan()
    return (0..<300).map { _ in plan.parityCount(for: count, worth: worth, on: path) }
  }

  private func mean(_ plans: [Int]) -> Double {
    Double(plans.reduce(0, +)) / Double(plans.count)
  }

  /// How often more than its parity is lost of a frame, each packet by itself.
  private func failures(_ plans: [Int], count: Int, loss: Double) -> Double {
    var random = SeededRandom(seed: 3)
    var failed = 0
    for round in 0..<100 {
      for parity in plans.dropFirst(round % 2) {
        let lost = (0..<count + parity).count { _ in random.chance(loss) }
        if lost > parity { failed += 1 }
      }
    }
    return Double(failed) / Double(plans.count * 100)
  }

  @Test func `no loss, a short way or a full queue get no parity`() {
    #expect(Set(plans(8, path(loss: 0.004))) == [0])
    #expect(Set(plans(8, path(loss: 0.1, roundTrip: .milliseconds(19)))) == [0])
    #expect(Set(plans(8, path(loss: 0.1, queue: .milliseconds(51)))) == [0])
    #expect(!plans(8, path(loss: 0.1, queue: .milliseconds(50))).contains(0))
  }

  @Test(arguments: [(0.01, 9), (0.05, 8), (0.05, 14), (0.1, 7), (0.2, 5), (0.2, 20)])
  func `99 of 100 frames are whole without retransmission, and parity is not wasted on more`(
    loss: Double, count: Int
  ) {
    let plans = plans(count, path(loss: loss))
    let failed = failures(plans, count: count, loss: loss)
    #expect(failed < max(0.0078, loss * 0.05) * 1.2)
    // One packet less would be too little.
    let fewer = failures(plans.map { max(0, $0 - 1) }, count: count, loss: loss)
    #expect(fewer > 0.01)
  }

  @Test func `parity costs a third at 5 percent, no more than as much again at any loss`() {
    #expect(mean(plans(8, path(loss: 0.05))) / 8 < 0.34)
    #expect(mean(plans(1, path(loss: 0.05))) < 0.34)
    #expect(mean(plans(2, path(loss: 0.4))) / 2 <= 1)
    #expect(mean(plans(60, path(loss: 0.4))) / 60 <= 1)
  }

  @Test func `larger blocks need less of themselves`() {
    let path = path(loss: 0.05)
    #expect(mean(plans(30, path)) / 30 < mean(plans(8, path)) / 8 * 0.8)
  }

  @Test func `key frames get more, frames that nothing refers to less`() {
    let path = path(loss: 0.05)
    let usual = mean(plans(10, path))
    var plan = ParityPlan()
    #expect(Double(plan.parityCount(for: 10, worth: .keyFrame, on: path)) > usual)
    #expect(mean(plans(10, path, worth: .discardable)) < usual)
  }

  @Test func `short bursts get more parity, long ones none`() {
    let alone = mean(plans(9, path(loss: 0.02)))
    let short = mean(plans(9, path(loss: 0.02, burst: 1.6)))
    #expect(short > alone)
    #expect(plans(9, path(loss: 0.05, burst: 20)).allSatisfy { $0 == 0 })
  }

  @Test func `the pattern of losses is learned in a second and forgotten in ten`() {
    var pattern = LossPattern()
    for _ in 0..<30 { pattern.count(10, lost: 1, runs: 1) }
    #expect(pattern.ratio > 0.085)
    #expect(pattern.ratio < 0.1)
    #expect(pattern.burst < 1.2)
    for _ in 0..<30 { pattern.count(10, lost: 2, runs: 1) }
    #expect(pattern.burst > 1.3)
    for _ in 0..<600 { pattern.count(10, lost: 0, runs: 0) }
    #expect(pattern.ratio < 0.002)
    #expect(LossPattern().ratio == 0)
  }
}
