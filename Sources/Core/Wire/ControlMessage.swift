/// What one member tells another on the reliable control stream.
package enum ControlMessage: WireMessage {
  /// Which of the sender's sources are on: a tile shows a muted microphone or an absent camera.
  case sources(audio: Bool, video: Bool)
  /// The sealed ROOM record as its holder has it (docs/protocol.md, Moderation).
  case roomRecord([UInt8])

  /// Numbers 3…63 are reserved: 3 recording, 4 receive limit, 5 check words, 6 roster gossip.
  private enum Kind: UInt8 {
    case sources = 1
    case roomRecord = 2
  }
  private static let recordLimit = 16_384

  package init(from reader: inout ByteReader) throws(WireError) {
    let number = try reader.u8()
    guard let kind = Kind(rawValue: number) else {
      throw .invalid(field: "control kind", found: UInt64(number))
    }
    switch kind {
    case .sources:
      let bits = try reader.u8()
      guard bits < 4 else { throw .invalid(field: "sources", found: UInt64(bits)) }
      self = .sources(audio: bits & 1 != 0, video: bits & 2 != 0)
    case .roomRecord:
      self = .roomRecord(try reader.field("room record", limit: Self.recordLimit))
    }
  }

  package func write(to writer: inout ByteWriter) {
    switch self {
    case .sources(let audio, let video):
      writer.u8(Kind.sources.rawValue)
      writer.u8((audio ? 1 : 0) | (video ? 2 : 0))
    case .roomRecord(let record):
      writer.u8(Kind.roomRecord.rawValue)
      writer.field(record)
    }
  }
}
