/// The payload of a RED packet (RFC 2198 §3): an Opus packet, and before it copies of earlier ones.
///
/// The copies are those of the packets just before, the oldest first, one entry for each packet: one
/// that is not sent again has no bytes. So the place in the list tells which packet a copy is of.
package struct RedundantAudio: WireMessage {
  package struct Copy: Hashable, Sendable {
    /// How much earlier than this packet's it begins, in samples: 14 bits.
    package var offset: UInt16
    /// At most 1 023; none: not sent again.
    package var bytes: ArraySlice<UInt8>

    package init(offset: UInt16, bytes: ArraySlice<UInt8>) {
      self.offset = offset
      self.bytes = bytes
    }
  }
  /// The oldest first; the last is the packet just before.
  package var copies: [Copy]
  /// Never empty.
  package var newest: ArraySlice<UInt8>

  package init(copies: [Copy], newest: ArraySlice<UInt8>) {
    precondition(copies.count <= Self.copyLimit, "callers bound the copies")
    self.copies = copies
    self.newest = newest
  }

  package static let copyLimit = 8
  package static let offsetLimit = 0x3FFF
  package static let byteLimit = 0x3FF
  /// What a copy costs beside its own bytes.
  package static let copyHeaderCount = 4

  package init(from reader: inout ByteReader) throws(WireError) {
    var heads: [(offset: UInt16, count: Int)] = []
    while true {
      let first = try reader.u8()
      guard first & 0x7F == MediaStream.PayloadType.opus else {
        throw .invalid(field: "RED block type", found: UInt64(first & 0x7F))
      }
      if first & 0x80 == 0 { break }
      guard heads.count < Self.copyLimit else {
        throw .tooLong(field: "RED blocks", found: heads.count + 1, limit: Self.copyLimit)
      }
      let rest = try reader.u24()
      heads.append((UInt16(rest >> 10), Int(rest & 0x3FF)))
    }
    copies = []
    copies.reserveCapacity(heads.count)
    for head in heads {
      copies.append(Copy(offset: head.offset, bytes: try reader.part(head.count)))
    }
    newest = reader.restPart()
    guard !newest.isEmpty else { throw .truncated(needed: 1, left: 0) }
  }

  package func write(to writer: inout ByteWriter) {
    for copy in copies {
      writer.u8(0x80 | MediaStream.PayloadType.opus)
      writer.u24(
        UInt32(copy.offset & 0x3FFF) << 10 | UInt32(truncatingIfNeeded: copy.bytes.count & 0x3FF))
    }
    writer.u8(MediaStream.PayloadType.opus)
    for copy in copies { writer.append(copy.bytes) }
    writer.append(newest)
  }
}
