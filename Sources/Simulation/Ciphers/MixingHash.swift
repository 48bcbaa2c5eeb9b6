/// A fast 128-bit mixing hash that stands in for SHA-256 and everything built on it.
///
/// It is no cryptography: nobody in a simulation searches for collisions. What it must do, and
/// does, is to differ whenever a byte, a length, a key or the order of two fields differs.
struct MixingHash {
  private var low: UInt64
  private var high: UInt64

  /// `domain` keeps the uses of one hash apart.
  init(domain: UInt64) {
    low = 0x9E37_79B9_7F4A_7C15 ^ domain
    high = 0xD1B5_4A32_D192_ED03 &+ (domain << 32 | domain >> 32)
  }

  mutating func absorb(_ word: UInt64) {
    let product = (low ^ word).multipliedFullWidth(by: high | 1)
    low = product.low ^ product.high &+ 0xA076_1D64_78BD_642F
    high = (high << 23 | high >> 41) ^ word &+ low
  }

  /// A field: its length first, so that two fields never read as one.
  mutating func absorb(_ bytes: [UInt8]) { absorb(bytes[...]) }

  mutating func absorb(_ bytes: ArraySlice<UInt8>) {
    absorb(UInt64(bytes.count))
    bytes.withUnsafeBytes { raw in
      var at = 0
      while at + 8 <= raw.count {
        absorb(raw.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        at += 8
      }
      guard at < raw.count else { return }
      var tail: UInt64 = 0
      while at < raw.count {
        tail = tail << 8 | UInt64(raw[at])
        at += 1
      }
      absorb(tail)
    }
  }

  var word: UInt64 { Self.finish(low ^ (high << 32 | high >> 32)) }

  /// Up to 64 bytes of result.
  func bytes(_ count: Int) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(count)
    var counter: UInt64 = 0
    while result.count < count {
      counter &+= 1
      var block = Self.finish(low &+ counter &* 0x9E37_79B9_7F4A_7C15) ^ Self.finish(high ^ counter)
      for _ in 0..<min(8, count - result.count) {
        result.append(UInt8(truncatingIfNeeded: block))
        block >>= 8
      }
    }
    return result
  }

  private static func finish(_ word: UInt64) -> UInt64 {
    var z = word
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

extension MixingHash {
  static func digest(_ domain: UInt64, _ fields: [UInt8]..., count: Int = 32) -> [UInt8] {
    var hash = MixingHash(domain: domain)
    for field in fields { hash.absorb(field) }
    return hash.bytes(count)
  }
}
