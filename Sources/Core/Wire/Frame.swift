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
}

/// One frame: kind (u8) and body. A datagram is exactly one frame; a stream prefixes each with
/// its length as u24.
package struct Frame: WireMessage {
  package var kind: FrameKind
  package var body: [UInt8]

  package init(_ kind: FrameKind, _ body: [UInt8]) {
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
    body = reader.rest()
  }

  package func write(to writer: inout ByteWriter) {
    writer.u8(kind.rawValue)
    writer.append(body)
  }

  /// Length, kind and body, for a stream. The frame is within `streamLimit`.
  package var streamEncoded: [UInt8] {
    precondition(count <= Self.streamLimit, "senders check the limit")
    var writer = ByteWriter(reserving: count + 3)
    writer.u24(UInt32(count))
    write(to: &writer)
    return writer.bytes
  }
}

/// Cuts a stream's bytes into frames: push what came, then take frames until `nil`.
package struct FrameSplitter: Sendable {
  /// Largest frame that is taken; may grow between pushes.
  package var limit: Int
  private var buffer: [UInt8] = []
  /// Index in `buffer` of the first byte not yet taken.
  private var start = 0

  package init(limit: Int) { self.limit = limit }

  package mutating func push(_ bytes: [UInt8]) {
    if start > 0 {
      buffer.removeFirst(start)
      start = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// The next whole frame's kind and body, still undecoded; `nil` until more bytes come. An error
  /// means that the stream's framing is broken for good.
  package mutating func next() throws(WireError) -> [UInt8]? {
    guard buffer.count - start >= 3 else { return nil }
    let length =
      Int(buffer[start]) << 16 | Int(buffer[start + 1]) << 8 | Int(buffer[start + 2])
    guard length > 0 else { throw .invalid(field: "frame length", found: 0) }
    guard length <= limit else {
      throw .tooLong(field: "frame length", found: length, limit: limit)
    }
    guard buffer.count - start >= 3 + length else { return nil }
    defer { start += 3 + length }
    return Array(buffer[start + 3..<start + 3 + length])
  }
}
