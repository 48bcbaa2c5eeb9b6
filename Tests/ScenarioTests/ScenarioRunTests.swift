import Simulation
import Testing
import Units

/// What a scenario says about media, against lines whose effect is known beforehand.
@Suite struct ScenarioRunTests {
  private func media(
    _ name: String = "media", delay: Int64 = 25, limit: Int64 = 1_000, start: Double = 0,
    end: Double = 20, direction: Bottleneck.Direction = .forward,
    pauses: [ClosedRange<Instant>] = []
  ) -> ScenarioFlow {
    ScenarioFlow(
      name: name, kind: .media(limit: .kilobits(limit)), direction: direction,
      delay: .milliseconds(delay), start: .zero + .seconds(start), end: .zero + .seconds(end),
      pauses: pauses)
  }

  private func run(_ scenario: Scenario, seed: UInt64 = 1) -> ScenarioResult {
    ScenarioRun(scenario, seed: seed).run()
  }

  @Test func `a clear line adds its delay and takes nothing`() throws {
    let result = run(Scenario(name: "clear", duration: .seconds(21), flows: [media()]))
    // 4 ms to encode, 25 under way, 3 to decode; pictures are cut into packets that leave in turn.
    #expect((32...45).contains(try #require(result.figures[.frameP50])))
    #expect(result.figures[.delivered] == 1)
    #expect(result.figures[.freezes] == 0)
    #expect(result.figures[.utilisation] == nil)
    #expect(try #require(result.figures[.concealed]) < 0.005)
    #expect(result.findingCount == 0, "\(result.findings)")
    #expect(result.samples.count == 210)
  }

  @Test func `the same seed gives the same run, another one another`() {
    let line = ScenarioLine(LinkConditions(rate: .kilobits(1_500), loss: 0.02))
    let scenario = Scenario(
      name: "seeds", duration: .seconds(6), forward: line,
      flows: [media(end: 5), media("back", end: 5, direction: .backward)])
    let first = run(scenario)
    #expect(first.trace == run(scenario).trace)
    #expect(first.figures == run(scenario).figures)
    #expect(first.trace != run(scenario, seed: 2).trace)
  }

