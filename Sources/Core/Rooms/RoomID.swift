package import Ciphers
import Wire

/// What a room demands beside its id; part of the id, so that no server can strip it.
package struct RoomFlags: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let password = RoomFlags(rawValue: 4)
  package static let lobby = RoomFlags(rawValue: 2)
  package static let authority = RoomFlags(rawValue: 1)
}

/// The secret that lets one into a room and commits to its owner (docs/protocol.md "Room id").
///
/// It is printed only where the user asked for it (`text`); `description` shows nothing.
package struct RoomID: Hashable, Sendable {
  package static let currentVersion: UInt8 = 1
  /// 4 bits.
  package let version: UInt8
  package let flags: RoomFlags
  /// S, 16 bytes.
  package let secret: [UInt8]

  /// An id and the random number that, with the owner's key, proves who owns the room.
  ///
  /// `nonce` (r) is 32 bytes and goes into the room's sealed charter.
  package static func create(
    flags: RoomFlags = [], ownerKeyInfo: [UInt8], nonce: [UInt8], with suite: some CipherSuite
  ) -> RoomID {
    precondition(nonce.count == 32, "r is 32 bytes")
    let head = Self.head(version: currentVersion, flags: flags)
    return RoomID(
      version: currentVersion, flags: flags,
      secret: committed(head: head, ownerKeyInfo: ownerKeyInfo, nonce: nonce, with: suite))
  }

  /// Whether the room was created by the owner of this key with this random number.
  package func isOwned(
    by ownerKeyInfo: [UInt8], nonce: [UInt8], with suite: some CipherSuite
  ) -> Bool {
    suite.equal(
      secret,
      Self.committed(head: head, ownerKeyInfo: ownerKeyInfo, nonce: nonce, with: suite))
  }

  /// `head` of docs/protocol.md: version and flags in one byte.
  package var head: UInt8 { Self.head(version: version, flags: flags) }

  private init(version: UInt8, flags: RoomFlags, secret: [UInt8]) {
    self.version = version
    self.flags = flags
    self.secret = secret
  }

  private static func head(version: UInt8, flags: RoomFlags) -> UInt8 {
    version << 3 | flags.rawValue
  }

  private static func committed(
    head: UInt8, ownerKeyInfo: [UInt8], nonce: [UInt8], with suite: some CipherSuite
  ) -> [UInt8] {
    let statement = joinedFields(protocolLabel("room"), [head], ownerKeyInfo, nonce)
    return Array(suite.sha256(statement).prefix(16))
  }
}

extension RoomID {
  /// `p2p-XXXXX-XXXXX-XXXXX-XXXXX-XXXXX-XXXXX`. Secret: for the user who asked, for nobody else.
  package var text: String {
    let symbols = self.symbols + ReedSolomonCode.checkSymbols(for: self.symbols)
    var text = "p2p"
    for (index, symbol) in symbols.enumerated() {
      if index % 5 == 0 { text += "-" }
      text.append(Crockford.character(of: symbol))
    }
    return text
  }

  /// Version (4 bits), flags (3), secret (128): 27 symbols of 5 bits, most significant bit first.
  private var symbols: [UInt8] {
    var symbols: [UInt8] = []
    // The 7 bits of the head and the first 3 of the secret make two symbols.
    var buffer = UInt32(head)
    var bits = 7
    for byte in secret {
      buffer = buffer << 8 | UInt32(byte)
      bits += 8
      while bits >= 5 {
        bits -= 5
        symbols.append(UInt8(buffer >> UInt32(bits) & 31))
      }
    }
    return symbols
  }

  /// From 27 symbols whose check symbols were right.
  init(symbols: [UInt8]) {
    var bytes: [UInt8] = []
    var buffer: UInt32 = 0
    var bits = 1  // 135 bits: one leading zero makes 17 bytes.
    for symbol in symbols {
      buffer = buffer << 5 | UInt32(symbol)
      bits += 5
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(buffer >> UInt32(bits) & 0xFF))
      }
    }
    self.init(
      version: bytes[0] >> 3, flags: RoomFlags(rawValue: bytes[0] & 7),
      secret: Array(bytes.dropFirst()))
  }
}

extension RoomID: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// Says nothing: an id in a log would let its reader in.
  package var description: String { "(a room id)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Crockford's base 32: no I, L, O, U; O reads as 0, I and L as 1.
enum Crockford {
  private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")

  static func character(of symbol: UInt8) -> Character { alphabet[Int(symbol)] }

  /// `nil` for a character that stands for no symbol.
  static func symbol(of character: Character) -> UInt8? {
    switch character {
    case "O", "o": return 0
    case "I", "i", "L", "l": return 1
    default:
      guard character.isASCII, let capital = character.uppercased().first else { return nil }
      return alphabet.firstIndex(of: capital).map(UInt8.init)
    }
  }
}
