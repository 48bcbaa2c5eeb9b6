/// A parsed JSON text (RFC 8259). Numbers are doubles; of equal names the last one counts.
package enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([Member])

  package struct Member: Hashable, Sendable {
    package var name: String
    package var value: JSONValue
    package init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// `nil` unless the whole text is one JSON value.
  package init?(parsing text: some Sequence<UInt8>) {
    var parser = JSONParser(text: Array(text))
    guard let value = parser.value(depth: 0), parser.isAtEnd() else { return nil }
    self = value
  }

  package subscript(name: String) -> JSONValue? {
    if case .object(let members) = self { return members.last { $0.name == name }?.value }
    return nil
  }
  package var string: String? { if case .string(let text) = self { text } else { nil } }
  package var number: Double? { if case .number(let number) = self { number } else { nil } }
  package var integer: Int? { number.flatMap { Int(exactly: $0) } }
}

private struct JSONParser {
  let text: [UInt8]
  var position = 0

  private var next: UInt8? { position < text.count ? text[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
  }
  mutating func isAtEnd() -> Bool {
    skipSpace()
    return next == nil
  }
  private mutating func take(_ literal: String) -> Bool {
    guard text[position...].starts(with: literal.utf8) else { return false }
    position += literal.utf8.count
    return true
  }

  mutating func value(depth: Int) -> JSONValue? {
    skipSpace()
    guard let byte = next, depth < 32 else { return nil }
    switch byte {
    case UInt8(ascii: "{"): return object(depth)
    case UInt8(ascii: "["): return array(depth)
    case UInt8(ascii: "\""): return string().map(JSONValue.string)
    case UInt8(ascii: "t"): return take("true") ? .bool(true) : nil
    case UInt8(ascii: "f"): return take("false") ? .bool(false) : nil
    case UInt8(ascii: "n"): return take("null") ? .null : nil
    default: return number()
    }
  }

  private mutating func object(_ depth: Int) -> JSONValue? {
    position += 1
    var members: [JSONValue.Member] = []
    skipSpace()
    if take("}") { return .object([]) }
    repeat {
      skipSpace()
      guard next == UInt8(ascii: "\""), let name = string() else { return nil }
      skipSpace()
      guard take(":"), let value = value(depth: depth + 1) else { return nil }
      members.append(JSONValue.Member(name, value))
      skipSpace()
    } while take(",")
    return take("}") ? .object(members) : nil
  }

  private mutating func array(_ depth: Int) -> JSONValue? {
    position += 1
    var values: [JSONValue] = []
    skipSpace()
    if take("]") { return .array([]) }
    repeat {
      guard let value = value(depth: depth + 1) else { return nil }
      values.append(value)
      skipSpace()
    } while take(",")
    return take("]") ? .array(values) : nil
  }

  private mutating func number() -> JSONValue? {
    let start = position
    while let byte = next, "+-.eE0123456789".utf8.contains(byte) { position += 1 }
    return Double(String(decoding: text[start..<position], as: UTF8.self)).map(JSONValue.number)
  }

  private mutating func string() -> String? {
    position += 1
    var units: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(validating: units, as: UTF8.self)
      case UInt8(ascii: "\\"):
        guard let escaped = escape() else { return nil }
        units += escaped
      case 0..<0x20: return nil
      default: units.append(byte)
      }
    }
    return nil
  }

  private mutating func escape() -> [UInt8]? {
    guard let byte = next else { return nil }
    position += 1
    let simple: [UInt8: UInt8] = [
      0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, 0x62: 8, 0x66: 12, 0x6E: 10, 0x72: 13, 0x74: 9,
    ]
    if let plain = simple[byte] { return [plain] }
    guard byte == UInt8(ascii: "u"), let high = hexadecimal() else { return nil }
    var value = UInt32(high)
    if 0xD800..<0xDC00 ~= high {
      guard take("\\u"), let low = hexadecimal(), 0xDC00..<0xE000 ~= low else { return nil }
      value = 0x10000 + (UInt32(high) - 0xD800) << 10 + (UInt32(low) - 0xDC00)
    }
    return Unicode.Scalar(value).map { Array(String(Character($0)).utf8) }
  }

  private mutating func hexadecimal() -> UInt16? {
    guard position + 4 <= text.count else { return nil }
    defer { position += 4 }
    return UInt16(String(decoding: text[position..<position + 4], as: UTF8.self), radix: 16)
  }
}
