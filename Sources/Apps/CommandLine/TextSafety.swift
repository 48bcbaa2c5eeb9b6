extension Unicode.Scalar {
  /// Could move the cursor, start an escape sequence, or reorder what is read: C0, DEL, C1, line
  /// separators and bidirectional controls.
  package var isTerminalControl: Bool {
    switch value {
    case 0..<0x20, 0x7F...0x9F, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069, 0x200E, 0x200F:
      true
    default: false
    }
  }
}

extension String {
  /// What a peer said, fit for a terminal: control characters become U+FFFD, a tab a space.
  package var neutralised: String {
    var safe = UnicodeScalarView()
    for scalar in unicodeScalars {
      safe.append(scalar == "\t" ? " " : scalar.isTerminalControl ? "\u{FFFD}" : scalar)
    }
    return String(safe)
  }
}
