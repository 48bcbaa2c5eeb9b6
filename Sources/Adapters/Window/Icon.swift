import Glibc

/// The drawn icons, on a grid of 24 × 24; any size is drawn sharp from the same strokes.
enum Icon: Hashable, Sendable {
  case microphone
  case microphoneOff
  case camera
  case cameraOff
  case chat
  case statistics
  case fullScreen
  case window
  case leave
  case copy
  case check
  case doubleCheck
  case clock
  case close
  case send
  case shield
  case warning
  case person

  /// Coverage 0…255 of each pixel of a square of `side` pixels.
  func coverage(side: Int) -> [UInt8] {
    var mask = [Double](repeating: 0, count: side * side)
    let unit = Double(side) / 24
    for stroke in strokes {
      for y in 0..<side {
        for x in 0..<side {
          let point = Stroke.Spot((Double(x) + 0.5) / unit, (Double(y) + 0.5) / unit)
          let cover = min(max(0.5 - stroke.distance(to: point) * unit, 0), 1)
          let index = y * side + x
          mask[index] = stroke.isCut ? min(mask[index], 1 - cover) : max(mask[index], cover)
        }
      }
    }
    return mask.map { UInt8(($0 * 255).rounded()) }
  }

  private var strokes: [Stroke] {
    switch self {
    case .microphone:
      [
        .fill(.box(8.6, 2.6, 15.4, 14.2, radius: 3.4)),
        .line(.arc(12, 10.8, 6.6, from: 0, to: 180)), .line([.init(12, 17.6), .init(12, 21.2)]),
        .line([.init(8.8, 21.2), .init(15.2, 21.2)]),
      ]
    case .microphoneOff: Icon.microphone.strokes + Self.slash
    case .camera:
      [
        .fill(.box(2.4, 6, 15.4, 18, radius: 2.6)),
        .fill([.init(16.8, 10.4), .init(21.6, 7), .init(21.6, 17), .init(16.8, 13.6)]),
      ]
    case .cameraOff: Icon.camera.strokes + Self.slash
    case .chat:
      [
        .loop(.box(3, 4, 21, 17, radius: 3)),
        .fill([.init(6.6, 16.6), .init(12.4, 16.6), .init(6.6, 21.6)]),
        .line([.init(7.6, 8.8), .init(16.4, 8.8)], width: 1.6),
        .line([.init(7.6, 12.4), .init(13.4, 12.4)], width: 1.6),
      ]
    case .statistics:
      [
        .line([.init(5, 19.5), .init(5, 13)], width: 3.2),
        .line([.init(12, 19.5), .init(12, 4.5)], width: 3.2),
        .line([.init(19, 19.5), .init(19, 9)], width: 3.2),
      ]
    case .fullScreen:
      [
        .line([.init(4, 9), .init(4, 4), .init(9, 4)]),
        .line([.init(15, 4), .init(20, 4), .init(20, 9)]),
        .line([.init(20, 15), .init(20, 20), .init(15, 20)]),
        .line([.init(9, 20), .init(4, 20), .init(4, 15)]),
      ]
    case .window:
      [
        .line([.init(9, 4), .init(9, 9), .init(4, 9)]),
        .line([.init(15, 4), .init(15, 9), .init(20, 9)]),
        .line([.init(20, 15), .init(15, 15), .init(15, 20)]),
        .line([.init(4, 15), .init(9, 15), .init(9, 20)]),
      ]
    case .leave:
      [
        .line(.arc(12, 19.4, 10.2, from: 213, to: 327), width: 3.6),
        .line([.init(4.4, 13.2), .init(4, 16)], width: 4.6),
        .line([.init(19.6, 13.2), .init(20, 16)], width: 4.6),
      ]
    case .copy:
      [
        .loop(.box(9, 9, 20.4, 20.4, radius: 2)),
        .line([
          .init(15.4, 5.4), .init(15.4, 4.6), .init(14.4, 3.6), .init(4.6, 3.6), .init(3.6, 4.6),
          .init(3.6, 14.4), .init(4.6, 15.4), .init(5.4, 15.4),
        ]),
      ]
    case .check: [.line([.init(4.6, 12.8), .init(9.8, 18), .init(19.6, 6.6)], width: 2.6)]
    case .doubleCheck:
      [
        .line([.init(1.8, 12.8), .init(6.6, 17.6), .init(15.6, 7)], width: 2.2),
        .line([.init(11.2, 16.2), .init(12.6, 17.6), .init(21.8, 7)], width: 2.2),
      ]
    case .clock:
      [
        .loop(.arc(12, 12, 8, from: 0, to: 360), width: 2),
        .line([.init(12, 7.6), .init(12, 12), .init(15, 14)], width: 2),
      ]
    case .close:
      [
        .line([.init(6, 6), .init(18, 18)], width: 2.2),
        .line([.init(18, 6), .init(6, 18)], width: 2.2),
      ]
    case .send:
      [
        .line([.init(12, 19.4), .init(12, 5.4)], width: 2.6),
        .line([.init(6, 11), .init(12, 5), .init(18, 11)], width: 2.6),
      ]
    case .shield:
      [
        .fill([
          .init(12, 2.2), .init(20, 5), .init(20, 11), .init(18.6, 15.4), .init(15.6, 19),
          .init(12, 21.6), .init(8.4, 19), .init(5.4, 15.4), .init(4, 11), .init(4, 5),
        ]),
        .cut([.init(8, 11.8), .init(11, 14.8), .init(16.2, 8.6)], width: 2.4),
      ]
    case .warning:
      [
        .fill([.init(12, 2.6), .init(22.4, 20.8), .init(1.6, 20.8)]),
        .cut([.init(12, 9.2), .init(12, 14.2)], width: 2.4),
        .cut([.init(12, 17.5), .init(12, 17.6)], width: 2.6),
      ]
    case .person:
      [
        .fill(.arc(12, 8, 4.4, from: 0, to: 360)),
        .fill(.arc(12, 21.6, 8, from: 180, to: 360)),
      ]
    }
  }

