import Judging
import Simulating
import Simulation
import Testing
import Units

@Suite struct ScenarioOutputTests {
  private let scenario = Scenario(
    name: "a <b> & c", duration: .seconds(6),
    forward: ScenarioLine(LinkConditions(rate: .kilobits(1_000))),
    flows: [
      ScenarioFlow(
        name: "media", kind: .media(limit: .kilobits(500)), delay: .milliseconds(10),
        end: .zero + .seconds(5))
    ],
    goals: [
      ScenarioGoal(.frameP50, most: 500, source: "B4"), ScenarioGoal(.frameP50, most: 1),
    ])

  @Test func `JSON holds every figure, sample and verdict`() throws {
    let result = ScenarioRun(scenario, seed: 5).run()
    let json = try #require(JSONValue(parsing: result.json(withSamples: true).utf8))
    #expect(json["scenario"]?.string == "a <b> & c")
    #expect(json["seed"]?.integer == 5)
    let seen = try #require(json["figures"]?["frameP50"]?.number)
    #expect(seen == result.figures[.frameP50])
    guard case .array(let samples) = json["samples"], case .array(let goals) = json["goals"] else {
      Issue.record("no lists")
      return
    }
    #expect(samples.count == 60)
    #expect(samples.last?["time"]?.number == 6)
    #expect(samples[20]["forward"]?["capacity"]?.number == 1_000)
    #expect(goals.map { $0["isMet"] } == [.bool(true), .bool(false)])
    let brief = try #require(JSONValue(parsing: result.json(withSamples: false).utf8))
    #expect(brief["samples"] == nil)
  }

  @Test func `the text tells met from missed`() {
    let text = ScenarioRun(scenario, seed: 5).run().text
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines[0] == "a <b> & c, seed 5")
    #expect(lines.contains { $0.contains("met    B4: frame delay p50 ≤ 500 ms") })
    #expect(lines.contains { $0.contains("MISSED frame delay p50 ≤ 1 ms") })
  }

  @Test func `a plot is whole XML with four panels and its text escaped`() {
    let svg = ScenarioRun(scenario, seed: 5).run().plot(of: scenario)
    #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
    #expect(svg.contains("a &lt;b&gt; &amp; c"))
    for unit in ["kbit/s", ">ms<", ">%<", "seconds"] { #expect(svg.contains(unit), "\(unit)") }
    #expect(svg.split(separator: ">seconds<").count == 5)
    #expect(!svg.contains("nan") && !svg.contains("inf"))
    #expect(!svg.contains("href"))
    let opened = svg.split(separator: "<text").count
    #expect(svg.split(separator: "</text>").count == opened)
  }
}
