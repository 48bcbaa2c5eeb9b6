import Media
import Units

/// The filters of a stream (RFC 6386 §9.1), named in every frame: they may change between any two.
///
/// The simple ones cost less time on both sides, up to a quarter by content. Where there are bits to
/// code what moved they mostly keep more of the picture too; where there are few, the others hide
/// that better (docs/decisions/0010).
enum VP8Profile: UInt32, Sendable {
  /// Six-tap motion filter, normal loop filter.
  case normal = 0
  /// Bilinear motion filter, simple loop filter.
  case simple = 1

  /// Bits a pixel of a picture: from where on the simple filters are better, and below which the
  /// normal ones are; far enough apart that a rate that sways does not switch to and fro.
  private static let rich = 0.065
  private static let poor = 0.05

  static func of(_ settings: VideoEncoderSettings, after last: VP8Profile?) -> VP8Profile {
    let pixels = Double(settings.size.pixels) * max(1, settings.framesPerSecond)
    let density = Double(settings.bitrate.bitsPerSecond) / pixels
    return density >= (last == .simple ? poor : rich) ? .simple : .normal
  }
}
