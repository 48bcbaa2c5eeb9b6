import CV4L
import Media

/// A way in which a camera can deliver pictures.
struct CaptureMode: Hashable {
  var format: PixelFormat
  var size: PictureSize
  var framesPerSecond: Double
}

/// Pixel formats that are taken, cheapest to convert first.
package enum PixelFormat: Int, CaseIterable, Hashable, Sendable {
  case i420
  case nv12
  case yuyv
  /// Full-range JPEG pictures; cameras reach high sizes and rates only with it.
  case mjpeg

  package init?(fourCC: UInt32) {
    switch fourCC {
    case cv4l_YUV420: self = .i420
    case cv4l_NV12: self = .nv12
    case cv4l_YUYV: self = .yuyv
    case cv4l_MJPEG, cv4l_JPEG: self = .mjpeg
    default: return nil
    }
  }

  package var fourCC: UInt32 {
    switch self {
    case .i420: cv4l_YUV420
    case .nv12: cv4l_NV12
    case .yuyv: cv4l_YUYV
    case .mjpeg: cv4l_MJPEG
    }
  }
}

extension [CaptureMode] {
  /// The mode that comes nearest to what is wanted: first the rate (a stuttering large picture is
  /// worse than a smooth small one), then the size without going far above it, then the cheapest
  /// format.
  func best(for wanted: PictureSize, framesPerSecond: Double) -> CaptureMode? {
    self.min { $0.cost(wanted, framesPerSecond) < $1.cost(wanted, framesPerSecond) }
  }
}

extension CaptureMode {
  fileprivate func cost(_ wanted: PictureSize, _ rate: Double) -> (Int, Int, Int) {
    let missing = rate - framesPerSecond
    let steps = missing <= 0.6 ? 0 : Int((missing / 5).rounded(.up))
    let difference = abs(size.pixels - wanted.pixels)
    // Above the wanted size each pixel is captured only to be scaled away.
    let distance = size.pixels > wanted.pixels ? difference * 2 : difference
    return (steps, distance, format.rawValue)
  }
}
