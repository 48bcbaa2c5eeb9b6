/// The streams of reliable messages between two sessions: each in order by itself, none waits for
/// another.
package enum ReliableStream: UInt8, Hashable, Sendable, CaseIterable {
  /// HELLO, PROOF, IDENTITY, SELECT. Unlike the others it belongs to one link, not to the pair of
  /// sessions, and starts anew with each.
  case link = 0
  /// Link descriptions, offered over links already proved.
  case path = 1
  case control = 2
  case chat = 3
  case files = 4
}

/// A part of a reliable message, at most `payloadLimit` bytes of it, so that it fits a datagram.
///
///     stream u8 | sequence u64 | begins u8 (0 or 1) | [id u64 | length u32] | payload
///
/// Sequence numbers count a stream's segments from 0 and never wrap.
package struct ReliableSegment: WireMessage {
  /// The head of a message's first segment.
  package struct Head: Hashable, Sendable {
    /// The sender's name for the message.
    package var id: UInt64
    /// Bytes of the whole message.
    package var length: Int

    package init(id: UInt64, length: Int) {
      self.id = id
      self.length = length
    }
  }
  package var stream: ReliableStream
  package var sequence: UInt64
  /// Present in a message's first segment.
  package var head: Head?
  package var payload: [UInt8]

  package static let payloadLimit = 1_100
  /// Bytes of one message.
  package static let messageLimit = 65_536

  package init(stream: ReliableStream, sequence: UInt64, head: Head?, payload: [UInt8]) {
    self.stream = stream
    self.sequence = sequence
    self.head = head
    self.payload = payload
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    stream = try ReliableStream(from: &reader)
    sequence = try reader.u64()
    switch try reader.u8() {
    case 0: head = nil
    case 1:
      let id = try reader.u64()
      let length = Int(try reader.u32())
      guard length <= Self.messageLimit else {
        throw .tooLong(field: "message length", found: length, limit: Self.messageLimit)
      }
      head = Head(id: id, length: length)
    case let other: throw .invalid(field: "begins", found: UInt64(other))
    }
    // Only an empty message has an empty segment.
    guard reader.left > 0 || head?.length == 0 else { throw .truncated(needed: 1, left: 0) }
    guard reader.left <= Self.payloadLimit else {
      throw .tooLong(field: "payload", found: reader.left, limit: Self.payloadLimit)
    }
    payload = reader.rest()
  }

  package func write(to writer: inout ByteWriter) {
    writer.u8(stream.rawValue)
    writer.u64(sequence)
    writer.u8(head == nil ? 0 : 1)
    if let head {
      writer.u64(head.id)
      writer.u32(UInt32(head.length))
    }
    writer.append(payload)
  }
}

/// What of a stream has arrived.
///
///     stream u8 | next u64 | later u64
package struct Acknowledgement: WireMessage {
  package var stream: ReliableStream
  /// Every segment below this one has arrived.
  package var next: UInt64
  /// Bit i: segment `next + 1 + i` has arrived too.
  package var later: UInt64

  package init(stream: ReliableStream, next: UInt64, later: UInt64) {
    self.stream = stream
    self.next = next
    self.later = later
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    stream = try ReliableStream(from: &reader)
    next = try reader.u64()
    later = try reader.u64()
  }

  package func write(to writer: inout ByteWriter) {
    writer.u8(stream.rawValue)
    writer.u64(next)
    writer.u64(later)
  }
}

extension ReliableStream {
  fileprivate init(from reader: inout ByteReader) throws(WireError) {
    let number = try reader.u8()
    guard let stream = ReliableStream(rawValue: number) else {
      throw .invalid(field: "stream", found: UInt64(number))
    }
    self = stream
  }
}
