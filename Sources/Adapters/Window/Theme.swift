/// A colour with straight alpha, 8 bits each.
struct Color: Hashable, Sendable {
  var red: UInt8
  var green: UInt8
  var blue: UInt8
  var alpha: UInt8

  /// From 0xRRGGBB.
  init(_ rgb: UInt32, alpha: Double = 1) {
    red = UInt8(rgb >> 16 & 255)
    green = UInt8(rgb >> 8 & 255)
    blue = UInt8(rgb & 255)
    self.alpha = UInt8((min(max(alpha, 0), 1) * 255).rounded())
  }

  func opacity(_ factor: Double) -> Color {
    var color = self
    color.alpha = UInt8((Double(alpha) * min(max(factor, 0), 1)).rounded())
    return color
  }
}

/// The window's colours: dark and calm, so that the people stand out; red is for leaving and
/// for a changed key, and for nothing else.
enum Theme {
  static let background = Color(0x0E1116)
  static let tile = Color(0x1A2029)
  static let panel = Color(0x171C24)
  static let field = Color(0x0F141B)
  static let raised = Color(0x2A323E)
  static let hover = Color(0x3A4553)
  static let pressed = Color(0x212832)
  static let outline = Color(0x323C49)
  static let scrim = Color(0x0B0E12, alpha: 0.72)

  static let text = Color(0xEDF1F5)
  static let secondary = Color(0xA3AFBC)
  static let faint = Color(0x74808E)
  static let ink = Color(0x12161C)

  static let accent = Color(0x3D7FF0)
  static let accentHover = Color(0x5A94F7)
  static let accentPressed = Color(0x2F6AD2)
  static let green = Color(0x46C083)
  static let amber = Color(0xF0B041)
  static let red = Color(0xDF4A4F)
  static let redHover = Color(0xEC6468)
  static let redPressed = Color(0xBE3A3F)

  /// Behind initials: dark enough for white letters.
  static let avatars: [Color] = [
    Color(0x3E63B8), Color(0x7A4FB5), Color(0x2E7F77), Color(0xA2553B), Color(0x4F7A35),
    Color(0xA0456F), Color(0x3B7196), Color(0x866A24),
  ]
}

/// The window's type sizes, in units (pixels at scale 1).
package enum TextStyle: CaseIterable, Hashable, Sendable {
  case small
  case caption
  case body
  case strong
  case heading
  case title
  case code
  case codeMedium
  case codeLarge
  case initial
  case initialLarge

  package var points: Int {
    switch self {
    case .small: 11
    case .caption: 12
    case .body: 14
    case .strong: 14
    case .heading: 17
    case .title: 24
    case .code: 13
    case .codeMedium: 17
    case .codeLarge: 24
    case .initial: 24
    case .initialLarge: 52
    }
  }
  package enum Face: CaseIterable, Hashable, Sendable {
    case regular
    case bold
    case fixed
  }
  package var face: Face {
    switch self {
    case .small, .caption, .body: .regular
    case .strong, .heading, .title, .initial, .initialLarge: .bold
    case .code, .codeMedium, .codeLarge: .fixed
    }
  }
  /// From one baseline to the next, in units.
  package var lineHeight: Int { (points * 7 + 4) / 5 }
}

/// How wide a text is in pixels; the layout is pure, and asks this.
package struct TextMeasure {
  package var scale: Double
  package var width: (String, TextStyle) -> Int

  package init(scale: Double, width: @escaping (String, TextStyle) -> Int) {
    self.scale = scale
    self.width = width
  }

  /// Units to pixels.
  package func px(_ units: Double) -> Int { Int((units * scale).rounded()) }
  package func px(_ units: Int) -> Int { px(Double(units)) }
  package func lineHeight(_ style: TextStyle) -> Int { px(style.lineHeight) }
}
