import Foundation
import Simulation
import Testing
import Units

/// From joining to the first picture, over as many seeds as P2PCALL_SEEDS says (20 unless it does).
@Suite struct JoinTests {
  private static let count =
    ProcessInfo.processInfo.environment["P2PCALL_SEEDS"].flatMap(UInt64.init) ?? 20

  private static let limits: [(JoinTrials.Setting, p50: Double, p95: Double)] = [
    (.near, 80, 80), (.far, 260, 260), (.lossy, 480, 600),
    (.wifi, 450, 600), (.mobile, 1_200, 1_600), (.satellite, 7_600, 10_000),
  ]

  @Test(arguments: limits)
  func `the first picture is there soon, whatever is lost`(
    setting: JoinTrials.Setting, p50: Double, p95: Double
  ) throws {
    let trials = try JoinTrials(setting, first: 1, count: Self.count)
    #expect(trials.failures.isEmpty, "\(trials.row)")
    #expect(trials.percentile(0.5).milliseconds <= p50, "\(trials.row)")
    #expect(trials.percentile(0.95).milliseconds <= p95, "\(trials.row)")
  }
}
