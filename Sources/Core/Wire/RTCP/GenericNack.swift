package import Units

/// Generic NACK (RFC 4585 §6.2.1): packets of one source that are asked for again.
package struct GenericNack: WireMessage {
  package var reporter: UInt32
  package var source: UInt32
  /// One or more, in the order in which they are to be sent.
  package var lost: [SequenceNumber]

  package init(reporter: UInt32, source: UInt32, lost: [SequenceNumber]) {
    precondition(!lost.isEmpty, "a NACK names at least one packet")
    self.reporter = reporter
    self.source = source
    self.lost = lost
  }

  package static let format: UInt8 = 1
  /// Entries of 17 packets each in one message; more is refused.
  package static let entryLimit = 256

  package init(from reader: inout ByteReader) throws(WireError) {
    var header = try RTCPHeader(
      from: &reader, type: RTCPHeader.transportLayerFeedback, format: Self.format)
    reporter = try header.body.u32()
    source = try header.body.u32()
    let entries = header.body.left / 4
    guard entries <= Self.entryLimit else {
      throw .tooLong(field: "NACK entries", found: entries, limit: Self.entryLimit)
    }
    lost = []
    repeat {
      let first = try header.body.u16()
      let following = try header.body.u16()
      lost.append(SequenceNumber(first))
      for bit in 0..<16 where following >> bit & 1 != 0 {
        lost.append(SequenceNumber(first &+ UInt16(bit) &+ 1))
      }
    } while !header.body.isAtEnd
  }

  package func write(to writer: inout ByteWriter) {
    RTCPHeader.write(
      type: RTCPHeader.transportLayerFeedback, count: Self.format, to: &writer
    ) { writer in
      writer.u32(reporter)
      writer.u32(source)
      var at = 0
      while at < lost.count {
        let first = lost[at]
        var following: UInt16 = 0
        var previous = 0
        at += 1
        while at < lost.count {
          let step = lost[at].distance(from: first)
          guard step > previous, step <= 16 else { break }
          following |= 1 << (step - 1)
          previous = step
          at += 1
        }
        writer.u16(first.value)
        writer.u16(following)
      }
    }
  }
}
