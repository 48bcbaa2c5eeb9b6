/// Text from a peer, made harmless for a terminal and a window: what is shown is what is there.
///
/// Controls, direction overrides, zero-width and other invisible characters are dropped or shown
/// as U+FFFD; stacks of marks are cut; length is bounded.
package enum NeutralText {
  /// Extended grapheme clusters in a name.
  package static let nameLimit = 40
  /// Bytes in a chat line.
  package static let lineLimit = 8_192
  private static let replacement: Unicode.Scalar = "\u{FFFD}"

  /// A display name: one line, no white space at its ends or doubled, never empty.
  package static func name(_ text: String) -> String {
    var words: [[Unicode.Scalar]] = [[]]
    for scalar in neutral(text.unicodeScalars.prefix(1_024)) {
      if scalar == " " || scalar == "\n" {
        if words.last?.isEmpty == false { words.append([]) }
      } else {
        words[words.count - 1].append(scalar)
      }
    }
    if words.last?.isEmpty == true { words.removeLast() }
    let joined = string(Array(words.joined(separator: [" "])))
    let short = joined.prefix(nameLimit)
    let trimmed = short.last == " " ? short.dropLast() : short
    // Marks alone would attach themselves to what stands before the name.
    guard let first = trimmed.unicodeScalars.first else { return "nameless" }
    let isMark = isMark(first)
    return (isMark ? "\u{25CC}" : "") + trimmed
  }

  package static func name(utf8 bytes: [UInt8]) -> String {
    name(String(decoding: bytes.prefix(4_096), as: UTF8.self))
  }

  /// A chat line, which keeps its line breaks.
  package static func line(_ text: String) -> String {
    var scalars: [Unicode.Scalar] = []
    var bytes = 0
    for scalar in neutral(text.unicodeScalars) {
      bytes += Unicode.UTF8.width(scalar)
      if bytes > lineLimit { break }
      scalars.append(scalar)
    }
    return string(scalars)
  }

  package static func line(utf8 bytes: [UInt8]) -> String {
    line(String(decoding: bytes, as: UTF8.self))
  }

  private static func neutral(
    _ scalars: some Sequence<Unicode.Scalar>
  ) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    var marks = 0
    var wasReturn = false
    for scalar in scalars {
      defer { wasReturn = scalar == "\r" }
      guard let shown = shown(scalar) else { continue }
      if shown == "\n", wasReturn { continue }
      // Four marks on one letter are more than any language writes.
      marks = isMark(shown) ? marks + 1 : 0
      if marks <= 4 { result.append(shown) }
    }
    return result
  }

  /// What stands for a scalar: itself, a space, a line feed, U+FFFD or nothing.
  private static func shown(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
    switch scalar {
    case "\t": return " "
    case "\n", "\r", "\u{B}", "\u{C}", "\u{85}": return "\n"
    // Blank, but not a space to Unicode.
    case "\u{2800}": return " "
    // Interlinear annotation hides the text it brackets.
    case "\u{FFF9}"..."\u{FFFB}": return nil
    default: break
    }
    let properties = scalar.properties
    if properties.isNoncharacterCodePoint { return replacement }
    // Zero-width, fillers, variation selectors, tags, direction controls.
    if properties.isDefaultIgnorableCodePoint || properties.isBidiControl { return nil }
    switch properties.generalCategory {
    case .spaceSeparator: return " "
    case .lineSeparator, .paragraphSeparator: return "\n"
    case .control, .surrogate, .privateUse, .unassigned: return replacement
    case .format: return nil
    default: return scalar
    }
  }

  private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .spacingMark: true
    default: false
    }
  }

  private static func string(_ scalars: [Unicode.Scalar]) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }
}
