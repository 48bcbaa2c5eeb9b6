/// Sealing with a keyed stream and a 16-byte tag: the shape of AES-GCM at the price of two passes
/// of the mixing hash.
enum SimulatedSeal {
  static let tagBytes = 16

  static func seal(
    _ plaintext: [UInt8], key: [UInt8], nonce: [UInt8], associatedData: [UInt8]
  ) -> [UInt8] {
    let covered = stream(over: plaintext[...], key: key, nonce: nonce)
    return covered + tag(of: covered[...], key: key, nonce: nonce, associatedData: associatedData)
  }

  static func open(
    _ sealed: ArraySlice<UInt8>, key: [UInt8], nonce: [UInt8], associatedData: [UInt8]
  ) -> [UInt8]? {
    guard sealed.count >= tagBytes else { return nil }
    let covered = sealed.dropLast(tagBytes)
    let expected = tag(of: covered, key: key, nonce: nonce, associatedData: associatedData)
    guard sealed.suffix(tagBytes).elementsEqual(expected) else { return nil }
    return stream(over: covered, key: key, nonce: nonce)
  }

  private static func stream(
    over bytes: ArraySlice<UInt8>, key: [UInt8], nonce: [UInt8]
  ) -> [UInt8] {
    var hash = MixingHash(domain: 0x5354_5245)
    hash.absorb(key)
    hash.absorb(nonce)
    var state = hash.word
    return [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, count in
      bytes.withUnsafeBytes { source in
        let target = UnsafeMutableRawBufferPointer(buffer)
        var at = 0
        while at + 8 <= source.count {
          state = state &* 0x5851_F42D_4C95_7F2D &+ 0x1405_7B7E_F767_814F
          let word = source.loadUnaligned(fromByteOffset: at, as: UInt64.self)
          target.storeBytes(of: word ^ state ^ (state >> 29), toByteOffset: at, as: UInt64.self)
          at += 8
        }
        state = state &* 0x5851_F42D_4C95_7F2D &+ 0x1405_7B7E_F767_814F
        var left = state ^ (state >> 29)
        while at < source.count {
          target[at] = source[at] ^ UInt8(truncatingIfNeeded: left)
          left >>= 8
          at += 1
        }
      }
      count = bytes.count
    }
  }

  private static func tag(
    of covered: ArraySlice<UInt8>, key: [UInt8], nonce: [UInt8], associatedData: [UInt8]
  ) -> [UInt8] {
    var hash = MixingHash(domain: 0x5441_4721)
    hash.absorb(key)
    hash.absorb(nonce)
    hash.absorb(associatedData)
    hash.absorb(covered)
    return hash.bytes(tagBytes)
  }
}
