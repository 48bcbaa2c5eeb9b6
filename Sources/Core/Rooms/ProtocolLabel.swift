import Ciphers
import Wire

/// A label of docs/protocol.md: `p2pcall/v1/` and the name. One label never stands for two uses.
func protocolLabel(_ name: String) -> [UInt8] { Array("p2pcall/v1/\(name)".utf8) }

extension CipherSuite {
  /// HKDF-Expand to 32 bytes with the joined fields as info.
  func derivedKey(_ key: [UInt8], info: [UInt8]) -> [UInt8] {
    hkdfExpand(key: key, info: info, count: 32)
  }
}
