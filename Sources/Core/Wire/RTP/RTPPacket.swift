package import Units

/// An RTP packet (RFC 3550 §5.1) with one-byte header extensions (RFC 8285 §4.2).
///
/// Contributing sources, padding and extensions that p2pcall does not know are read over and not
/// kept.
package struct RTPPacket: WireMessage {
  /// The last packet of a picture, or the first of a talk spurt.
  package var isMarked: Bool
  /// 0…127.
  package var payloadType: UInt8
  package var sequence: SequenceNumber
  package var timestamp: UInt32
  package var source: UInt32
  /// One count over all packets of a peer, media and repair alike, for congestion control
  /// (draft-holmer-rmcat-transport-wide-cc-extensions-01 §2).
  package var transportSequence: SequenceNumber?
  package var payload: ArraySlice<UInt8>

  package init(
    isMarked: Bool, payloadType: UInt8, sequence: SequenceNumber, timestamp: UInt32,
    source: UInt32, transportSequence: SequenceNumber? = nil, payload: ArraySlice<UInt8>
  ) {
    self.isMarked = isMarked
    self.payloadType = payloadType & 0x7F
    self.sequence = sequence
    self.timestamp = timestamp
    self.source = source
    self.transportSequence = transportSequence
    self.payload = payload
  }

  /// Bytes before the payload when the transport sequence number is present.
  package static let headerCount = 20

  private static let oneByteProfile: UInt16 = 0xBEDE
  private static let transportSequenceID: UInt8 = 1

  package init(from reader: inout ByteReader) throws(WireError) {
    let first = try reader.u8()
    guard first >> 6 == 2 else { throw .invalid(field: "RTP version", found: UInt64(first >> 6)) }
    let second = try reader.u8()
    isMarked = second & 0x80 != 0
    payloadType = second & 0x7F
    sequence = SequenceNumber(try reader.u16())
    timestamp = try reader.u32()
    source = try reader.u32()
    try reader.skip(Int(first & 0x0F) * 4)
    if first & 0x10 != 0 {
      let profile = try reader.u16()
      let extensions = try reader.part(Int(try reader.u16()) * 4)
      if profile == Self.oneByteProfile {
        transportSequence = try Self.transportSequence(in: extensions)
      }
    }
    payload = reader.restPart()
    if first & 0x20 != 0 {
      let padding = Int(payload.last ?? 0)
      guard padding > 0, padding <= payload.count else {
        throw .invalid(field: "RTP padding", found: UInt64(padding))
      }
      payload.removeLast(padding)
    }
  }

  private static func transportSequence(
    in extensions: ArraySlice<UInt8>
  ) throws(WireError) -> SequenceNumber? {
    var found: SequenceNumber?
    var reader = ByteReader(extensions)
    while !reader.isAtEnd {
      let head = try reader.u8()
      if head == 0 { continue }
      // Number 15 ends the list (RFC 8285 §4.2).
      if head >> 4 == 15 { break }
      let count = Int(head & 0x0F) + 1
      if head >> 4 == transportSequenceID, count == 2 {
        found = SequenceNumber(try reader.u16())
      } else {
        try reader.skip(count)
      }
    }
    return found
  }

  package func write(to writer: inout ByteWriter) {
    writer.u8(transportSequence == nil ? 0x80 : 0x90)
    writer.u8((isMarked ? 0x80 : 0) | payloadType & 0x7F)
    writer.u16(sequence.value)
    writer.u32(timestamp)
    writer.u32(source)
    if let transportSequence {
      writer.u16(Self.oneByteProfile)
      writer.u16(1)
      writer.u8(Self.transportSequenceID << 4 | 1)
      writer.u16(transportSequence.value)
      writer.u8(0)
    }
    writer.append(payload)
  }
}
