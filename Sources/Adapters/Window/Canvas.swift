import CSDL

/// Draws rectangles, icons, texts and pictures with SDL's renderer, in pixels.
final class Canvas {
  let renderer: OpaquePointer
  let measure: TextMeasure
  private let texts: TextTextures
  private var masks: [Mask: OpaquePointer] = [:]
  private static let maskLimit = 128

  private enum Mask: Hashable {
    case disc(radius: Int)
    case ring(radius: Int, width: Int)
    /// What is left of a square when a disc is taken out.
    case corner(radius: Int)
    case icon(Icon, side: Int)
  }

  enum Alignment {
    case leading
    case center
    case trailing
  }

  init(renderer: OpaquePointer, fonts: FontBook, scale: Double) {
    self.renderer = renderer
    let texts = TextTextures(renderer: renderer, fonts: fonts)
    self.texts = texts
    measure = TextMeasure(scale: scale) { texts.width($0, $1) }
    _ = sdl.SDL_SetRenderDrawBlendMode(renderer, SDL_BLENDMODE_BLEND)
  }

  deinit { clearMasks() }

  /// Forgets all textures: the renderer lost them.
  func clear() {
    clearMasks()
    texts.clear()
  }

  private func clearMasks() {
    for texture in masks.values { sdl.SDL_DestroyTexture(texture) }
    masks.removeAll()
  }

  // MARK: Shapes

  func fill(_ rect: Rect, _ color: Color) {
    guard !rect.isEmpty, color.alpha > 0 else { return }
    var area = rect.sdl
    _ = sdl.SDL_SetRenderDrawColor(renderer, color.red, color.green, color.blue, color.alpha)
    _ = sdl.SDL_RenderFillRect(renderer, &area)
  }

  func fill(_ rect: Rect, radius: Int, _ color: Color) {
    let radius = min(radius, rect.width / 2, rect.height / 2)
    guard radius > 0 else { return fill(rect, color) }
    corners(.disc(radius: radius), of: rect, radius: radius, color)
    fill(rect.inset(0, radius), color)
    let middle = rect.inset(radius, 0)
    fill(Rect(x: middle.x, y: rect.y, width: middle.width, height: radius), color)
    fill(Rect(x: middle.x, y: rect.maxY - radius, width: middle.width, height: radius), color)
  }

  func outline(_ rect: Rect, radius: Int, width: Int, _ color: Color) {
    let radius = min(radius, rect.width / 2, rect.height / 2)
    if radius > 0 { corners(.ring(radius: radius, width: width), of: rect, radius: radius, color) }
    let x = rect.x + radius
    let y = rect.y + radius
    let across = rect.width - 2 * radius
    let down = rect.height - 2 * radius
    fill(Rect(x: x, y: rect.y, width: across, height: width), color)
    fill(Rect(x: x, y: rect.maxY - width, width: across, height: width), color)
    fill(Rect(x: rect.x, y: y, width: width, height: down), color)
    fill(Rect(x: rect.maxX - width, y: y, width: width, height: down), color)
  }

  /// Rounds the corners of what was drawn in `rect` by painting `color` outside of them.
  func roundCorners(of rect: Rect, radius: Int, _ color: Color) {
    let radius = min(radius, rect.width / 2, rect.height / 2)
    guard radius > 0 else { return }
    corners(.corner(radius: radius), of: rect, radius: radius, color)
  }

  /// The four quarters of a mask of twice the radius.
  private func corners(_ mask: Mask, of rect: Rect, radius: Int, _ color: Color) {
    guard let texture = texture(mask, tint: color) else { return }
    for (x, right) in [(rect.x, 0), (rect.maxX - radius, 1)] {
      for (y, lower) in [(rect.y, 0), (rect.maxY - radius, 1)] {
        var source = Rect(x: right * radius, y: lower * radius, width: radius, height: radius).sdl
        var target = Rect(x: x, y: y, width: radius, height: radius).sdl
        _ = sdl.SDL_RenderCopy(renderer, texture, &source, &target)
      }
    }
  }

  func icon(_ icon: Icon, in rect: Rect, _ color: Color) {
    let side = min(rect.width, rect.height)
    guard side > 0, let texture = texture(.icon(icon, side: side), tint: color) else { return }
    var target = rect.centered(Extent(width: side, height: side)).sdl
    _ = sdl.SDL_RenderCopy(renderer, texture, nil, &target)
  }

  // MARK: Text

