package import Units

/// The payload of a parity packet: one parity shard over consecutive packets of one frame, whose
/// timestamp the parity packet has (docs/wire-format.md).
package struct ParityPayload: WireMessage {
  /// Of the packets protected, by their own sequence numbers.
  package var first: SequenceNumber
  /// Packets protected, 1…`blockLimit`.
  package var count: Int
  /// This shard's number, from 0, and how many there are for these packets, 1…`blockLimit`.
  package var number: Int
  package var parityCount: Int
  /// As long as the longest shard of the packets protected.
  package var shard: ArraySlice<UInt8>

  package init(
    first: SequenceNumber, count: Int, number: Int, parityCount: Int, shard: ArraySlice<UInt8>
  ) {
    self.first = first
    self.count = count
    self.number = number
    self.parityCount = parityCount
    self.shard = shard
  }

  /// More packets are protected by several blocks: rebuilding takes time with the square of this.
  package static let blockLimit = 64
  /// Bytes before the shard.
  package static let headerCount = 5

  package init(from reader: inout ByteReader) throws(WireError) {
    first = SequenceNumber(try reader.u16())
    count = Int(try reader.u8())
    number = Int(try reader.u8())
    parityCount = Int(try reader.u8())
    guard (1...Self.blockLimit).contains(count) else {
      throw .invalid(field: "packets protected", found: UInt64(count))
    }
    guard (1...Self.blockLimit).contains(parityCount) else {
      throw .invalid(field: "parity packets", found: UInt64(parityCount))
    }
    guard number < parityCount else {
      throw .invalid(field: "parity number", found: UInt64(number))
    }
    guard reader.left > ParityShard.headerCount else {
      throw .truncated(needed: ParityShard.headerCount + 1, left: reader.left)
    }
    shard = reader.restPart()
  }

  package func write(to writer: inout ByteWriter) {
    writer.u16(first.value)
    writer.u8(UInt8(truncatingIfNeeded: count))
    writer.u8(UInt8(truncatingIfNeeded: number))
    writer.u8(UInt8(truncatingIfNeeded: parityCount))
    writer.append(shard)
  }
}

/// What the code sees of one protected packet: its marker and its payload's length in two bytes, the
/// payload, and zeros up to the length of the longest.
package enum ParityShard {
  /// Bytes before the payload.
  package static let headerCount = 2
  private static let mark = 0x8000

  /// Appends a shard of `length` bytes; the payload is at most `length - headerCount`.
  package static func append(
    _ payload: ArraySlice<UInt8>, isMarked: Bool, length: Int, to shards: inout [UInt8]
  ) {
    let head = payload.count | (isMarked ? mark : 0)
    shards.append(UInt8(truncatingIfNeeded: head >> 8))
    shards.append(UInt8(truncatingIfNeeded: head))
    shards.append(contentsOf: payload)
    shards.append(
      contentsOf: repeatElement(0, count: max(0, length - headerCount - payload.count)))
  }

  /// `nil` where the length does not fit.
  package static func read(
    _ shard: ArraySlice<UInt8>
  ) -> (isMarked: Bool, payload: [UInt8])? {
    guard shard.count > headerCount else { return nil }
    let head = Int(shard[shard.startIndex]) << 8 | Int(shard[shard.startIndex + 1])
    let count = head & (mark - 1)
    let start = shard.startIndex + headerCount
    guard count > 0, count <= shard.endIndex - start else { return nil }
    return (head & mark != 0, Array(shard[start..<start + count]))
  }
}
