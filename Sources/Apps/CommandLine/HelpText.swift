/// Help made from the tables: names on the left, meanings wrapped on the right, 80 columns.
extension CommandTable {
  package var help: String {
    let usage = (["usage:", name, "[OPTION]…", operands].filter { !$0.isEmpty })
      .joined(separator: " ")
    let rows = options.map { ($0.usage, $0.meaning) }
    let sections =
      [[usage], wrapped(meaning.sentence, to: 80), ["options:"] + columns(rows)]
      + notes.map { wrapped($0, to: 80) }
    return sections.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }
}

extension String {
  /// Begins with a capital and ends with a full stop.
  fileprivate var sentence: String {
    prefix(1).uppercased() + dropFirst() + (hasSuffix(".") ? "" : ".")
  }
}

/// Two columns; a left side too wide for its column gets a line of its own.
func columns(_ rows: [(left: String, right: String)], indent: Int = 2) -> [String] {
  let limit = 27
  let width = min(limit, rows.map { $0.left.count }.max() ?? 0)
  let margin = String(repeating: " ", count: indent)
  let hanging = String(repeating: " ", count: indent + width + 2)
  return rows.flatMap { row -> [String] in
    let lines = wrapped(row.right, to: 80 - hanging.count)
    let body = lines.map { hanging + $0 }
    guard row.left.count <= width, let first = lines.first else {
      return [margin + row.left] + body
    }
    let padding = String(repeating: " ", count: width - row.left.count + 2)
    return [margin + row.left + padding + first] + body.dropFirst()
  }
}

private func wrapped(_ text: String, to width: Int) -> [String] {
  var lines: [String] = []
  for word in text.split(separator: " ") {
    if let last = lines.last, last.count + 1 + word.count <= width {
      lines[lines.count - 1] += " " + word
    } else {
      lines.append(String(word))
    }
  }
  return lines
}
