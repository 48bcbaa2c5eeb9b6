import Media

/// The uncompressed start of a VP8 frame (RFC 6386 §9.1).
enum KeyFrameHeader {
  /// A frame is a key frame when the lowest bit of its first byte is clear.
  static func isKeyFrame(_ frame: ArraySlice<UInt8>) -> Bool {
    frame.first.map { $0 & 1 == 0 } ?? false
  }

  /// The size in a key frame's header; `nil` when the start code is missing or the size is absurd.
  static func size(of frame: [UInt8]) -> PictureSize? {
    guard frame.count >= 10, frame[3] == 0x9D, frame[4] == 0x01, frame[5] == 0x2A else {
      return nil
    }
    let size = PictureSize(
      width: Int(frame[6]) | Int(frame[7] & 0x3F) << 8,
      height: Int(frame[8]) | Int(frame[9] & 0x3F) << 8)
    return size.isValid ? size : nil
  }
}
