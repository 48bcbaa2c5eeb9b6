/// What a frame of the channel between two peers holds. Kinds that a receiver doesn't know are
/// dropped and counted.
package enum FrameKind: UInt8, Hashable, Sendable, CaseIterable {
  /// `ReliableSegment`
  case segment = 1
  /// `Acknowledgement`
  case acknowledgement = 2
  /// An RTP packet (RFC 3550 §5.1).
  case rtp = 3
  /// A compound RTCP packet (RFC 3550 §6.1).
  case rtcp = 4
  /// `Ping`
  case ping = 5
  /// `Pong`
  case pong = 6
  /// `Goodbye`
  case goodbye = 7
  /// `ClockedPong`
  case clockedPong = 8
}

/// One frame: kind (u8) and body. A datagram is exactly one frame; a stream prefixes each with
/// its length as u24.
package struct Frame: WireMessage {
  package var kind: FrameKind
  package var body: ArraySlice<UInt8>

  package init(_ kind: FrameKind, _ body: [UInt8]) { self.init(kind, body[...]) }
  package init(_ kind: FrameKind, _ body: ArraySlice<UInt8>) {
    self.kind = kind
    self.body = body
  }

  /// Bytes of kind and body that fit a datagram: with DTLS's 37 bytes of record header, nonce
  /// and tag, the UDP payload stays below 1 200.
  package static let datagramLimit = 1_150
  /// Bytes of kind and body in a stream.
  package static let streamLimit = 65_536
  /// The same before the other side proved its membership.
  package static let unprovedStreamLimit = 4_096

  package var count: Int { 1 + body.count }

  package init(from reader: inout ByteReader) throws(WireError) {
    let number = try reader.u8()
    guard let kind = FrameKind(rawValue: number) else {
      throw .invalid(field: "frame kind", found: UInt64(number))
    }
    self.kind = kind
    body = reader.restPart()
  }

  package func write(to writer: inout ByteWriter) {
    writer.u8(kind.rawValue)
    writer.append(body)
  }

  /// Length, kind and body, for a stream. The frame is within `streamLimit`.
  package var streamEncoded: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 3)
    encodeForStream(to: &bytes)
    return bytes
  }
  /// The same, behind what `bytes` holds already.
  package func encodeForStream(to bytes: inout [UInt8]) {
    precondition(count <= Self.streamLimit, "senders check the limit")
    bytes.append(UInt8(truncatingIfNeeded: count >> 16))
    bytes.append(UInt8(truncatingIfNeeded: count >> 8))
    bytes.append(UInt8(truncatingIfNeeded: count))
    encode(to: &bytes)
  }
}
