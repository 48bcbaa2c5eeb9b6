import CommandLine
import Simulating
import Simulation
import Testing
import Units

@Suite struct ScenarioFileTests {
  private func parse(_ text: String, trace: String = "") throws -> Scenario {
    try Scenario(parsing: Array(text.utf8)) { (_) throws(ScenarioProblem) in Array(trace.utf8) }
  }

  private func problem(_ text: String, trace: String = "") -> String? {
    do {
      _ = try parse(text, trace: trace)
      return nil
    } catch { return "\(error)" }
  }

  private static let flow = #"{"kind": "media", "delay": 50}"#
  private func file(_ more: String) -> String {
    #"{"name": "n", "seconds": 10, "flows": [\#(Self.flow)], \#(more)}"#
  }

  @Test func `a file's fields arrive in their units`() throws {
    let scenario = try parse(
      #"""
      {"name": "all", "description": "of it", "seconds": 30,
       "forward": {"rate": 1000, "queue": 300, "jitter": 30, "loss": 0.01,
         "burst": {"toBad": 0.01, "toGood": 0.3, "lossWhenBad": 0.9},
         "changes": [{"at": 10, "rate": 250.5}, {"at": 20, "stalled": true, "burst": null}]},
       "backward": {"trace": "x"},
       "flows": [
         {"kind": "media", "name": "a", "direction": "both", "delay": 50, "limit": 2500, "end": 29,
          "pauses": [{"from": 5, "to": 6}]},
         {"kind": "tcp", "algorithm": "reno", "delay": 10, "start": 1, "count": 2},
         {"kind": "short-tcp", "delay": 10, "bytes": {"least": 10, "most": 20}, "idle": 2}],
       "shocks": [{"kind": "drop", "at": 10}], "fairness": {"from": 3, "to": 9},
       "goals": [{"figure": "frameP95", "most": 135, "source": "B4"}]}
      """#, trace: "10\n")
    #expect(scenario.duration == .seconds(30))
    #expect(scenario.forward.first.rate == .kilobits(1_000))
    #expect(scenario.forward.first.queue == .milliseconds(300))
    #expect(scenario.forward.first.burst?.lossWhenBad == 0.9)
    let changes = scenario.forward.changes
    #expect(changes.map(\.at) == [.zero + .seconds(10), .zero + .seconds(20)])
    #expect(changes[0].to.rate == Bitrate(bitsPerSecond: 250_500))
    #expect(changes[0].to.loss == 0.01 && changes[0].to.burst != nil)
    #expect(changes[1].to.isStalled && changes[1].to.burst == nil)
    #expect(changes[1].to.rate == Bitrate(bitsPerSecond: 250_500))
    #expect(scenario.backward.first.averageRate == .kilobits(1_200))
    #expect(scenario.flows.map(\.name) == ["a", "a back", "tcp 3 1", "tcp 3 2", "short-tcp 5"])
    #expect(scenario.flows.map(\.direction)[..<2] == [.forward, .backward])
    #expect(scenario.flows[2].kind == .bulk(.reno))
    #expect(scenario.flows[4].kind == .short(.cubic, bytes: 10...20, idle: .seconds(2)))
    #expect(scenario.shocks == [Shock(.drop, at: .zero + .seconds(10))])
    #expect(scenario.goals == [ScenarioGoal(.frameP95, most: 135, source: "B4")])
    #expect(scenario.longestStall == .seconds(10))
  }

  @Test func `wrong files are refused in one sentence that names the place and the remedy`() {
    let cases: [(text: String, place: String, remedy: String)] = [
      ("", "not JSON", "check"), ("{", "not JSON", "check"), ("[]", "the file", "write {"),
      (#"{"name": "n"}"#, "seconds", "add it"),
      (#"{"name": "n", "seconds": 1e999, "flows": []}"#, "seconds", "from 1 to 3600"),
      (#"{"name": "n", "seconds": 10, "flows": []}"#, "flows", "add at least one"),
      (#"{"name": "n", "seconds": 10, "flows": 3}"#, "flows", "[ {"),
      (#"{"name": "n", "seconds": 10, "flows": [{"kind": "udp"}]}"#, "flows[0].kind", "\"tcp\""),
      (#"{"name": "n", "seconds": 10, "flows": [{"kind": "tcp"}]}"#, "flows[0].delay", "add it"),
      (file(#""forwards": {}"#), "forwards", "use name"),
      (file(#""forward": {"rate": -1}"#), "forward.rate", "from 10 to 100000"),
      (file(#""forward": {"loss": 5}"#), "forward.loss", "from 0 to 1"),
      (file(#""forward": {"rate": "fast"}"#), "forward.rate", "write kbit/s"),
      (file(#""forward": {"stalled": 1}"#), "forward.stalled", "one of them"),
      (file(#""forward": {"rate": 100, "rate": 200}"#), "forward.rate", "remove one"),
      (file(#""forward": {"burst": {"toBad": 0.1}}"#), "forward.burst.toGood", "add it"),
      (file(#""forward": {"changes": [{"rate": 100}]}"#), "forward.changes[0].at", "add it"),
      (
        file(#""forward": {"changes": [{"at": 5}, {"at": 4}]}"#), "forward.changes[1].at", "sort"
      ),
      (file(#""forward": {"changes": [{"at": 11}]}"#), "forward.changes[0].at", "from 0 to 10"),
      (file(#""fairness": {"from": 5, "to": 5}"#), "fairness.to", "later"),
      (file(#""goals": [{"figure": "speed", "most": 1}]"#), "goals[0].figure", "\"jain\""),
      (file(#""goals": [{"figure": "jain"}]"#), "goals[0].figure", "least or most"),
      (
        file(#""shocks": [{"kind": "drop", "at": 5}, {"kind": "rise", "at": 1}]"#), "shocks[1]",
        "sort"
      ),
    ]
    for (text, place, remedy) in cases {
      let sentence = problem(text)
      #expect(sentence?.contains(place) == true, "\(text): \(sentence ?? "accepted")")
      #expect(sentence?.contains(remedy) == true, "\(text): \(sentence ?? "accepted")")
      #expect(sentence?.contains("\n") == false)
    }
    #expect(
      problem(file(#""forward": {"trace": "x"}"#), trace: "5\n4\n")?.contains("line 2") == true)
  }

  @Test func `too many flows and deep nesting are refused`() {
    let many = Array(repeating: #"{"kind": "tcp", "delay": 1, "count": 40}"#, count: 40)
    let text = #"{"name": "n", "seconds": 10, "flows": [\#(many.joined(separator: ","))]}"#
    #expect(problem(text)?.contains("at most 40") == true)
    let deep = String(repeating: "[", count: 100_000)
    #expect(problem(deep)?.contains("not JSON") == true)
    // A name from the file is told without what could steer a terminal.
    #expect(problem(#"{"\u001b[31mred": 1}"#)?.contains("\u{1B}") == false)
  }

  @Test func `garbage in a good file never traps`() throws {
    var random = SeededRandom(seed: 7)
    let good = Array(file(#""forward": {"rate": 1000, "changes": [{"at": 5, "loss": 0.5}]}"#).utf8)
    for _ in 0..<2_000 {
      var bytes = good
      for _ in 0...Int(random.next() % 4) {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      let scenario = try? Scenario(parsing: bytes) { (_) throws(ScenarioProblem) in [] }
      #expect((1...3_600).contains(scenario?.duration.seconds ?? 1))
    }
  }

  @Test func `the options say what to run`() throws {
    func options(_ arguments: [String]) throws -> SimulationOptions? {
      guard case .result(let options) = try SimulationOptions.parse(arguments) else { return nil }
      return options
    }
    let found = try options(["a.json", "--seed", "7", "--seeds=3", "--json", "b.json"])
    #expect(found?.scenarios == ["a.json", "b.json"])
    #expect(found?.firstSeed == 7 && found?.seedCount == 3 && found?.isJSON == true)
    #expect(try options(["a.json", "--plot", "x.svg"])?.plot == "x.svg")
    #expect(throws: UsageError.self) { try options(["--plot", "x.svg"]) }
    #expect(throws: UsageError.self) { try options(["a.json", "--plot", "x.png"]) }
    #expect(throws: UsageError.self) { try options(["a.json", "--seeds", "0"]) }
    #expect(throws: UsageError.self) { try options(["--seeds", "-1"]) }
    #expect(try options(["--joins"])?.isBehindNATs == false)
    #expect(try options(["--joins", "--behind-nats"])?.isBehindNATs == true)
    #expect(throws: UsageError.self) { try options(["--behind-nats"]) }
  }
}