  private static let slash: [Stroke] = [
    .cut([.init(2.8, 4.6), .init(19.4, 21.2)], width: 5.4),
    .line([.init(4, 3.6), .init(20.4, 20)], width: 2.2),
  ]
}

/// A stroked or filled outline, given by its signed distance.
private struct Stroke {
  struct Spot {
    var x: Double
    var y: Double
    init(_ x: Double, _ y: Double) {
      self.x = x
      self.y = y
    }
  }
  typealias Path = [Spot]

  var points: Path
  var isClosed = false
  var isFilled = false
  /// Takes away from what was drawn before.
  var isCut = false
  var halfWidth = 0.0

  static func line(_ points: Path, width: Double = 2) -> Stroke {
    Stroke(points: points, halfWidth: width / 2)
  }
  static func loop(_ points: Path, width: Double = 2) -> Stroke {
    Stroke(points: points, isClosed: true, halfWidth: width / 2)
  }
  static func fill(_ points: Path) -> Stroke {
    Stroke(points: points, isClosed: true, isFilled: true)
  }
  static func cut(_ points: Path, width: Double) -> Stroke {
    Stroke(points: points, isCut: true, halfWidth: width / 2)
  }

  /// Negative inside.
  func distance(to point: Spot) -> Double {
    var nearest = Double.infinity
    var isInside = false
    for index in 0..<(isClosed ? points.count : points.count - 1) {
      let a = points[index]
      let b = points[(index + 1) % points.count]
      nearest = min(nearest, Self.distance(point, a, b))
      if (a.y > point.y) != (b.y > point.y),
        point.x < (b.x - a.x) * (point.y - a.y) / (b.y - a.y) + a.x
      {
        isInside.toggle()
      }
    }
    return isFilled && isInside ? -nearest : nearest - halfWidth
  }

  private static func distance(_ point: Spot, _ a: Spot, _ b: Spot) -> Double {
    let (dx, dy) = (b.x - a.x, b.y - a.y)
    let length = dx * dx + dy * dy
    let along = length > 0 ? ((point.x - a.x) * dx + (point.y - a.y) * dy) / length : 0
    let t = min(max(along, 0), 1)
    return hypot(point.x - a.x - t * dx, point.y - a.y - t * dy)
  }
}

extension [Stroke.Spot] {
  /// Degrees clockwise from the right, as y grows downwards.
  fileprivate static func arc(
    _ x: Double, _ y: Double, _ radius: Double, from: Double, to: Double
  ) -> [Stroke.Spot] {
    let steps = Swift.max(4, Int((to - from) / 12))
    return (0...steps).map { step in
      let angle = (from + (to - from) * Double(step) / Double(steps)) * .pi / 180
      return Stroke.Spot(x + radius * cos(angle), y + radius * sin(angle))
    }
  }
  fileprivate static func box(
    _ left: Double, _ top: Double, _ right: Double, _ bottom: Double, radius: Double
  ) -> [Stroke.Spot] {
    arc(left + radius, top + radius, radius, from: 180, to: 270)
      + arc(right - radius, top + radius, radius, from: 270, to: 360)
      + arc(right - radius, bottom - radius, radius, from: 0, to: 90)
      + arc(left + radius, bottom - radius, radius, from: 90, to: 180)
  }
}
