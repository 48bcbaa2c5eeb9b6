import CommandLine

/// A limit in one direction.
package enum Bound: Hashable, Sendable, CustomStringConvertible {
  case atMost(Double)
  case atLeast(Double)

  /// What was not measured meets none.
  package func isMet(by value: Double?) -> Bool {
    guard let value else { return false }
    return switch self {
    case .atMost(let limit): value <= limit
    case .atLeast(let limit): value >= limit
    }
  }

  package var description: String {
    switch self {
    case .atMost(let limit): "≤ \(rounded(limit))"
    case .atLeast(let limit): "≥ \(rounded(limit))"
    }
  }
}

/// One figure of the benchmarks beside what it is held against.
package struct BenchRow: Hashable, Sendable {
  /// `B8 10 % loss`
  package var metric: String
  package var figure: String
  /// `nil`: it could not be measured.
  package var seen: Double?
  package var unit: String
  /// What we want to reach.
  package var goal: Bound?
  /// What must hold.
  package var minimum: Bound?
  /// What the peer was measured at, mostly Chromium.
  package var anchor: String

  package init(
    _ metric: String, _ figure: String, _ seen: Double?, _ unit: String, goal: Bound? = nil,
    minimum: Bound? = nil, anchor: String = ""
  ) {
    self.metric = metric
    self.figure = figure
    self.seen = seen
    self.unit = unit
    self.goal = goal
    self.minimum = minimum
    self.anchor = anchor
  }

  package enum Standing: String, Hashable, Sendable {
    case goal = "goal reached"
    case minimum = "minimum kept"
    case missed = "goal missed"
    case failed = "MINIMUM MISSED"
    case shown = ""
  }

  package var standing: Standing {
    if let minimum, !minimum.isMet(by: seen) { return .failed }
    if let goal { return goal.isMet(by: seen) ? .goal : minimum == nil ? .missed : .minimum }
    return minimum == nil ? .shown : .minimum
  }
}

/// Figures with goal, minimum and anchor.
package struct BenchTable: Sendable {
  package var title: String
  package private(set) var rows: [BenchRow] = []
  /// What could not be measured here, and why.
  package private(set) var notes: [String] = []

  package init(_ title: String) { self.title = title }

  package mutating func add(_ row: BenchRow) { rows.append(row) }
  package mutating func add(_ other: BenchTable) {
    rows += other.rows
    notes += other.notes
  }
  package mutating func note(_ text: String) { notes.append(text) }

  /// A report's figures; what it calls a limit is the minimum here. `anchors` are by figure's name.
  package mutating func add(_ report: Report, anchors: [String: String] = [:]) {
    for group in report.groups {
      let metric = "\(report.title) \(group.name)"
      let first = rows.count
      for criterion in group.criteria {
        guard let figure = criterion.figure else { continue }
        let known = rows[first...].firstIndex { $0.figure == figure.name }
        let index = known ?? rows.count
        if known == nil {
          rows.append(
            BenchRow(
              metric, figure.name, figure.value, figure.unit, anchor: anchors[figure.name] ?? ""))
        }
        if figure.isGoal {
          rows[index].goal = figure.bound
        } else if figure.bound != nil {
          rows[index].minimum = figure.bound
        }
      }
    }
  }

  /// No minimum is missed. An empty table is no approval.
  package var isMet: Bool { !rows.isEmpty && rows.allSatisfy { $0.standing != .failed } }

  package var text: String {
    let head = ["", "figure", "seen", "goal", "minimum", "peer", "stands"]
    var lines = [head]
    var metric = ""
    for row in rows {
      lines.append([
        row.metric == metric ? "" : row.metric, row.figure,
        row.seen.map { "\(rounded($0)) \(row.unit)" } ?? "none", row.goal?.description ?? "",
        row.minimum?.description ?? "", row.anchor, row.standing.rawValue,
      ])
      metric = row.metric
    }
    let widths = head.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    var text = title + "\n"
    for line in lines {
      let cells = zip(line, widths).map { $0.padded(to: $1) }.joined(separator: "  ")
      text += String(cells.reversed().drop { $0 == " " }.reversed()) + "\n"
    }
    for note in notes { text += "not measured: \(note)\n" }
    return text
  }

  package var json: String {
    var object = JSONObject()
    object.add("title", title)
    object.add("verdict", isMet)
    object.add(
      "rows",
      rows.map { row in
        var entry = JSONObject()
        entry.add("metric", row.metric)
        entry.add("figure", row.figure)
        entry.add("seen", row.seen)
        entry.add("unit", row.unit)
        if let goal = row.goal { entry.add("goal", "\(goal)") }
        if let minimum = row.minimum { entry.add("minimum", "\(minimum)") }
        if !row.anchor.isEmpty { entry.add("peer", row.anchor) }
        entry.add("stands", row.standing.rawValue)
        return entry
      })
    object.add(
      "notMeasured",
      notes.map { note in
        var entry = JSONObject()
        entry.add("text", note)
        return entry
      })
    return object.text
  }
}
