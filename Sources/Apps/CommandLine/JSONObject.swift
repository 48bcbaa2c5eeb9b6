/// One JSON object on one line, its members in the order in which they were added (RFC 8259).
package struct JSONObject: Sendable {
  private var body: [UInt8] = []

  package init() {}

  package mutating func add(_ name: String, _ value: String) {
    begin(name)
    quote(value)
  }
  package mutating func add(_ name: String, _ value: Int) {
    begin(name)
    body += Array(String(value).utf8)
  }
  package mutating func add(_ name: String, _ value: Bool) {
    begin(name)
    body += Array((value ? "true" : "false").utf8)
  }
  /// At most three decimals; not a number, infinite and absent values are `null`.
  package mutating func add(_ name: String, _ value: Double?) {
    begin(name)
    body += Array((value.flatMap(decimal) ?? "null").utf8)
  }
  package mutating func add(_ name: String, _ value: JSONObject) {
    begin(name)
    body += [UInt8(ascii: "{")] + value.body + [UInt8(ascii: "}")]
  }
  package mutating func add(_ name: String, _ values: [JSONObject]) {
    begin(name)
    body.append(UInt8(ascii: "["))
    for (index, value) in values.enumerated() {
      if index > 0 { body.append(UInt8(ascii: ",")) }
      body += [UInt8(ascii: "{")] + value.body + [UInt8(ascii: "}")]
    }
    body.append(UInt8(ascii: "]"))
  }

  package var text: String { "{" + String(decoding: body, as: UTF8.self) + "}" }

  private mutating func begin(_ name: String) {
    if !body.isEmpty { body.append(UInt8(ascii: ",")) }
    quote(name)
    body.append(UInt8(ascii: ":"))
  }

  /// Escapes what RFC 8259 §7 demands, and all that could steer a terminal that shows the line.
  private mutating func quote(_ text: String) {
    body.append(UInt8(ascii: "\""))
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": body += Array("\\\"".utf8)
      case "\\": body += Array("\\\\".utf8)
      case "\n": body += Array("\\n".utf8)
      case "\r": body += Array("\\r".utf8)
      case "\t": body += Array("\\t".utf8)
      case _ where scalar.isTerminalControl:
        let digits = String(scalar.value, radix: 16)
        body += Array(("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
      default: body += Array(UTF8.encode(scalar)!)
      }
    }
    body.append(UInt8(ascii: "\""))
  }
}

/// Without exponent: `-0.5`, `12`, `33.367`.
private func decimal(_ value: Double) -> String? {
  guard value.isFinite, value.magnitude < 1e15 else { return nil }
  let thousandths = Int64((value * 1000).rounded())
  let (whole, rest) = thousandths.magnitude.quotientAndRemainder(dividingBy: 1000)
  let sign = thousandths < 0 ? "-" : ""
  guard rest > 0 else { return "\(sign)\(whole)" }
  var digits = String(String(rest + 1000).dropFirst())
  while digits.hasSuffix("0") { digits.removeLast() }
  return "\(sign)\(whole).\(digits)"
}
