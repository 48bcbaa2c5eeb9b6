/// Asks for a `Pong` with the same number on the same link.
package struct Ping: WireMessage {
  package var number: UInt32

  package init(number: UInt32) { self.number = number }
  package init(from reader: inout ByteReader) throws(WireError) { number = try reader.u32() }
  package func write(to writer: inout ByteWriter) { writer.u32(number) }
}

package struct Pong: WireMessage {
  package var number: UInt32

  package init(number: UInt32) { self.number = number }
  package init(from reader: inout ByteReader) throws(WireError) { number = try reader.u32() }
  package func write(to writer: inout ByteWriter) { writer.u32(number) }
}

/// A `Pong` that tells with it what the sender's monotonic clock shows, as `Clock` does: it showed that
/// after the ping left and before this came, so both clocks are known within the round trip (RFC 5905 §8).
/// To whoever says `Hello.takesClockedPong`.
///
///     number u32 | time u64
package struct ClockedPong: WireMessage {
  package var number: UInt32
  package var time: UInt64

  package init(number: UInt32, time: UInt64) {
    self.number = number
    self.time = time
  }
  package init(from reader: inout ByteReader) throws(WireError) {
    number = try reader.u32()
    time = try reader.u64()
  }
  package func write(to writer: inout ByteWriter) {
    writer.u32(number)
    writer.u64(time)
  }
}

/// The sender leaves the call; it is sent again until the same comes back as an answer.
///
///     isAnswer u8 (0 or 1)
package struct Goodbye: WireMessage {
  package var isAnswer: Bool

  package init(isAnswer: Bool) { self.isAnswer = isAnswer }
  package init(from reader: inout ByteReader) throws(WireError) {
    switch try reader.u8() {
    case 0: isAnswer = false
    case 1: isAnswer = true
    case let other: throw .invalid(field: "is answer", found: UInt64(other))
    }
  }
  package func write(to writer: inout ByteWriter) { writer.u8(isAnswer ? 1 : 0) }
}
