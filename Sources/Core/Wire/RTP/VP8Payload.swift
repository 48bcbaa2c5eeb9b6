/// The payload of a VP8 RTP packet: the descriptor (RFC 7741 §4.2) and a part of one frame.
package struct VP8Payload: WireMessage {
  /// No later frame refers to this one (N).
  package var isDiscardable: Bool
  /// The part begins the frame: its partition index is 0 and it is that partition's start (S).
  package var startsFrame: Bool
  /// Counts frames; 15 bits wide on the wire, or 7 (then it is not usable across gaps).
  package var pictureID: UInt16?
  /// Counts base-layer frames; a frame above carries the number of the base frame it builds on.
  package var baseLayerIndex: UInt8?
  /// Temporal layer, 0…3, and whether it refers to base-layer frames only (Y).
  package var temporalLayer: UInt8
  package var isLayerSync: Bool
  /// A part of the frame, as RFC 6386 lays it out; never empty.
  package var part: ArraySlice<UInt8>

  package init(
    isDiscardable: Bool, startsFrame: Bool, pictureID: UInt16?, baseLayerIndex: UInt8?,
    temporalLayer: UInt8, isLayerSync: Bool, part: ArraySlice<UInt8>
  ) {
    self.isDiscardable = isDiscardable
    self.startsFrame = startsFrame
    self.pictureID = pictureID.map { $0 & 0x7FFF }
    self.baseLayerIndex = baseLayerIndex
    self.temporalLayer = temporalLayer & 3
    self.isLayerSync = isLayerSync
    self.part = part
  }

  /// Bytes of the descriptor when picture id and layers are present.
  package static let descriptorCount = 6

  package init(from reader: inout ByteReader) throws(WireError) {
    let first = try reader.u8()
    isDiscardable = first & 0x20 != 0
    startsFrame = first & 0x10 != 0 && first & 0x07 == 0
    temporalLayer = 0
    isLayerSync = false
    if first & 0x80 != 0 {
      let present = try reader.u8()
      if present & 0x80 != 0 {
        let high = try reader.u8()
        pictureID =
          high & 0x80 == 0 ? UInt16(high) : UInt16(high & 0x7F) << 8 | UInt16(try reader.u8())
      }
      if present & 0x40 != 0 { baseLayerIndex = try reader.u8() }
      // T and K share a byte; K's key index is not used.
      if present & 0x30 != 0 {
        let layers = try reader.u8()
        if present & 0x20 != 0 {
          temporalLayer = layers >> 6
          isLayerSync = layers & 0x20 != 0
        }
      }
    }
    part = reader.restPart()
    guard !part.isEmpty else { throw .truncated(needed: 1, left: 0) }
  }

  package func write(to writer: inout ByteWriter) {
    let hasLayers = temporalLayer > 0 || isLayerSync || baseLayerIndex != nil
    let isExtended = hasLayers || pictureID != nil
    writer.u8(
      (isExtended ? 0x80 : 0) | (isDiscardable ? 0x20 : 0) | (startsFrame ? 0x10 : 0))
    if isExtended {
      writer.u8(
        (pictureID != nil ? 0x80 : 0) | (baseLayerIndex != nil ? 0x40 : 0)
          | (hasLayers ? 0x20 : 0))
      if let pictureID { writer.u16(0x8000 | pictureID) }
      if let baseLayerIndex { writer.u8(baseLayerIndex) }
      if hasLayers { writer.u8(temporalLayer << 6 | (isLayerSync ? 0x20 : 0)) }
    }
    writer.append(part)
  }
}
