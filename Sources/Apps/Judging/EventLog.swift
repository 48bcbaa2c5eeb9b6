package import Units

/// One line that a program wrote with `--events json`.
package struct EventLine: Sendable {
  /// As it was read.
  package var text: String
  package var at: Instant
  package var value: JSONValue?

  package init(_ text: String, at instant: Instant) {
    self.text = text
    at = instant
    value = JSONValue(parsing: text.utf8)
  }

  package var kind: String? { value?["event"]?.string }
  package subscript(name: String) -> JSONValue? { value?[name] }
  /// `send.video_kbps`
  package func number(_ path: String) -> Double? {
    path.split(separator: ".").reduce(value) { $0?[String($1)] }?.number
  }
}

/// The events of one program, in the order in which they came.
package struct EventLog: Sendable {
  package var lines: [EventLine] = []

  package init() {}

  package func all(_ kind: String) -> [EventLine] { lines.filter { $0.kind == kind } }
  package func first(_ kind: String) -> EventLine? { lines.first { $0.kind == kind } }

  private static let kinds = [
    "room", "peer-joined", "link", "trust", "first-frame", "first-audio", "chat", "chat-sent",
    "chat-delivered", "recording", "device", "stats", "peer-left", "error", "left",
  ]

  /// Lines that break the promise of DESIGN section 2: no JSON object, another version, an unknown
  /// event, or time running backwards.
  package var broken: [EventLine] {
    var latest = 0.0
    return lines.filter { line in
      guard let kind = line.kind, Self.kinds.contains(kind), line.number("v") == 1,
        let time = line.number("t"), time >= latest
      else { return true }
      latest = time
      return false
    }
  }

  /// Session id of each member by the name it showed.
  package func sessions() -> [(peer: String, name: String)] {
    var found: [(peer: String, name: String)] = []
    for line in lines {
      guard let peer = line["peer"]?.string, let name = line["name"]?.string, !name.isEmpty,
        !found.contains(where: { $0.peer == peer })
      else { continue }
      found.append((peer, name))
    }
    return found
  }
}
