/// What one member tells another on the reliable control stream.
package enum ControlMessage: WireMessage {
  /// Which of the sender's sources are on: a tile shows a muted microphone or an absent camera.
  case sources(audio: Bool, video: Bool)
  /// The full size and rate of the sender's picture: below it the encoder adapts. The rate is in
  /// hundredths of a frame a second.
  case picture(width: UInt16, height: UInt16, rate: UInt16)
  /// What the receiver wants at most: the largest picture, and kbit/s of everything; 0 is no bound.
  case receiveLimit(width: UInt16, height: UInt16, kilobits: UInt32)
  /// The room's charter, sealed, as its holder has it (docs/protocol.md, The room's charter).
  case sealedCharter([UInt8])

  /// Numbers 4 and 6…63 are reserved: 4 recording, 6 check words, 7 roster gossip.
  private enum Kind: UInt8 {
    case sources = 1
    case sealedCharter = 2
    case picture = 3
    case receiveLimit = 5
  }

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
    case .picture:
      self = .picture(
        width: try reader.u16(), height: try reader.u16(), rate: try reader.u16())
    case .receiveLimit:
      self = .receiveLimit(
        width: try reader.u16(), height: try reader.u16(), kilobits: try reader.u32())
    case .sealedCharter:
      self = .sealedCharter(try reader.field("sealed charter", limit: RoomRecord.sealedLimit))
    }
  }

  package func write(to writer: inout ByteWriter) {
    switch self {
    case .sources(let audio, let video):
      writer.u8(Kind.sources.rawValue)
      writer.u8((audio ? 1 : 0) | (video ? 2 : 0))
    case .picture(let width, let height, let rate):
      writer.u8(Kind.picture.rawValue)
      writer.u16(width)
      writer.u16(height)
      writer.u16(rate)
    case .receiveLimit(let width, let height, let kilobits):
      writer.u8(Kind.receiveLimit.rawValue)
      writer.u16(width)
      writer.u16(height)
      writer.u32(kilobits)
    case .sealedCharter(let charter):
      writer.u8(Kind.sealedCharter.rawValue)
      writer.field(charter)
    }
  }
}
