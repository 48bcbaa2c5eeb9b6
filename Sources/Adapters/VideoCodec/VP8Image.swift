import CVPX
import Media

/// A decoded picture inside libvpx: valid until the decoder's next call.
struct VP8Image {
  let width: Int
  let height: Int
  private let planes: [Plane]

  private struct Plane {
    var start: UnsafePointer<UInt8>
    var stride: Int
    var width: Int
    var height: Int
  }

  /// `nil` for anything but I420.
  init?(_ image: vpx_image_t) {
    guard image.fmt == VPX_IMG_FMT_I420, let y = image.planes.0, let u = image.planes.1,
      let v = image.planes.2
    else { return nil }
    width = Int(image.d_w)
    height = Int(image.d_h)
    let halfWidth = (width + 1) / 2
    let halfHeight = (height + 1) / 2
    planes = [
      Plane(start: y, stride: Int(image.stride.0), width: width, height: height),
      Plane(start: u, stride: Int(image.stride.1), width: halfWidth, height: halfHeight),
      Plane(start: v, stride: Int(image.stride.2), width: halfWidth, height: halfHeight),
    ]
  }

  /// The size with odd sides rounded up.
  var evenSize: PictureSize? {
    guard width > 0, height > 0 else { return nil }
    return PictureSize(width: (width + 1) & ~1, height: (height + 1) & ~1)
  }

  /// All planes, rows without padding.
  var bytes: [UInt8] {
    planes.flatMap { plane in
      (0..<plane.height).flatMap { row in
        UnsafeBufferPointer(start: plane.start + row * plane.stride, count: plane.width)
      }
    }
  }

  /// Fills a picture's storage; chroma planes of an odd size are already those of the even one.
  func copy(into target: UnsafeMutableRawBufferPointer, size: PictureSize) {
    guard let base = target.baseAddress else { return }
    var to = base
    for (index, plane) in planes.enumerated() {
      let columns = index == 0 ? size.width : size.width / 2
      let rows = index == 0 ? size.height : size.height / 2
      for row in 0..<rows {
        let from = plane.start + min(row, plane.height - 1) * plane.stride
        to.copyMemory(from: from, byteCount: plane.width)
        if columns > plane.width {
          to.storeBytes(of: from[plane.width - 1], toByteOffset: plane.width, as: UInt8.self)
        }
        to += columns
      }
    }
  }
}
