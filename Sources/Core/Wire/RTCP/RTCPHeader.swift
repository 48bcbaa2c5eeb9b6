/// The four bytes that begin every RTCP packet (RFC 3550 §6.4.1), and the body that they measure.
struct RTCPHeader {
  /// Report count or feedback message type, 0…31.
  var count: UInt8
  var type: UInt8
  var body: ByteReader

  static let senderReport: UInt8 = 200
  static let receiverReport: UInt8 = 201
  /// RFC 4585 §6.1.
  static let transportLayerFeedback: UInt8 = 205
  static let payloadSpecificFeedback: UInt8 = 206

  /// Takes one whole packet from the reader; padding is cut off (RFC 3550 §6.4.1).
  init(from reader: inout ByteReader) throws(WireError) {
    let first = try reader.u8()
    guard first >> 6 == 2 else { throw .invalid(field: "RTCP version", found: UInt64(first >> 6)) }
    count = first & 0x1F
    type = try reader.u8()
    var bytes = try reader.part(Int(try reader.u16()) * 4)
    if first & 0x20 != 0 {
      let padding = Int(bytes.last ?? 0)
      guard padding > 0, padding <= bytes.count else {
        throw .invalid(field: "RTCP padding", found: UInt64(padding))
      }
      bytes.removeLast(padding)
    }
    body = ByteReader(bytes)
  }

  /// As above, for a decoder that accepts one type only; `format` is `nil` where `count` is free.
  init(
    from reader: inout ByteReader, type expected: UInt8, format: UInt8?
  ) throws(WireError) {
    self = try RTCPHeader(from: &reader)
    guard type == expected else { throw .invalid(field: "RTCP type", found: UInt64(type)) }
    guard format == nil || count == format else {
      throw .invalid(field: "RTCP format", found: UInt64(count))
    }
  }

  /// Writes a packet whose body `write` makes; it must write a multiple of four bytes.
  static func write(
    type: UInt8, count: UInt8, to writer: inout ByteWriter, body write: (inout ByteWriter) -> Void
  ) {
    writer.u8(0x80 | count & 0x1F)
    writer.u8(type)
    let lengthAt = writer.count
    writer.u16(0)
    write(&writer)
    let bytes = writer.count - lengthAt - 2
    precondition(bytes % 4 == 0, "RTCP is counted in words of 32 bits")
    writer.patchU16(UInt16(truncatingIfNeeded: bytes / 4), at: lengthAt)
  }
}