  /// One line, cut with an ellipsis where it is too wide; centred vertically.
  func text(
    _ text: String, _ style: TextStyle, in rect: Rect, _ color: Color,
    align: Alignment = .leading
  ) {
    let fitted = TextFit.ellipsized(text, to: rect.width, style, measure)
    guard color.alpha > 0, let entry = texts.entry(fitted, style) else { return }
    let x =
      switch align {
      case .leading: rect.x
      case .center: rect.x + (rect.width - entry.extent.width) / 2
      case .trailing: rect.maxX - entry.extent.width
      }
    let (ascent, descent) = texts.vertical(style)
    let baseline = rect.y + (rect.height + ascent - descent + 1) / 2
    var target = Rect(
      x: x, y: baseline - entry.baseline, width: entry.extent.width, height: entry.extent.height
    ).sdl
    _ = sdl.SDL_SetTextureColorMod(entry.texture, color.red, color.green, color.blue)
    _ = sdl.SDL_SetTextureAlphaMod(entry.texture, color.alpha)
    _ = sdl.SDL_RenderCopy(renderer, entry.texture, nil, &target)
  }

  func lines(_ lines: [String], _ style: TextStyle, in rect: Rect, _ color: Color) {
    for (row, line) in lines.enumerated() {
      let height = measure.lineHeight(style)
      text(
        line, style,
        in: Rect(x: rect.x, y: rect.y + row * height, width: rect.width, height: height),
        color)
    }
  }

  // MARK: Pictures

  func picture(_ texture: OpaquePointer, in rect: Rect, isMirrored: Bool = false, dim: Bool = false)
  {
    guard !rect.isEmpty else { return }
    var target = rect.sdl
    let level: UInt8 = dim ? 90 : 255
    _ = sdl.SDL_SetTextureColorMod(texture, level, level, level)
    _ = sdl.SDL_RenderCopyEx(
      renderer, texture, nil, &target, 0, nil, isMirrored ? SDL_FLIP_HORIZONTAL : SDL_FLIP_NONE)
  }

  /// Draws only inside `rect` while `body` runs.
  func clipped(to rect: Rect, _ body: () -> Void) {
    var area = rect.sdl
    _ = sdl.SDL_RenderSetClipRect(renderer, &area)
    body()
    _ = sdl.SDL_RenderSetClipRect(renderer, nil)
  }

  // MARK: Masks

  private func texture(_ mask: Mask, tint: Color) -> OpaquePointer? {
    guard let texture = masks[mask] ?? make(mask) else { return nil }
    _ = sdl.SDL_SetTextureColorMod(texture, tint.red, tint.green, tint.blue)
    _ = sdl.SDL_SetTextureAlphaMod(texture, tint.alpha)
    return texture
  }

  private func make(_ mask: Mask) -> OpaquePointer? {
    let side: Int
    let coverage: [UInt8]
    switch mask {
    case .disc(let radius):
      side = radius * 2
      coverage = Self.round(side) { Double(radius) - $0 + 0.5 }
    case .ring(let radius, let width):
      side = radius * 2
      coverage = Self.round(side) {
        min(Double(radius) - $0 + 0.5, $0 - Double(radius - width) + 0.5)
      }
    case .corner(let radius):
      side = radius * 2
      coverage = Self.round(side) { $0 - Double(radius) + 0.5 }
    case .icon(let icon, let size):
      side = size
      coverage = icon.coverage(side: size)
    }
    guard
      let texture = sdl.SDL_CreateTexture(
        renderer, SDL_PIXELFORMAT_ARGB8888.rawValue, Int32(SDL_TEXTUREACCESS_STATIC.rawValue),
        Int32(side), Int32(side))
    else { return nil }
    let pixels = coverage.map { UInt32($0) << 24 | 0x00FF_FFFF }
    pixels.withUnsafeBytes {
      _ = sdl.SDL_UpdateTexture(texture, nil, $0.baseAddress, Int32(side * 4))
    }
    _ = sdl.SDL_SetTextureBlendMode(texture, SDL_BLENDMODE_BLEND)
    if masks.count >= Self.maskLimit { clearMasks() }
    masks[mask] = texture
    return texture
  }

  /// `cover` gives the coverage at a distance from the square's centre.
  private static func round(_ side: Int, _ cover: (Double) -> Double) -> [UInt8] {
    let middle = Double(side) / 2
    var pixels: [UInt8] = []
    for y in 0..<side {
      for x in 0..<side {
        let dx = Double(x) + 0.5 - middle
        let dy = Double(y) + 0.5 - middle
        let value = cover((dx * dx + dy * dy).squareRoot())
        pixels.append(UInt8((min(max(value, 0), 1) * 255).rounded()))
      }
    }
    return pixels
  }
}

extension Rect {
  var sdl: SDL_Rect { SDL_Rect(x: Int32(x), y: Int32(y), w: Int32(width), h: Int32(height)) }
}
