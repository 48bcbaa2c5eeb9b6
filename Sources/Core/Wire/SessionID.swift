/// Names one process in one room: 16 random bytes that its client makes (docs/protocol.md).
///
/// Ordered bytewise: of two sessions the lower one is DTLS client, ICE controlling, and chooses
/// the path.
package struct SessionID: Hashable, Sendable {
  package static let count = 16
  /// Exactly 16 bytes.
  package let bytes: [UInt8]

  /// `nil` unless there are 16 bytes.
  package init?(bytes: [UInt8]) {
    guard bytes.count == Self.count else { return nil }
    self.bytes = bytes
  }

  /// `nil` unless `text` is 32 hexadecimal digits.
  package init?(text: String) {
    let digits = text.utf8.map { digit -> UInt8? in
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
      default: nil
      }
    }
    guard digits.count == 2 * Self.count else { return nil }
    var bytes: [UInt8] = []
    for index in 0..<Self.count {
      guard let high = digits[2 * index], let low = digits[2 * index + 1] else { return nil }
      bytes.append(high << 4 | low)
    }
    self.bytes = bytes
  }
}

extension SessionID: Comparable {
  package static func < (left: SessionID, right: SessionID) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }
}

extension SessionID: CustomStringConvertible {
  private static func digit(_ value: UInt8) -> UInt8 {
    value + (value < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
  }

  /// 32 lower-case hexadecimal digits.
  package var description: String {
    String(unsafeUninitializedCapacity: 2 * Self.count) { digits in
      for (index, byte) in bytes.enumerated() {
        digits[2 * index] = Self.digit(byte >> 4)
        digits[2 * index + 1] = Self.digit(byte & 15)
      }
      return 2 * Self.count
    }
  }
}

extension SessionID: WireMessage {
  package init(from reader: inout ByteReader) throws(WireError) {
    bytes = try reader.bytes(Self.count)
  }
  package func write(to writer: inout ByteWriter) { writer.append(bytes) }
}
