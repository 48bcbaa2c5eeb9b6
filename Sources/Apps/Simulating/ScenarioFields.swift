import Judging
import Units

/// Why a file is no scenario: one sentence that ends with what to write instead.
package struct ScenarioProblem: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String
  init(_ description: String) { self.description = description }
}

/// One object of a scenario file, read field by field; a name that nobody knows is a mistake.
struct ScenarioFields {
  /// Where it stands in the file, for messages: `flows[0].`, or empty at the top.
  let place: String
  private let members: [JSONValue.Member]

  init(_ value: JSONValue, at place: String, known: [String]) throws(ScenarioProblem) {
    guard case .object(let members) = value else {
      throw ScenarioProblem(
        "\(place.isEmpty ? "the file" : String(place.dropLast())) is not an object; "
          + "write { \"\(known[0])\": … }")
    }
    self.place = place
    self.members = members
    for (index, member) in members.enumerated() {
      let name = String(member.name.prefix(40)).filter { $0.isASCII && $0 >= " " && $0 != "\u{7F}" }
      guard known.contains(member.name) else {
        throw ScenarioProblem(
          "\(place)\(name) is not known; use \(known.joined(separator: ", "))")
      }
      guard !members[..<index].contains(where: { $0.name == member.name }) else {
        throw ScenarioProblem("\(place)\(name) is there twice; remove one")
      }
    }
  }

  func value(_ name: String) -> JSONValue? { members.first { $0.name == name }?.value }
  func isNull(_ name: String) -> Bool { value(name) == .null }

  func number(
    _ name: String, _ range: ClosedRange<Double>, _ unit: String
  ) throws(ScenarioProblem) -> Double? {
    guard let value = value(name) else { return nil }
    guard let number = value.number, range.contains(number) else {
      let bounds = "\(rounded(range.lowerBound)) to \(rounded(range.upperBound))"
      throw ScenarioProblem("\(place)\(name) is out of bounds; write \(unit) from \(bounds)")
    }
    return number
  }

  func needed<Value>(_ name: String, _ value: Value?) throws(ScenarioProblem) -> Value {
    guard let value else { throw ScenarioProblem("\(place)\(name) is missing; add it") }
    return value
  }

  func milliseconds(
    _ name: String, _ range: ClosedRange<Double> = 0...60_000
  ) throws(ScenarioProblem) -> Interval? {
    try number(name, range, "milliseconds").map { .seconds($0 / 1_000) }
  }

  func instant(_ name: String, until end: Double) throws(ScenarioProblem) -> Instant? {
    try number(name, 0...end, "seconds").map { .zero + .seconds($0) }
  }

  func rate(_ name: String) throws(ScenarioProblem) -> Bitrate? {
    try number(name, 10...100_000, "kbit/s").map { Bitrate(bitsPerSecond: Int64($0 * 1_000)) }
  }

  func share(_ name: String) throws(ScenarioProblem) -> Double? {
    try number(name, 0...1, "a probability")
  }

  func count(_ name: String, _ range: ClosedRange<Int>) throws(ScenarioProblem) -> Int? {
    let bounds = Double(range.lowerBound)...Double(range.upperBound)
    guard let number = try number(name, bounds, "a whole number") else { return nil }
    guard let count = Int(exactly: number) else {
      throw ScenarioProblem("\(place)\(name) has a fraction; write a whole number")
    }
    return count
  }

  func flag(_ name: String) throws(ScenarioProblem) -> Bool? {
    guard let value = value(name) else { return nil }
    guard case .bool(let flag) = value else {
      throw ScenarioProblem("\(place)\(name) is neither true nor false; write one of them")
    }
    return flag
  }

  /// At most 1 000 characters.
  func text(_ name: String) throws(ScenarioProblem) -> String? {
    guard let value = value(name) else { return nil }
    guard let text = value.string, (1...1_000).contains(text.count) else {
      throw ScenarioProblem("\(place)\(name) is no text of 1 to 1000 characters; write some")
    }
    return text
  }

  func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, _ type: Choice.Type
  ) throws(ScenarioProblem) -> Choice? where Choice.RawValue == String {
    guard let value = value(name) else { return nil }
    if let choice = value.string.flatMap(Choice.init(rawValue:)) { return choice }
    let all = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    throw ScenarioProblem("\(place)\(name) is not known; choose one of \(all)")
  }

  /// The objects of a list, at most `limit`; none if it isn't there.
  func list(
    _ name: String, limit: Int, known: [String]
  ) throws(ScenarioProblem) -> [ScenarioFields] {
    guard let value = value(name) else { return [] }
    guard case .array(let values) = value, values.count <= limit else {
      throw ScenarioProblem(
        "\(place)\(name) is no list of at most \(limit) objects; write [ { … } ]")
    }
    var fields: [ScenarioFields] = []
    for (index, value) in values.enumerated() {
      fields.append(try ScenarioFields(value, at: "\(place)\(name)[\(index)].", known: known))
    }
    return fields
  }

  func object(_ name: String, known: [String]) throws(ScenarioProblem) -> ScenarioFields? {
    guard let value = value(name) else { return nil }
    return try ScenarioFields(value, at: "\(place)\(name).", known: known)
  }
}
