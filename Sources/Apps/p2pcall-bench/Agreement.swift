import CommandLine
import Judging
import Simulating
import Simulation
import Units

/// The same scenario in virtual time and between real programs over the same model of a line: whether
/// what the simulation says can be believed.
struct Agreement {
  let measurements: LineMeasurements
  private static let seeds: Range<UInt64> = 1..<6
  /// Of a figure, and below which a difference counts for nothing.
  private static let tolerance = 0.15

  private struct Line {
    var scenario: String
    var figure: String
    var unit: String
    var simulated: Double
    var real: Double
    /// Differences that can't be told from noise, in the figure's own unit.
    var floor: Double

    var ratio: Double? { simulated > 0 ? real / simulated : nil }
    var agrees: Bool {
      let difference = (real - simulated).magnitude
      return difference <= floor || difference <= tolerance * simulated
    }
  }

  private static let compared: [(ScenarioFigure, String, String, factor: Double, floor: Double)] = [
    (.frameP50, "delay p50", "ms", 1, 0), (.frameP95, "delay p95", "ms", 1, 0),
    (.frameP99, "delay p99", "ms", 1, 0), (.frameMax, "delay max", "ms", 1, 0),
    (.delivered, "delivered", "%", 100, 0), (.freezes, "freezes", "", 1, 1),
    (.utilisation, "used", "%", 100, 0), (.queueP50, "link queue p50", "ms", 1, 2),
    (.queueP95, "link queue p95", "ms", 1, 2), (.media, "pictures", "kbit/s", 1, 0),
    (.overhead, "overhead", "%", 100, 3),
  ]

  func run(_ metrics: [String], isJSON: Bool) throws(BenchError) -> (text: String, isMet: Bool) {
    var lines: [Line] = []
    for subject in metrics.flatMap(LineSubject.all) {
      let scenario = try measurements.scenario(of: subject)
      progress("\(subject.metric): simulating")
      let simulated = Self.seeds.map { ScenarioRun(scenario, seed: $0).run().figures }
      let real = try measurements.run(subject).run.figures
      for (figure, name, unit, factor, floor) in Self.compared {
        let values = simulated.compactMap { $0[figure] }
        guard let seen = real[figure], !values.isEmpty else { continue }
        lines.append(
          Line(
            scenario: subject.scenario, figure: name, unit: unit,
            simulated: factor * values.reduce(0, +) / Double(values.count), real: factor * seen,
            floor: floor))
      }
    }
    let agrees = !lines.isEmpty && lines.allSatisfy(\.agrees)
    return (isJSON ? json(lines, agrees) : text(lines), agrees)
  }

  private func text(_ lines: [Line]) -> String {
    var text = "| scenario | figure | simulated | real | real / simulated | |\n"
    text += "|---|---|---|---|---|---|\n"
    for line in lines {
      let unit = line.unit.isEmpty ? "" : " \(line.unit)"
      text +=
        "| \(line.scenario) | \(line.figure) | \(rounded(line.simulated))\(unit) "
        + "| \(rounded(line.real))\(unit) | \(line.ratio.map(rounded) ?? "–") "
        + "| \(line.agrees ? "agrees" : "**differs**") |\n"
    }
    return text
  }

  private func json(_ lines: [Line], _ agrees: Bool) -> String {
    var object = JSONObject()
    object.add("title", "simulation and reality")
    object.add("verdict", agrees)
    object.add(
      "rows",
      lines.map { line in
        var entry = JSONObject()
        entry.add("scenario", line.scenario)
        entry.add("figure", line.figure)
        entry.add("unit", line.unit)
        entry.add("simulated", line.simulated)
        entry.add("real", line.real)
        entry.add("ratio", line.ratio)
        entry.add("agrees", line.agrees)
        return entry
      })
    return object.text + "\n"
  }
}
