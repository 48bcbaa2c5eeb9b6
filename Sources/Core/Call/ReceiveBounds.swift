package import Media
package import Units
import Wire

/// The most that a receiver wants of a sender, whatever its path carries. To the rate the sender keeps in
/// any case, to the size unless another who gets the same encoding wants more.
package struct ReceiveBounds: Hashable, Sendable {
  /// `nil`: of any size.
  package var size: PictureSize?
  /// Of everything, overhead included; `nil`: as much as the path carries.
  package var bitrate: Bitrate?

  package init(size: PictureSize? = nil, bitrate: Bitrate? = nil) {
    self.size = size
    self.bitrate = bitrate
  }

  /// No larger than this either.
  mutating func narrow(to other: PictureSize) {
    size = PictureSize(
      width: min(size?.width ?? other.width, other.width),
      height: min(size?.height ?? other.height, other.height))
  }

  /// Bits for each pixel of each picture, beyond which VP8 shows next to nothing more.
  private static let density = 0.15

  /// Of a picture of this size, what is wanted.
  func bounded(_ picture: PictureSize) -> PictureSize { size.map(picture.shrunk) ?? picture }

  /// What pictures of that size have use for of a rate; all of it where no size was asked for.
  func useful(_ rate: Bitrate, for picture: PictureSize, framesPerSecond: Double) -> Bitrate {
    guard size != nil else { return rate }
    let most = Double(picture.pixels) * framesPerSecond * Self.density
    return min(rate, Bitrate(bitsPerSecond: Int64(most)))
  }

  init(width: UInt16, height: UInt16, kilobits: UInt32) {
    if width > 0, height > 0 {
      let side = PictureSize.limit
      size = PictureSize(
        width: min(max(Int(width) & ~1, side.lowerBound), side.upperBound),
        height: min(max(Int(height) & ~1, side.lowerBound), side.upperBound))
    }
    if kilobits > 0 { bitrate = .kilobits(Int64(kilobits)) }
  }

  var message: ControlMessage {
    .receiveLimit(
      width: UInt16(clamping: size?.width ?? 0), height: UInt16(clamping: size?.height ?? 0),
      kilobits: UInt32(clamping: bitrate.map { max(1, $0.bitsPerSecond / 1_000) } ?? 0))
  }
}
