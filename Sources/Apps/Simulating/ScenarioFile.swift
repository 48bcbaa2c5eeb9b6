import Judging
package import Simulation
import Units

/// A scenario as a JSON file; scenarios/README.md explains every field. Rates are in kbit/s, delays
/// and queues in milliseconds, instants in seconds, shares and probabilities in 0…1.
extension Scenario {
  private static let longest = 3_600.0
  private static let mostFlows = 40

  /// `trace` reads a file that is named beside the scenario.
  package init(
    parsing bytes: [UInt8], trace: (String) throws(ScenarioProblem) -> [UInt8]
  ) throws(ScenarioProblem) {
    guard let value = JSONValue(parsing: bytes) else {
      throw ScenarioProblem("it is not JSON; check its brackets, quotes and commas")
    }
    let fields = try ScenarioFields(
      value, at: "",
      known: [
        "name", "description", "seconds", "forward", "backward", "flows", "shocks", "fairness",
        "goals",
      ])
    let seconds = try fields.needed(
      "seconds", try fields.number("seconds", 1...Self.longest, "seconds"))
    self.init(
      name: try fields.needed("name", try fields.text("name")),
      description: try fields.text("description") ?? "", duration: .seconds(seconds),
      forward: try Self.line(fields, "forward", seconds, trace),
      backward: try Self.line(fields, "backward", seconds, trace),
      flows: try Self.flows(fields, seconds), shocks: try Self.shocks(fields, seconds),
      goals: try Self.goals(fields),
      fairness: try fields.object("fairness", known: ["from", "to"]).map {
        (range) throws(ScenarioProblem) in try Self.range(range, until: seconds)
      })
  }

  private static func range(
    _ fields: ScenarioFields, until end: Double
  ) throws(ScenarioProblem) -> ClosedRange<Instant> {
    let from = try fields.needed("from", try fields.instant("from", until: end))
    let to = try fields.needed("to", try fields.instant("to", until: end))
    guard from < to else {
      throw ScenarioProblem("\(fields.place)to is not after from; write a later second")
    }
    return from...to
  }

  // MARK: Flows

  private static func flows(
    _ fields: ScenarioFields, _ seconds: Double
  ) throws(ScenarioProblem) -> [ScenarioFlow] {
    let list = try fields.list(
      "flows", limit: mostFlows,
      known: [
        "name", "kind", "count", "direction", "delay", "start", "end", "limit", "algorithm",
        "bytes", "idle", "pauses",
      ])
    var flows: [ScenarioFlow] = []
    for fields in list { flows += try Self.flow(fields, seconds, number: flows.count + 1) }
    guard !flows.isEmpty else {
      throw ScenarioProblem("flows is missing or empty; add at least one flow")
    }
    guard flows.count <= mostFlows else {
      throw ScenarioProblem("flows are \(flows.count); leave at most \(mostFlows)")
    }
    return flows
  }

  private enum Kind: String, CaseIterable {
    case media
    case tcp
    case shortTCP = "short-tcp"
  }
  private enum Way: String, CaseIterable {
    case forward
    case backward
    case both

    var directions: [Bottleneck.Direction] {
      switch self {
      case .forward: [.forward]
      case .backward: [.backward]
      case .both: [.forward, .backward]
      }
    }
  }

  private static func flow(
    _ fields: ScenarioFields, _ seconds: Double, number: Int
  ) throws(ScenarioProblem) -> [ScenarioFlow] {
    let word = try fields.needed("kind", try fields.choice("kind", Kind.self))
    let start = try fields.instant("start", until: seconds) ?? .zero
    let end = try fields.instant("end", until: seconds) ?? .zero + .seconds(seconds)
    guard start < end else {
      throw ScenarioProblem("\(fields.place)end is not after its start; write a later second")
    }
    let kind = try Self.kind(word, fields)
    let delay = try fields.needed("delay", try fields.milliseconds("delay", 0...5_000))
    var pauses: [ClosedRange<Instant>] = []
    for pause in try fields.list("pauses", limit: 100, known: ["from", "to"]) {
      pauses.append(try range(pause, until: seconds))
    }
    let count = try fields.count("count", 1...mostFlows) ?? 1
    let directions = (try fields.choice("direction", Way.self) ?? .forward).directions
    let name = try fields.text("name") ?? "\(word.rawValue) \(number)"
    return (1...count).flatMap { copy in
      directions.map { direction in
        let suffix =
          (count > 1 ? " \(copy)" : "")
          + (directions.count > 1 && direction == .backward ? " back" : "")
        return ScenarioFlow(
          name: name + suffix, kind: kind, direction: direction, delay: delay, start: start,
          end: end, pauses: pauses)
      }
    }
  }

  private static func kind(
    _ kind: Kind, _ fields: ScenarioFields
  ) throws(ScenarioProblem) -> ScenarioFlow.Kind {
    let algorithm = try fields.choice("algorithm", StreamAlgorithm.self) ?? .cubic
    switch kind {
    case .media: return .media(limit: try fields.rate("limit") ?? .kilobits(2_500))
    case .tcp: return .bulk(algorithm)
    case .shortTCP:
      let bytes = try fields.object("bytes", known: ["least", "most"])
      let least = try bytes?.count("least", 1...100_000_000) ?? 100_000
      let most = try bytes?.count("most", 1...100_000_000) ?? 1_000_000
      guard least <= most else {
        throw ScenarioProblem("\(fields.place)bytes.most is below least; write a larger number")
      }
      let idle = try fields.number("idle", 0.01...3_600, "seconds") ?? 10
      return .short(algorithm, bytes: least...most, idle: .seconds(idle))
    }
  }

  // MARK: What is asked of it

  private static func shocks(
    _ fields: ScenarioFields, _ seconds: Double
  ) throws(ScenarioProblem) -> [Shock] {
    var shocks: [Shock] = []
    for fields in try fields.list("shocks", limit: 100, known: ["kind", "at"]) {
      let kind = try fields.needed("kind", try fields.choice("kind", Shock.Kind.self))
      let at = try fields.needed("at", try fields.instant("at", until: seconds))
      guard at >= shocks.last?.at ?? .zero else {
        throw ScenarioProblem("\(fields.place)at is before the shock above it; sort them")
      }
      shocks.append(Shock(kind, at: at))
    }
    return shocks
  }

  private static func goals(_ fields: ScenarioFields) throws(ScenarioProblem) -> [ScenarioGoal] {
    var goals: [ScenarioGoal] = []
    for fields in try fields.list(
      "goals", limit: 100, known: ["figure", "least", "most", "source"])
    {
      let figure = try fields.needed(
        "figure", try fields.choice("figure", ScenarioFigure.self))
      let least = try fields.number("least", -1e9...1e9, "a number")
      let most = try fields.number("most", -1e9...1e9, "a number")
      guard least != nil || most != nil else {
        throw ScenarioProblem("\(fields.place)figure has no bound; add least or most")
      }
      goals.append(
        ScenarioGoal(figure, least: least, most: most, source: try fields.text("source") ?? ""))
    }
    return goals
  }
}
