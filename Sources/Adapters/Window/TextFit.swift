/// Makes texts fit: what comes from peers is cleaned, cut with an ellipsis, or wrapped.
package enum TextFit {
  /// One line of printable text of at most `limit` characters: controls (which break the layout)
  /// and direction overrides (with which a name could pose as another) are left out.
  package static func clean(_ text: String, limit: Int = 4_000) -> String {
    var kept = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 9, 10, 13, 0x2028, 0x2029: kept.append(" ")
      case 0..<32, 0x7F..<0xA0, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069, 0xFE00...0xFE0F,
        0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE007F:
        continue
      default: kept.append(scalar)
      }
    }
    let cleaned = String(kept)
    return cleaned.count > limit ? String(cleaned.prefix(limit)) : cleaned
  }

  /// `text`, or as much of its beginning as fits before an ellipsis; empty where not even that
  /// fits.
  package static func ellipsized(
    _ text: String, to width: Int, _ style: TextStyle, _ measure: TextMeasure
  ) -> String {
    if text.isEmpty || measure.width(text, style) <= width { return text }
    let characters = Array(text.prefix(500))
    var fits = -1
    var low = 0
    var high = characters.count - 1
    while low <= high {
      let middle = (low + high) / 2
      if measure.width(beginning(characters, middle), style) <= width {
        fits = middle
        low = middle + 1
      } else {
        high = middle - 1
      }
    }
    return fits < 0 ? "" : beginning(characters, fits)
  }

  private static func beginning(_ characters: [Character], _ count: Int) -> String {
    var kept = characters[..<count]
    while kept.last == " " { kept.removeLast() }
    return String(kept) + "…"
  }

  /// Breaks at spaces and between ideographs, and inside words that are wider than a line. The
  /// ranges cover all characters; a space at which a line is broken ends that line. An empty
  /// text is one empty line.
  package static func wrapped(
    _ characters: [Character], to width: Int, _ style: TextStyle, _ measure: TextMeasure
  ) -> [Range<Int>] {
    var lines: [Range<Int>] = []
    var start = 0
    func fits(_ end: Int) -> Bool {
      measure.width(trimmed(String(characters[start..<end])), style) <= width
    }
    for word in words(characters) where !fits(word.upperBound) {
      if word.lowerBound > start {
        lines.append(start..<word.lowerBound)
        start = word.lowerBound
      }
      for index in word where index > start && !fits(index + 1) {
        lines.append(start..<index)
        start = index
      }
    }
    lines.append(start..<characters.count)
    return lines
  }

  /// The wrapped lines' texts, at most `limit` of them, the last one then with an ellipsis.
  package static func lines(
    _ text: String, to width: Int, _ style: TextStyle, _ measure: TextMeasure, limit: Int = .max
  ) -> [String] {
    let characters = Array(text)
    let ranges = wrapped(characters, to: width, style, measure)
    var lines = ranges.prefix(limit).map { trimmed(String(characters[$0])) }
    if ranges.count > limit, let last = lines.indices.last {
      let rest = String(characters[ranges[last].lowerBound...].prefix(500))
      lines[last] = ellipsized(rest + "…", to: width, style, measure)
    }
    return lines
  }

  /// Runs of letters with the spaces that follow them; each ideograph by itself.
  private static func words(_ characters: [Character]) -> [Range<Int>] {
    var words: [Range<Int>] = []
    var start = 0
    for index in characters.indices.dropFirst() {
      let previous = characters[index - 1]
      let current = characters[index]
      let breaks =
        (previous == " " && current != " ")
        || (current != " " && !closing.contains(current)
          && (isIdeograph(previous) || isIdeograph(current)))
      if breaks {
        words.append(start..<index)
        start = index
      }
    }
    if start < characters.count { words.append(start..<characters.count) }
    return words
  }

  /// Marks that must not begin a line.
  private static let closing: Set<Character> = [
    "。", "，", "、", "．", "！", "？", "：", "；", "）", "」", "』", "】", "》", "〉", "”", "’", "…", "ー",
  ]

  private static func isIdeograph(_ character: Character) -> Bool {
    guard let value = character.unicodeScalars.first?.value else { return false }
    return (0x2E80...0x9FFF).contains(value) || (0xF900...0xFAFF).contains(value)
      || (0x20000...0x3FFFF).contains(value)
  }

  private static func trimmed(_ text: String) -> String {
    var kept = text[...]
    while kept.last == " " { kept.removeLast() }
    return String(kept)
  }
}
