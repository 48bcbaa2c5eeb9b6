import Media

extension Y4MHeader {
  /// One picture, of `pictureBytes` bytes of the stream, which `fill` puts where it is told; what
  /// `fill` throws is thrown, and so is anything but a value returned.
  func picture(
    filledBy fill: (UnsafeMutableRawBufferPointer) throws(MediaError) -> PipeReader.Outcome<Void>
  ) throws(MediaError) -> PipeReader.Outcome<Picture> {
    let size = pictureSize
    var outcome = Result<PipeReader.Outcome<Void>, MediaError>.success(.stopped)
    let picture = Picture(size: size) { target in
      do throws(MediaError) {
        if width == size.width, height == size.height {
          // No copy in between: it would be a fifth of a millisecond at 1280x720.
          outcome = .success(try fill(target))
        } else {
          let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: pictureBytes, alignment: 64)
          defer { bytes.deallocate() }
          outcome = .success(try fill(bytes))
          padOdd(UnsafeRawBufferPointer(bytes), into: target)
        }
      } catch {
        outcome = .failure(error)
      }
      if isFullRange, case .success(.value) = outcome {
        limitRange(target, lumaBytes: size.pixels)
      }
    }
    return switch try outcome.get() {
    case .value: .value(picture)
    case .over(let isClean): .over(isClean: isClean)
    case .stopped: .stopped
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
