import Judging
import Simulation
import Units

/// `forward` and `backward` of a scenario file: conditions at first, and changes, each of which
/// names only what it changes.
extension Scenario {
  private static let names = [
    "rate", "trace", "cellular", "queue", "delay", "jitter", "jitterShape", "jitterReorders",
    "loss", "burst", "corruption", "duplication", "reordering",
    "reorderDelay", "down", "stalled",
  ]

  static func line(
    _ fields: ScenarioFields, _ name: String, _ seconds: Double,
    _ trace: (String) throws(ScenarioProblem) -> [UInt8]
  ) throws(ScenarioProblem) -> ScenarioLine {
    guard let fields = try fields.object(name, known: names + ["changes"]) else {
      return ScenarioLine(LinkConditions())
    }
    var conditions = LinkConditions()
    try apply(fields, to: &conditions, trace)
    var line = ScenarioLine(conditions)
    for change in try fields.list("changes", limit: 10_000, known: names + ["at"]) {
      let at = try change.needed("at", try change.instant("at", until: seconds))
      guard at >= line.changes.last?.at ?? .zero else {
        throw ScenarioProblem("\(change.place)at is before the change above it; sort them")
      }
      try apply(change, to: &conditions, trace)
      line.changes.append((at, conditions))
    }
    return line
  }

  private static func apply(
    _ fields: ScenarioFields, to conditions: inout LinkConditions,
    _ trace: (String) throws(ScenarioProblem) -> [UInt8]
  ) throws(ScenarioProblem) {
    func set<Value>(
      _ path: WritableKeyPath<LinkConditions, Value>, _ value: Value?
    ) {
      if let value { conditions[keyPath: path] = value }
    }
    if fields.isNull("rate") {
      conditions.rate = nil
    } else if let rate = try fields.rate("rate") {
      conditions.rate = rate
      conditions.trace = nil
    }
    if let made = try Self.trace(fields, trace) { conditions.trace = made }
    set(\.queue, try fields.milliseconds("queue", 1...60_000))
    set(\.delay, try fields.milliseconds("delay"))
    set(\.jitter, try fields.milliseconds("jitter"))
    set(\.jitterShape, try fields.choice("jitterShape", JitterShape.self))
    set(\.jitterReorders, try fields.flag("jitterReorders"))
    set(\.loss, try fields.share("loss"))
    set(\.corruption, try fields.share("corruption"))
    set(\.duplication, try fields.share("duplication"))
    set(\.reordering, try fields.share("reordering"))
    set(\.reorderDelay, try fields.milliseconds("reorderDelay"))
    set(\.isDown, try fields.flag("down"))
    set(\.isStalled, try fields.flag("stalled"))
    if fields.isNull("burst") {
      conditions.burst = nil
    } else if let burst = try fields.object(
      "burst", known: ["toBad", "toGood", "lossWhenGood", "lossWhenBad"])
    {
      conditions.burst = BurstLoss(
        toBad: try burst.needed("toBad", try burst.share("toBad")),
        toGood: try burst.needed("toGood", try burst.share("toGood")),
        lossWhenGood: try burst.share("lossWhenGood") ?? 0,
        lossWhenBad: try burst.share("lossWhenBad") ?? 1)
    }
  }

  private static func trace(
    _ fields: ScenarioFields, _ read: (String) throws(ScenarioProblem) -> [UInt8]
  ) throws(ScenarioProblem) -> DeliveryTrace? {
    if let name = try fields.text("trace") {
      let bytes = try read(name)
      do { return try DeliveryTrace(parsing: bytes) } catch {
        throw ScenarioProblem("\(fields.place)trace: \(error)")
      }
    }
    guard
      let cellular = try fields.object(
        "cellular",
        known: ["seed", "average", "swing", "outagesAMinute", "longestOutage", "seconds"])
    else { return nil }
    var plan = CellularTrace(
      seed: UInt64(try cellular.count("seed", 0...1_000_000) ?? 1),
      average: try cellular.needed("average", try cellular.rate("average")))
    plan.swing = try cellular.number("swing", 0...5, "a number") ?? plan.swing
    plan.outagesAMinute =
      try cellular.number("outagesAMinute", 0...60, "a number") ?? plan.outagesAMinute
    plan.longestOutage =
      try cellular.milliseconds("longestOutage", 100...20_000) ?? plan.longestOutage
    plan.length =
      try cellular.number("seconds", 1...600, "seconds").map { .seconds($0) } ?? plan.length
    do { return try plan.trace() } catch {
      throw ScenarioProblem("\(fields.place)cellular: \(error)")
    }
  }
}
