package import Units

/// A size in pixels; both sides are even and 16…4096 wherever a `Picture` has it.
package struct PictureSize: Hashable, Sendable, CustomStringConvertible {
  package var width: Int
  package var height: Int

  package init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  package static let limit = 16...4096
  package var isValid: Bool {
    Self.limit.contains(width) && Self.limit.contains(height) && width % 2 == 0 && height % 2 == 0
  }
  package var pixels: Int { width * height }
  package var description: String { "\(width)x\(height)" }
}

/// One I420 picture (BT.601, limited range): a Y plane, then U and V of half the size each way,
/// contiguous and without padding. It is filled before it is shared and never changed after.
///
/// The planes' pointers are valid while the picture lives: keep it in a variable, take none from a
/// temporary (`make().luma` dangles).
package final class Picture: @unchecked Sendable {
  package let size: PictureSize
  /// `size.pixels * 3 / 2` bytes, owned by this object.
  package let storage: UnsafeMutableRawBufferPointer

  /// A picture filled by `fill`, which gets all planes in one buffer. The size must be valid.
  package init(size: PictureSize, fill: (UnsafeMutableRawBufferPointer) -> Void) {
    precondition(size.isValid, "callers check sizes that come from outside")
    self.size = size
    storage = PictureBuffers.shared.take(size.pixels * 3 / 2)
    fill(storage)
  }

  deinit { PictureBuffers.shared.giveBack(storage) }

  package var luma: UnsafeRawBufferPointer { plane(0, size.pixels) }
  package var chromaU: UnsafeRawBufferPointer { plane(size.pixels, size.pixels / 4) }
  package var chromaV: UnsafeRawBufferPointer {
    plane(size.pixels + size.pixels / 4, size.pixels / 4)
  }
  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(storage) }

  private func plane(_ offset: Int, _ count: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: storage[offset..<offset + count])
  }
}

/// A picture and the instant at which it was captured (or read from its file or pipe).
package struct VideoFrame: Sendable {
  package var picture: Picture
  package var capturedAt: Instant

  package init(picture: Picture, capturedAt: Instant) {
    self.picture = picture
    self.capturedAt = capturedAt
  }
}
