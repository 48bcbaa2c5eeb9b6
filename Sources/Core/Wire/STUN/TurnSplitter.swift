/// Cuts the bytes of a stream from a TURN server into STUN messages and `ChannelData`, each after
/// the length that it tells itself (RFC 8489 §6.2.2, RFC 8656 §12.5): push what came, then take
/// messages until `nil`.
///
/// It holds at most one incomplete message, 65 555 bytes, and what was pushed last. A lower limit
/// would let whoever sends a large datagram to our relayed address end the stream.
package struct TurnSplitter: Sendable {
  private var buffer: [UInt8] = []
  /// Index in `buffer` of the first byte not yet taken.
  private var start = 0

  package init() {}

  package mutating func push(_ bytes: [UInt8]) {
    if start > 0 {
      buffer.removeFirst(start)
      start = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// The next whole message, still undecoded and without padding; `nil` until more bytes come. An
  /// error means that the stream's framing is broken for good.
  package mutating func next() throws(WireError) -> [UInt8]? {
    var reader = ByteReader(buffer[start...])
    guard reader.left >= ChannelData.headerCount else { return nil }
    let type = try reader.u16()
    let length = Int(try reader.u16())
    let count: Int
    let padding: Int
    switch type >> 14 {
    case 0b00:
      guard length % 4 == 0 else { throw .invalid(field: "STUN length", found: UInt64(length)) }
      guard reader.left >= 4 else { return nil }
      let cookie = try reader.u32()
      guard cookie == StunMessage.magicCookie else {
        throw .invalid(field: "magic cookie", found: UInt64(cookie))
      }
      (count, padding) = (StunMessage.headerCount + length, 0)
    case _ where ChannelData.channels.contains(type):
      (count, padding) = (ChannelData.headerCount + length, paddingCount(after: length))
    default: throw .invalid(field: "channel", found: UInt64(type))
    }
    guard buffer.count - start >= count + padding else { return nil }
    defer { start += count + padding }
    return Array(buffer[start..<start + count])
  }
}
