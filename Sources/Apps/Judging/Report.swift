import CommandLine

/// One line of a verdict.
package struct Criterion: Hashable, Sendable {
  package var name: String
  package var limit: String
  package var seen: String
  package var isMet: Bool
  /// Figures for the reader and goals that are not limits decide nothing once they were measured.
  package private(set) var decides = true
  /// The number behind the words, where there is one.
  package private(set) var figure: Figure?

  package struct Figure: Hashable, Sendable {
    package var name: String
    package var value: Double?
    package var unit: String
    package var bound: Bound?
    package var isGoal = false
  }

  package init(_ name: String, limit: String, seen: String, isMet: Bool) {
    self.name = name
    self.limit = limit
    self.seen = seen
    self.isMet = isMet
  }

  /// A measured value against its upper limit; `nil` was not measured, so it is not met.
  package static func atMost(
    _ name: String, _ limit: Double, _ unit: String, seen: Double?
  ) -> Criterion {
    bounded(name, .atMost(limit), unit, seen: seen)
  }
  package static func atLeast(
    _ name: String, _ limit: Double, _ unit: String, seen: Double?
  ) -> Criterion {
    bounded(name, .atLeast(limit), unit, seen: seen)
  }
  private static func bounded(
    _ name: String, _ bound: Bound, _ unit: String, seen: Double?
  ) -> Criterion {
    var criterion = Criterion(
      name, limit: "\(bound) \(unit)", seen: seen.map { "\(rounded($0)) \(unit)" } ?? "none",
      isMet: bound.isMet(by: seen))
    criterion.figure = Figure(name: name, value: seen, unit: unit, bound: bound)
    return criterion
  }
  /// A figure that decides nothing, beside a goal; that it was measured is asked for.
  package static func goal(
    _ name: String, _ goal: Double, _ unit: String, seen: Double?
  ) -> Criterion {
    var criterion = Criterion.atMost("\(name) (goal)", goal, unit, seen: seen)
    criterion.figure?.name = name
    criterion.figure?.isGoal = true
    if let seen {
      criterion.seen += seen <= goal ? ", reached" : ", missed"
      criterion.isMet = true
      criterion.decides = false
    }
    return criterion
  }
  /// A figure for the reader; that it was measured is asked for.
  package static func shown(_ name: String, _ unit: String, seen: Double?) -> Criterion {
    var criterion = Criterion(
      name, limit: "", seen: seen.map { "\(rounded($0)) \(unit)" } ?? "none", isMet: seen != nil)
    criterion.decides = seen == nil
    criterion.figure = Figure(name: name, value: seen, unit: unit)
    return criterion
  }
  /// What cannot be tried on this computer does not count, and is said.
  package static func notTried(_ name: String, because reason: String) -> Criterion {
    Criterion(name, limit: "where there is one", seen: "not tried: \(reason)", isMet: true)
  }
  package static func equal<Value: Equatable>(
    _ name: String, _ limit: Value, seen: Value?
  ) -> Criterion {
    Criterion(
      name, limit: "\(limit)", seen: seen.map { "\($0)" } ?? "none", isMet: seen == limit)
  }
}

extension Criterion {
  fileprivate var verdict: String { isMet ? (decides ? "yes" : "-") : "NO" }
}

/// At most two decimals.
package func rounded(_ value: Double) -> String {
  guard value.isFinite, value.magnitude < 1e12 else { return "\(value)" }
  let hundredths = Int64((value * 100).rounded())
  let (whole, rest) = hundredths.magnitude.quotientAndRemainder(dividingBy: 100)
  let sign = hundredths < 0 ? "-" : ""
  if rest == 0 { return "\(sign)\(whole)" }
  if rest % 10 == 0 { return "\(sign)\(whole).\(rest / 10)" }
  return "\(sign)\(whole).\(rest < 10 ? "0" : "")\(rest)"
}

/// Named groups of criteria, and whether all are met.
package struct Report: Sendable {
  package var title: String
  package private(set) var groups: [(name: String, criteria: [Criterion])] = []

  package init(_ title: String) { self.title = title }

  package mutating func add(_ name: String, _ criteria: [Criterion]) {
    groups.append((name, criteria))
  }

  /// Another report's groups, each under `name` first.
  package mutating func add(_ name: String, _ other: Report) {
    groups += other.groups.map { ("\(name): \($0.name)", $0.criteria) }
  }

  /// An empty report is no approval.
  package var isMet: Bool {
    let all = groups.flatMap(\.criteria)
    return !all.isEmpty && all.allSatisfy(\.isMet)
  }
  package var verdict: String { isMet ? "YES" : "NO" }

  /// A table for people, ending with the verdict.
  package var text: String {
    var lines = [title]
    for group in groups {
      lines.append("")
      lines.append(group.name)
      let rows = group.criteria
      let name = rows.map(\.name.count).max() ?? 0
      let limit = rows.map(\.limit.count).max() ?? 0
      let seen = rows.map(\.seen.count).max() ?? 0
      for row in rows {
        lines.append(
          "  \(row.name.padded(to: name))  \(row.limit.padded(to: limit))  "
            + "\(row.seen.padded(to: seen))  \(row.verdict)")
      }
    }
    lines.append("")
    lines.append("\(title): \(verdict)")
    return lines.joined(separator: "\n") + "\n"
  }

  package var json: String {
    var object = JSONObject()
    object.add("title", title)
    object.add("verdict", isMet)
    object.add(
      "criteria",
      groups.flatMap { group in
        group.criteria.map { row in
          var entry = JSONObject()
          entry.add("group", group.name)
          entry.add("name", row.name)
          entry.add("limit", row.limit)
          entry.add("seen", row.seen)
          entry.add("decides", row.decides)
          entry.add("met", row.isMet)
          return entry
        }
      })
    return object.text
  }
}

extension String {
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
