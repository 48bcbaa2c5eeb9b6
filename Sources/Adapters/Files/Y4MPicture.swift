import Media

extension Y4MHeader {
  /// One picture from `pictureBytes` bytes of the stream.
  func picture(_ bytes: UnsafeRawBufferPointer) -> Picture {
    let size = pictureSize
    return Picture(size: size) { target in
      if width == size.width, height == size.height {
        target.copyMemory(from: bytes)
      } else {
        padOdd(bytes, into: target)
      }
      if isFullRange { limitRange(target, lumaBytes: size.pixels) }
    }
  }

  private func padOdd(_ bytes: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) {
    let size = pictureSize
    // An odd side's chroma is that of the even side already.
    for row in 0..<size.height {
      let from = min(row, height - 1) * width
      let to = row * size.width
      UnsafeMutableRawBufferPointer(rebasing: target[to..<to + width])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[from..<from + width]))
      if size.width > width { target[to + width] = bytes[from + width - 1] }
    }
    UnsafeMutableRawBufferPointer(rebasing: target[size.pixels...])
      .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[(width * height)...]))
  }

  /// 0…255 to 16…235, and colour to 16…240.
  private func limitRange(_ target: UnsafeMutableRawBufferPointer, lumaBytes: Int) {
    for index in target.indices {
      let value = Int(target[index])
      target[index] =
        index < lumaBytes
        ? UInt8(16 + (value * 219 + 127) / 255) : UInt8(128 + ((value - 128) * 224) / 255)
    }
  }
}
