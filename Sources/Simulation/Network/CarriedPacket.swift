package import Units

/// A real IPv4 packet as it is read from a network device (RFC 791).
package struct CarriedPacket {
  package let bytes: [UInt8]
  private let headerLength: Int

  /// `nil` for anything but a whole IPv4 header and what it announces.
  package init?(_ bytes: [UInt8]) {
    guard bytes.count >= 20, bytes[0] >> 4 == 4 else { return nil }
    headerLength = Int(bytes[0] & 0x0F) * 4
    guard headerLength >= 20, headerLength <= bytes.count,
      Int(bytes[2]) << 8 | Int(bytes[3]) == bytes.count
    else { return nil }
    self.bytes = bytes
  }

  package var source: IPAddress { .v4(bytes[12], bytes[13], bytes[14], bytes[15]) }
  package var target: IPAddress { .v4(bytes[16], bytes[17], bytes[18], bytes[19]) }

  /// With one bit of a datagram's payload changed and its checksum taken out (RFC 768: zero), so that
  /// the program sees it; `nil` for TCP, whose checksum finds it: that is a loss.
  func corrupted(place: UInt64) -> [UInt8]? {
    let start = headerLength + 8
    let isFragment = bytes[6] & 0x1F != 0 || bytes[7] != 0
    guard bytes[9] == 17, !isFragment, bytes.count > start else { return nil }
    var altered = bytes
    altered[headerLength + 6] = 0
    altered[headerLength + 7] = 0
    altered[start + Int(place % UInt64(bytes.count - start))] ^= 1 << UInt8(place >> 32 & 7)
    return altered
  }
}
