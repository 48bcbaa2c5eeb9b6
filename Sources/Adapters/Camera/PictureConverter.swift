import CV4L
package import Media

/// Turns a camera's frames into I420 pictures. Whatever a frame holds, it converts or returns nil.
package final class PictureConverter {
  private let format: PixelFormat
  private let size: PictureSize
  /// Bytes of one line of the first plane.
  private let stride: Int
  /// libv4lconvert, for what is not merely rearranged.
  private let converter: OpaquePointer?

  package init(from format: PixelFormat, size: PictureSize, stride: Int) {
    self.format = format
    self.size = size
    let least = format == .yuyv ? size.width * 2 : size.width
    self.stride = max(stride, least)
    converter = format == .yuyv || format == .mjpeg ? cv4l_converter() : nil
  }

  deinit { if let converter { v4lconvert_destroy(converter) } }

  /// `nil` for a frame that is too short or does not decode.
  package func picture(of bytes: UnsafeMutableRawBufferPointer) -> Picture? {
    var isWhole = true
    let picture = Picture(size: size) { target in
      isWhole =
        switch format {
        case .i420: copyPlanes(bytes, into: target)
        case .nv12: splitChroma(bytes, into: target)
        case .yuyv: convert(bytes, into: target)
        case .mjpeg: convert(bytes, into: target)
        }
      if isWhole, format == .mjpeg { narrowRange(target) }
    }
    return isWhole ? picture : nil
  }

  private func copyPlanes(
    _ bytes: UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) -> Bool {
    let half = stride / 2
    guard bytes.count >= stride * size.height + half * size.height else { return false }
    var from = 0
    var to = 0
    for (width, height, line) in [
      (size.width, size.height, stride), (size.width / 2, size.height / 2, half),
      (size.width / 2, size.height / 2, half),
    ] {
      for row in 0..<height {
        copy(bytes, from + row * line, target, to + row * width, width)
      }
      from += line * height
      to += width * height
    }
    return true
  }

  /// NV12: after Y one plane of U and V in turn.
  private func splitChroma(
    _ bytes: UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) -> Bool {
    let luma = size.pixels
    guard bytes.count >= stride * size.height * 3 / 2 else { return false }
    for row in 0..<size.height { copy(bytes, row * stride, target, row * size.width, size.width) }
    let start = stride * size.height
    for row in 0..<size.height / 2 {
      for column in 0..<size.width / 2 {
        let at = start + row * stride + column * 2
        let to = luma + row * size.width / 2 + column
        target[to] = bytes[at]
        target[to + luma / 4] = bytes[at + 1]
      }
    }
    return true
  }

  private func convert(
    _ bytes: UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) -> Bool {
    guard let converter, !bytes.isEmpty else { return false }
    if format == .yuyv, bytes.count < stride * size.height { return false }
    let count = cv4l_convert(
      converter, UInt32(size.width), UInt32(size.height), format.fourCC, UInt32(stride),
      bytes.baseAddress, Int32(clamping: bytes.count), target.baseAddress,
      Int32(clamping: target.count))
    return Int(count) == target.count
  }

  /// JPEG uses 0…255 for black to white; video here uses 16…235, and 16…240 for colour.
  private func narrowRange(_ target: UnsafeMutableRawBufferPointer) {
    for index in 0..<size.pixels {
      target[index] = UInt8(16 + (Int(target[index]) * 219 + 127) / 255)
    }
    for index in size.pixels..<target.count {
      target[index] = UInt8(128 + ((Int(target[index]) - 128) * 224) / 255)
    }
  }

  private func copy(
    _ bytes: UnsafeMutableRawBufferPointer, _ from: Int, _ target: UnsafeMutableRawBufferPointer,
    _ to: Int, _ count: Int
  ) {
    UnsafeMutableRawBufferPointer(rebasing: target[to..<to + count])
      .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[from..<from + count]))
  }
}
