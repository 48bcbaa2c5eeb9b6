/// TURN's short form of a datagram to or from the peer that a channel is bound to (RFC 8656 §12.4).
///
///     channel u16 | length u16 | data
///
/// On a stream it is padded to a multiple of 4 bytes, which its length does not count (§12.5).
package struct ChannelData: WireMessage, Hashable {
  /// One of `channels`.
  package var channel: UInt16
  /// At most 65 535 bytes.
  package var data: [UInt8]

  /// RFC 8656 §12; what is above is reserved.
  package static let channels: ClosedRange<UInt16> = 0x4000...0x4FFF
  package static let headerCount = 4

  package init(channel: UInt16, data: [UInt8]) {
    self.channel = channel
    self.data = data
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    channel = try reader.u16()
    guard Self.channels.contains(channel) else {
      throw .invalid(field: "channel", found: UInt64(channel))
    }
    data = try reader.field("channel data")
  }

  /// A datagram from a server, which may be padded as on a stream (RFC 8656 §12.5).
  package init(datagram: [UInt8]) throws(WireError) {
    var reader = ByteReader(datagram)
    try self.init(from: &reader)
    guard reader.left <= paddingCount(after: data.count) else { throw .trailing(reader.left) }
  }

  package func write(to writer: inout ByteWriter) {
    writer.u16(channel)
    writer.field(data)
  }

  /// For a stream.
  package var padded: [UInt8] {
    var writer = ByteWriter(reserving: Self.headerCount + data.count + 3)
    write(to: &writer)
    writer.pad()
    return writer.bytes
  }

  /// Whether a datagram from a server is for this, rather than STUN (RFC 8656 §12).
  package static func isChannelData(_ datagram: [UInt8]) -> Bool {
    datagram.first.map { $0 & 0xC0 == 0x40 } ?? false
  }
}
