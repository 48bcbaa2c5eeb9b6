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
