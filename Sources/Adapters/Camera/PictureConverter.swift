import CJPEG
import CV4L
package import Media

/// Turns a camera's frames into I420 pictures. Whatever a frame holds, it converts or returns nil.
package final class PictureConverter {
  private let format: PixelFormat
  private let size: PictureSize
  /// Bytes of one line of the first plane.
  private let stride: Int
  /// libv4lconvert, for YUYV.
  private let converter: OpaquePointer?

  package init(from format: PixelFormat, size: PictureSize, stride: Int) {
    self.format = format
    self.size = size
    let least = format == .yuyv ? size.width * 2 : size.width
    self.stride = max(stride, least)
    converter = format == .yuyv ? cv4l_converter() : nil
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
        case .mjpeg: decode(bytes, into: target)
        }
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
    guard let converter, !bytes.isEmpty, bytes.count >= stride * size.height else { return false }
    let count = cv4l_convert(
      converter, UInt32(size.width), UInt32(size.height), format.fourCC, UInt32(stride),
      bytes.baseAddress, Int32(clamping: bytes.count), target.baseAddress,
      Int32(clamping: target.count))
    return Int(count) == target.count
  }

  /// By libjpeg: libv4lconvert refuses heights that are no multiple of 16, such as 360 and 1080.
  private func decode(
    _ bytes: UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) -> Bool {
    guard let start = bytes.baseAddress, let place = target.baseAddress else { return false }
    return cjpeg_decode(
      start.assumingMemoryBound(to: UInt8.self), bytes.count, Int32(size.width),
      Int32(size.height), place.assumingMemoryBound(to: UInt8.self)) == 1
  }

  private func copy(
    _ bytes: UnsafeMutableRawBufferPointer, _ from: Int, _ target: UnsafeMutableRawBufferPointer,
    _ to: Int, _ count: Int
  ) {
    UnsafeMutableRawBufferPointer(rebasing: target[to..<to + count])
      .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[from..<from + count]))
  }
}
