/// SHA-256 of a public key's SubjectPublicKeyInfo: the PeerID of an identity, the pin of a server.
package struct KeyFingerprint: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// 32 bytes.
  package let bytes: [UInt8]

  /// `nil` unless there are 32 bytes.
  package init?(bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    self.bytes = bytes
  }

  /// `sha256:` and 43 unpadded base64url characters; the prefix may be left out.
  package init?(text: String) {
    let prefix = "sha256:"
    let digits = text.hasPrefix(prefix) ? text.dropFirst(prefix.count) : text[...]
    guard digits.utf8.count == 43 else { return nil }
    var bytes: [UInt8] = []
    var buffer: UInt32 = 0
    var bits = 0
    for character in digits {
      guard let value = Self.alphabet.firstIndex(of: character) else { return nil }
      buffer = buffer << 6 | UInt32(value)
      bits += 6
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(buffer >> UInt32(bits) & 0xFF))
      }
    }
    // 43 characters are 258 bits: the last two must be zero, so that one hash has one text.
    guard buffer & 3 == 0 else { return nil }
    self.init(bytes: bytes)
  }

  package var description: String { "sha256:" + digits }
  /// Enough to tell two keys of one name apart at a glance, not to trust one.
  package var short: String { String(digits.prefix(8)) }

  private var digits: String {
    var text = ""
    var buffer: UInt32 = 0
    var bits = 0
    for byte in bytes {
      buffer = buffer << 8 | UInt32(byte)
      bits += 8
      while bits >= 6 {
        bits -= 6
        text.append(Self.alphabet[Int(buffer >> UInt32(bits) & 63)])
      }
    }
    text.append(Self.alphabet[Int(buffer << UInt32(6 - bits) & 63)])
    return text
  }

  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

  package static func < (left: KeyFingerprint, right: KeyFingerprint) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }
}
