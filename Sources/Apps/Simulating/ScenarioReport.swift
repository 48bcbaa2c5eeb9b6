package import CommandLine
import Judging
package import Simulation
import Units

/// A run's figures for people.
extension ScenarioResult {
  /// Some lines, with the last one's end.
  package var text: String {
    var lines = ["\(name), seed \(seed)"]
    for flow in flows { lines.append("  " + flow.line) }
    let shared: [ScenarioFigure] = [
      .utilisation, .queueP50, .queueP95, .jain, .tcpShare, .afterDrop, .afterRise, .afterStall,
    ]
    let seen = shared.compactMap { figure in
      figures[figure].map { "\(figure.words) \(figure.written($0))" }
    }
    if !seen.isEmpty { lines.append("  " + seen.joined(separator: ", ")) }
    for verdict in verdicts {
      lines.append("  \(verdict.isMet ? "met   " : "MISSED") \(verdict.sentence)")
    }
    if findingCount > 0 {
      lines.append("  \(findingCount) FINDINGS")
      lines += findings.prefix(12).map { "    \($0)" }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// One object on one line.
  package func json(withSamples: Bool) -> String {
    var object = JSONObject()
    object.add("scenario", name)
    object.add("seed", Int(clamping: seed))
    object.add("trace", String(trace, radix: 16))
    object.add("figures", figures.json)
    object.add("flows", flows.map(\.json))
    object.add("goals", verdicts.map(\.json))
    object.add("findingCount", findingCount)
    object.add(
      "findings",
      findings.map { finding in
        var object = JSONObject()
        object.add("text", finding)
        return object
      })
    if withSamples { object.add("samples", samples.map(\.json)) }
    return object.text
  }
}

extension FlowResult {
  fileprivate var line: String {
    var parts = ["\(name) \(direction): \(Int(rate.kilobitsPerSecond.rounded())) kbit/s"]
    if transfers > 0 { parts.append("\(transfers) transfers") }
    let shown: [ScenarioFigure] = [
      .frameP50, .frameP95, .frameP99, .frameMax, .ageP95, .omniscientPictures,
      .omniscientPackets, .timesOmniscient,
      .shownP50, .shownP95, .freezes, .longestFreeze,
      .delivered, .concealed, .soundGap, .media, .overhead,
      .quality, .made, .frameSizeP95, .frameSizeMax,
    ]
    parts += shown.compactMap { figure in
      figures[figure].map { "\(figure.words) \(figure.written($0))" }
    }
    return parts.joined(separator: ", ")
  }

  fileprivate var json: JSONObject {
    var object = JSONObject()
    object.add("name", name)
    object.add("direction", "\(direction)")
    object.add("rate", rate.kilobitsPerSecond)
    object.add("transfers", transfers)
    object.add("figures", figures.json)
    return object
  }
}

extension [ScenarioFigure: Double] {
  fileprivate var json: JSONObject {
    var object = JSONObject()
    for figure in ScenarioFigure.allCases {
      if let value = self[figure] { object.add(figure.rawValue, value) }
    }
    return object
  }
}

extension GoalVerdict {
  package var sentence: String {
    let bounds =
      [goal.least.map { "≥ \(goal.figure.written($0))" }]
      + [goal.most.map { "≤ \(goal.figure.written($0))" }]
    let source = goal.source.isEmpty ? "" : "\(goal.source): "
    let seen = value.map { $0 == .infinity ? "never" : goal.figure.written($0) } ?? "none"
    return "\(source)\(goal.figure.words) \(bounds.compactMap { $0 }.joined(separator: " and ")): "
      + seen
  }

  fileprivate var json: JSONObject {
    var object = JSONObject()
    object.add("figure", goal.figure.rawValue)
    object.add("least", goal.least)
    object.add("most", goal.most)
    object.add("source", goal.source)
    object.add("value", value)
    object.add("isMet", isMet)
    return object
  }
}

extension ScenarioSample {
  package var json: JSONObject {
    func line(_ line: OfLine) -> JSONObject {
      var object = JSONObject()
      object.add("capacity", line.capacity)
      object.add("used", line.used)
      object.add("queue", line.queue)
      object.add("loss", line.loss)
      return object
    }
    var object = JSONObject()
    object.add("time", time)
    object.add("forward", line(forward))
    object.add("backward", line(backward))
    object.add(
      "flows",
      flows.map { flow in
        var object = JSONObject()
        object.add("sent", flow.sent)
        object.add("received", flow.received)
        object.add("target", flow.target)
        object.add("delay", flow.delay)
        return object
      })
    return object
  }
}

extension ScenarioFigure {
  fileprivate var words: String {
    switch self {
    case .utilisation: "utilisation"
    case .frameP50: "frame delay p50"
    case .frameP95: "p95"
    case .frameP99: "p99"
    case .frameMax: "max"
    case .ageP95: "newest picture's age p95"
    case .omniscientPictures: "omniscient"
    case .omniscientPackets: "omniscient packets"
    case .timesOmniscient: "times omniscient"
    case .shownP50: "on screen p50"
    case .shownP95: "on screen p95"
    case .freezes: "freezes"
    case .longestFreeze: "longest gap"
    case .delivered: "delivered"
    case .concealed: "sound concealed"
    case .soundGap: "sound gap"
    case .queueP50: "link queue p50"
    case .queueP95: "link queue p95"
    case .jain: "Jain"
    case .tcpShare: "TCP share"
    case .media: "pictures"
    case .overhead: "overhead"
    case .quality: "luma PSNR"
    case .made: "made of asked"
    case .frameSizeP95: "frame's share p95"
    case .frameSizeMax: "largest"
    case .afterDrop: "after drop"
    case .afterRise: "after rise"
    case .afterStall: "after stall"
    }
  }

  fileprivate func written(_ value: Double) -> String {
    guard value.isFinite else { return "never" }
    switch self {
    case .utilisation, .delivered, .concealed, .tcpShare, .overhead, .made:
      return "\(rounded(value * 100)) %"
    case .jain, .timesOmniscient: return rounded(value)
    case .freezes: return rounded(value)
    case .quality: return "\(rounded(value)) dB"
    case .frameSizeP95, .frameSizeMax: return rounded(value)
    case .media: return "\(Int(value.rounded())) kbit/s"
    default: return "\(rounded(value)) ms"
    }
  }
}
