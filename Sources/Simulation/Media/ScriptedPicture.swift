package import Media
import Wire

/// One encoded picture of a scripted camera: a VP8 frame from outside (RFC 6386 §9.1), and inside
/// its number, the number of the picture that it refers to, and a check over everything, so that
/// whoever decodes it can tell a whole, right and timely frame from any other.
package struct ScriptedPicture: Hashable, Sendable {
  /// Which camera made it.
  package var camera: UInt32
  /// Counts the pictures of one camera from 1.
  package var number: UInt32
  /// The picture that this one was predicted from; `nil` for a key frame.
  package var reference: UInt32?
  package var size: PictureSize
  /// Whether later pictures may refer to it.
  package var isDiscardable: Bool

  /// Bytes that a picture has at least.
  package static let leastBytes = 10 + 17 + checkBytes
  private static let checkBytes = 8

  /// `count` bytes, or `leastBytes` if that is more.
  package func encoded(count: Int) -> [UInt8] {
    let count = max(count, Self.leastBytes)
    var writer = ByteWriter(reserving: count)
    // The frame tag: inverse key flag, version 0, shown, length of the first partition.
    let partition = UInt32(min(count - 10, 1 << 18))
    let tag = (reference == nil ? 0 : 1) | 1 << 4 | partition << 5
    for shift in [UInt32(0), 8, 16] { writer.u8(UInt8(truncatingIfNeeded: tag >> shift)) }
    if reference == nil {
      writer.append([0x9D, 0x01, 0x2A])
      for side in [size.width, size.height] {
        writer.u8(UInt8(side & 0xFF))
        writer.u8(UInt8(side >> 8 & 0x3F))
      }
    }
    writer.u32(camera)
    writer.u32(number)
    writer.u32(reference ?? 0)
    writer.u16(UInt16(size.width))
    writer.u16(UInt16(size.height))
    writer.u8(isDiscardable ? 1 : 0)
    let filler = count - Self.checkBytes - writer.count
    writer.append(Self.filler(filler, from: Int(number)))
    writer.append(Self.check(writer.bytes[...]))
    return writer.bytes
  }

  /// `nil` unless every byte is as it was made.
  package init?(decoding bytes: [UInt8]) {
    guard bytes.count >= Self.leastBytes,
      bytes.suffix(Self.checkBytes).elementsEqual(Self.check(bytes.dropLast(Self.checkBytes)))
    else { return nil }
    do throws(WireError) {
      var reader = ByteReader(bytes)
      let isKeyFrame = try reader.u8() & 1 == 0
      try reader.skip(isKeyFrame ? 9 : 2)
      camera = try reader.u32()
      number = try reader.u32()
      let reference = try reader.u32()
      self.reference = isKeyFrame ? nil : reference
      size = PictureSize(width: Int(try reader.u16()), height: Int(try reader.u16()))
      isDiscardable = try reader.u8() == 1
    } catch {
      return nil
    }
  }

  package init(
    camera: UInt32, number: UInt32, reference: UInt32?, size: PictureSize, isDiscardable: Bool
  ) {
    self.camera = camera
    self.number = number
    self.reference = reference
    self.size = size
    self.isDiscardable = isDiscardable
  }

  /// `count` bytes that differ from picture to picture.
  static func filler(_ count: Int, from number: Int) -> ArraySlice<UInt8> {
    let start = number &* 7 & 0xFF
    if start + count <= pattern.count { return pattern[start..<start + count] }
    return (0..<count).map { UInt8(truncatingIfNeeded: ($0 + start) &* 151 >> 3) }[...]
  }
  private static let pattern = (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 151 >> 3) }

  private static func check(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var hash = MixingHash(domain: 0x5049_4354)
    hash.absorb(bytes)
    return hash.bytes(checkBytes)
  }
}
