import Simulation
import Testing
import Units

/// TCP as a competitor: it must fill a line and share it, or nothing that is said about sharing
/// with it holds.
@Suite struct StreamCompetitionTests {
  private func run(
    _ flows: [ScenarioFlow], rate: Int64 = 4_000, queue: Int64 = 100, seconds: Double = 60,
    seed: UInt64 = 1
  ) -> ScenarioResult {
    let line = LinkConditions(rate: .kilobits(rate), queue: .milliseconds(queue))
    let scenario = Scenario(
      name: "TCP", duration: .seconds(seconds), forward: ScenarioLine(line), flows: flows)
    return ScenarioRun(scenario, seed: seed).run()
  }

  private func bulk(
    _ algorithm: StreamAlgorithm, delay: Int64 = 25, start: Double = 0, end: Double = 60
  ) -> ScenarioFlow {
    ScenarioFlow(
      name: "\(algorithm)", kind: .bulk(algorithm), delay: .milliseconds(delay),
      start: .zero + .seconds(start), end: .zero + .seconds(end))
  }

  @Test(arguments: [StreamAlgorithm.reno, .cubic])
  func `one flow fills a line`(algorithm: StreamAlgorithm) throws {
    let result = run([bulk(algorithm)])
    #expect(try #require(result.figures[.utilisation]) >= 0.9)
    #expect(result.flows[0].rate >= .kilobits(3_600))
  }

  @Test(arguments: [StreamAlgorithm.reno, .cubic])
  func `two equal flows share it`(algorithm: StreamAlgorithm) throws {
    // A flow that comes later has to win its share.
    let result = run(
      [bulk(algorithm, end: 120), bulk(algorithm, start: 5, end: 120)], seconds: 120)
    #expect(try #require(result.figures[.jain]) >= 0.95)
    #expect(try #require(result.figures[.utilisation]) >= 0.9)
  }

  @Test func `Reno halves its window and Cubic keeps seven tenths`() throws {
    // A line with next to no queue: what the reduction takes away is missing at once.
    let reno = run([bulk(.reno, delay: 50)], queue: 10)
    let cubic = run([bulk(.cubic, delay: 50)], queue: 10)
    let difference =
      try #require(cubic.figures[.utilisation]) - (try #require(reno.figures[.utilisation]))
    #expect(difference > 0.02)
  }

  @Test func `short transfers come one after another with pauses between`() {
    let web = ScenarioFlow(
      name: "web", kind: .short(.cubic, bytes: 100_000...200_000, idle: .seconds(2)),
      delay: .milliseconds(25), end: .zero + .seconds(300))
    let result = run([web], seconds: 300)
    // Each takes some 0.5 s and pauses 2 s: about 120, with a standard deviation near 9.
    #expect((85...155).contains(result.flows[0].transfers))
    let bytes = result.flows[0].rate.bytes(in: .seconds(300)).bytes
    let mean = bytes / max(1, result.flows[0].transfers)
    // With headers, and what was repeated after the first overshoot.
    #expect((140_000...190_000).contains(mean))
  }

  @Test func `the same seed gives the same run`() {
    let flows = [bulk(.cubic, end: 10), bulk(.reno, end: 10)]
    let first = run(flows, seconds: 10)
    #expect(first.trace == run(flows, seconds: 10).trace)
    #expect(first.samples.count == 100)
  }
}
