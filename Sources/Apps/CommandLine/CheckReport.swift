package import Checks
package import Units

/// What `p2pcall check` prints: a line for people, or an event for scripts, for each verdict.
extension CheckVerdict {
  /// One line without its line end. `elapsed` is the time since the program's start.
  package func json(at elapsed: Interval) -> String {
    var object = JSONObject(event: "check", at: elapsed)
    object.add("item", item.rawValue)
    object.add("verdict", grade.rawValue)
    object.add("message", message)
    object.add("remedy", remedy)
    for detail in details {
      switch detail.value {
      case .text(let text): object.add(detail.name, text)
      case .number(let number): object.add(detail.name, number)
      }
    }
    return object.text
  }

  /// Lines without the last one's end: the verdict, and what to do about it.
  package var text: String {
    let line = "\(Self.padded(grade.rawValue, 8))\(Self.padded(item.rawValue, 12))\(message)"
    return remedy.isEmpty ? line : line + "\n" + Self.padded("", 20) + "-> " + remedy
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