  @Test func `capacity, loss and queue are sampled as they change`() throws {
    var line = ScenarioLine(LinkConditions(rate: .kilobits(2_000), queue: .milliseconds(300)))
    var worse = line.first
    worse.rate = .kilobits(500)
    worse.loss = 0.1
    line.changes = [(.zero + .seconds(10), worse)]
    let result = run(
      Scenario(
        name: "change", duration: .seconds(20), forward: line, flows: [media(limit: 3_000)]))
    #expect(result.samples[..<100].allSatisfy { $0.forward.capacity == 2_000 })
    #expect(result.samples[100...].allSatisfy { $0.forward.capacity == 500 })
    #expect(result.samples[..<99].allSatisfy { $0.forward.loss == 0 })
    let losses = result.samples[100..<200].map(\.forward.loss)
    #expect((0.06...0.16).contains(losses.reduce(0, +) / 100))
    #expect(result.samples[100..<110].contains { $0.forward.queue > 50 })
    let used = result.samples[50..<100].map(\.forward.used).reduce(0, +) / 50
    #expect(used > 1_500 && used < 2_050)
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `alone on a narrow line whose jitter looks like company a flow fills it with a short queue`(
    seed: UInt64
  ) throws {
    var conditions = LinkConditions(
      rate: .kilobits(600), queue: .milliseconds(300), jitter: .milliseconds(30))
    conditions.jitterShape = .gaussian
    let result = run(
      Scenario(
        name: "narrow", duration: .seconds(40), forward: ScenarioLine(conditions),
        flows: [media(delay: 50, limit: 4_000, end: 39)]), seed: seed)
    #expect(try #require(result.figures[.utilisation]) > 0.94)
    #expect(try #require(result.figures[.queueP95]) < 57)
  }

  @Test func `a stall is a freeze of its length, and after it a fresh picture comes`() throws {
    var line = ScenarioLine(LinkConditions(rate: .kilobits(2_000)))
    var stalled = line.first
    stalled.isStalled = true
    line.changes = [(.zero + .seconds(10), stalled), (.zero + .seconds(13), line.first)]
    let result = run(
      Scenario(
        name: "stall", duration: .seconds(21), forward: line, backward: line, flows: [media()],
        shocks: [Shock(.stall, at: .zero + .seconds(13))]))
    // What is under way when it begins is still shown, a tenth of a second later.
    #expect((2_800...4_500).contains(try #require(result.figures[.longestFreeze])))
    let after = try #require(result.shocks.first?.took)
    #expect(after > .milliseconds(25) && after < .seconds(1.5))
    #expect(try #require(result.figures[.soundGap]) > 2_500)
    #expect(result.findingCount == 0, "\(result.findings)")
  }

  @Test func `a pause in order is no freeze`() throws {
    let pause = (Instant.zero + .seconds(8))...(Instant.zero + .seconds(12))
    let result = run(
      Scenario(name: "pause", duration: .seconds(21), flows: [media(pauses: [pause])]))
    #expect(result.figures[.freezes] == 0)
    #expect(try #require(result.figures[.delivered]) > 0.98)
    // Sound goes on, pictures do not.
    let during = result.samples[90..<118].map { $0.flows[0].sent }
    #expect(during.allSatisfy { $0 > 20 && $0 < 200 })
  }

  @Test func `a flow that comes to nothing is frozen and delivers nothing`() {
    var conditions = LinkConditions()
    conditions.isDown = true
    let result = run(
      Scenario(
        name: "down", duration: .seconds(6), forward: ScenarioLine(conditions),
        flows: [media(end: 5)],
        goals: [
          ScenarioGoal(.delivered, least: 0.9), ScenarioGoal(.frameP50, most: 100),
          ScenarioGoal(.freezes, most: 1),
        ]))
    #expect(result.figures[.delivered] == 0)
    #expect(result.figures[.freezes] == 1)
    #expect(result.verdicts.map(\.isMet) == [false, false, true])
    #expect(!result.isGood)
  }

  @Test func `a shared line's share and Jain's index are those of the rates`() throws {
    #expect(jainIndex([1, 1, 1]) == 1)
    #expect(jainIndex([1, 0]) == 0.5)
    #expect(jainIndex([]) == nil)
    let tcp = ScenarioFlow(
      name: "TCP", kind: .bulk(.cubic), delay: .milliseconds(25), end: .zero + .seconds(30))
    let line = LinkConditions(rate: .kilobits(3_000), queue: .milliseconds(100))
    let result = run(
      Scenario(
        name: "shares", duration: .seconds(31), forward: ScenarioLine(line),
        flows: [media(end: 30), media("second", end: 30), tcp]))
    func mean(_ flow: Int) -> Double {
      result.samples[100..<300].reduce(0) { $0 + $1.flows[flow].received } / 200
    }
    let rates = (0..<3).map(mean)
    let share = try #require(result.figures[.tcpShare])
    #expect(abs(share - rates[2] / rates.reduce(0, +)) < 0.01)
    let jain = try #require(result.figures[.jain])
    #expect(abs(jain - (jainIndex(Array(rates[..<2])) ?? 0)) < 0.01)
  }

  @Test func `flows in both directions meet their own bottleneck`() throws {
    let narrow = LinkConditions(rate: .kilobits(400), queue: .milliseconds(300))
    let wide = LinkConditions(rate: .kilobits(3_000), queue: .milliseconds(300))
    let result = run(
      Scenario(
        name: "both", duration: .seconds(21), forward: ScenarioLine(wide),
        backward: ScenarioLine(narrow),
        flows: [media(limit: 2_000), media("back", limit: 2_000, direction: .backward)]))
    #expect(result.flows[0].rate > .kilobits(1_200))
    #expect(result.flows[1].rate < .kilobits(420))
    #expect(result.flows[1].direction == .backward)
  }
}
