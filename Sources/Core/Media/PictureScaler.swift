/// Resamples I420 pictures: by area downwards, bilinear upwards.
package enum PictureScaler {
  /// The whole picture at another valid size, stretched where the aspect differs.
  package static func scale(_ picture: Picture, to size: PictureSize) -> Picture {
    if picture.size == size { return picture }
    let from = picture.size
    return Picture(size: size) { target in
      let luma = size.pixels
      scalePlane(
        picture.luma, from.width, from.height,
        UnsafeMutableRawBufferPointer(rebasing: target[..<luma]), size.width, size.height)
      for (plane, start) in [(picture.chromaU, luma), (picture.chromaV, luma + luma / 4)] {
        scalePlane(
          plane, from.width / 2, from.height / 2,
          UnsafeMutableRawBufferPointer(rebasing: target[start..<start + luma / 4]),
          size.width / 2, size.height / 2)
      }
    }
  }

  /// The whole picture in the middle of one of `size`, undistorted, with black bars where needed.
  package static func letterbox(_ picture: Picture, into size: PictureSize) -> Picture {
    let inner = picture.size.fitted(into: size)
    // Rounding to even sides is no reason for a bar one or two pixels wide.
    if size.width - inner.width <= 2, size.height - inner.height <= 2 {
      return scale(picture, to: size)
    }
    let scaled = scale(picture, to: inner)
    let left = (size.width - inner.width) / 4 * 2
    let top = (size.height - inner.height) / 4 * 2
    return Picture(size: size) { target in
      Picture.fillBlack(target, size: size)
      var from = 0
      var to = 0
      for plane in 0..<3 {
        let shift = plane == 0 ? 0 : 1
        let row = inner.width >> shift
        for line in 0..<inner.height >> shift {
          let at = to + ((top >> shift) + line) * (size.width >> shift) + (left >> shift)
          UnsafeMutableRawBufferPointer(rebasing: target[at..<at + row])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: scaled.bytes[from..<from + row]))
          from += row
        }
        to += size.pixels >> (2 * shift)
      }
    }
  }

  /// Rows first: each target row is a weighted sum of source rows, which is then squeezed or
  /// stretched. 8-bit samples times two 12-bit weights just fit 32 bits.
  private static func scalePlane(
    _ source: UnsafeRawBufferPointer, _ sourceWidth: Int, _ sourceHeight: Int,
    _ target: UnsafeMutableRawBufferPointer, _ targetWidth: Int, _ targetHeight: Int
  ) {
    let columns = ScalingAxis(from: sourceWidth, to: targetWidth)
    let rows = ScalingAxis(from: sourceHeight, to: targetHeight)
    let from = source.bindMemory(to: UInt8.self)
    let to = target.bindMemory(to: UInt8.self)
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: sourceWidth) { sums in
      for row in 0..<targetHeight {
        sums.update(repeating: 0)
        for tap in rows.firstTap[row]..<rows.firstTap[row + 1] {
          let weight = rows.weights[tap]
          let line = rows.positions[tap] * sourceWidth
          for column in 0..<sourceWidth {
            sums[column] &+= UInt32(from[line &+ column]) &* weight
          }
        }
        squeeze(
          sums, by: columns,
          into: UnsafeMutableBufferPointer(
            rebasing: to[row * targetWidth..<(row + 1) * targetWidth]))
      }
    }
  }

  private static func squeeze(
    _ sums: UnsafeMutableBufferPointer<UInt32>, by axis: ScalingAxis,
    into target: UnsafeMutableBufferPointer<UInt8>
  ) {
    axis.positions.withUnsafeBufferPointer { positions in
      axis.weights.withUnsafeBufferPointer { weights in
        axis.firstTap.withUnsafeBufferPointer { firstTap in
          for column in 0..<target.count {
            var sum: UInt32 = 1 << 23
            for tap in firstTap[column]..<firstTap[column &+ 1] {
              sum &+= sums[positions[tap]] &* weights[tap]
            }
            target[column] = UInt8(truncatingIfNeeded: sum >> 24)
          }
        }
      }
    }
  }
}

extension PictureSize {
  /// The largest valid size of this aspect that fits into `limit`; also for odd and invalid sizes,
  /// whose sides must be positive. It may be larger than this one.
  package func fitted(into limit: PictureSize) -> PictureSize {
    if width * limit.height >= height * limit.width {
      return PictureSize(width: limit.width, height: Self.even(height * limit.width, by: width))
    }
    return PictureSize(width: Self.even(width * limit.height, by: height), height: limit.height)
  }

  /// This size if it is within `limit`, otherwise scaled down to it; sides made even and valid.
  package func shrunk(into limit: PictureSize) -> PictureSize {
    if width <= limit.width, height <= limit.height {
      return PictureSize(width: Self.even(width, by: 1), height: Self.even(height, by: 1))
    }
    return fitted(into: limit)
  }

  /// A part (0…1) of each side, rounded down to an even number; at least the smallest valid side.
  package func scaled(by part: Double) -> PictureSize {
    func side(_ length: Int) -> Int {
      max(Self.limit.lowerBound, Int(Double(length) * part / 2) * 2)
    }
    return PictureSize(width: side(width), height: side(height))
  }

  /// The even number nearest to a quotient, within the limits of a side.
  private static func even(_ dividend: Int, by divisor: Int) -> Int {
    min(max((dividend + divisor) / (2 * divisor) * 2, limit.lowerBound), limit.upperBound)
  }
}

extension Picture {
  /// A black picture (Y 16, U and V 128).
  package static func black(_ size: PictureSize) -> Picture {
    Picture(size: size) { fillBlack($0, size: size) }
  }

  static func fillBlack(_ target: UnsafeMutableRawBufferPointer, size: PictureSize) {
    let luma = target[..<size.pixels]
    let chroma = target[size.pixels...]
    UnsafeMutableRawBufferPointer(rebasing: luma).initializeMemory(as: UInt8.self, repeating: 16)
    UnsafeMutableRawBufferPointer(rebasing: chroma).initializeMemory(
      as: UInt8.self, repeating: 128)
  }
}
