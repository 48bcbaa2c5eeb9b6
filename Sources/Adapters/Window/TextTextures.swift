import CSDL

/// Texts as textures, white so that they can be tinted; a bounded number of those used last.
final class TextTextures {
  final class Entry {
    let texture: OpaquePointer
    let extent: Extent
    /// From the texture's top to the baseline.
    let baseline: Int
    fileprivate var usedAt = 0

    init(texture: OpaquePointer, extent: Extent, baseline: Int) {
      self.texture = texture
      self.extent = extent
      self.baseline = baseline
    }
    deinit { sdl.SDL_DestroyTexture(texture) }
  }

  private struct Key: Hashable {
    var text: String
    var style: TextStyle
  }
  private struct Run {
    var font: FontBook.Font
    var direction: TextDirection
    var script: String
    var text: String
  }

  private let renderer: OpaquePointer
  private let fonts: FontBook
  private var entries: [Key: Entry] = [:]
  private var widths: [Key: Int] = [:]
  private var turn = 0
  private static let entryLimit = 256
  private static let widthLimit = 8_192

  init(renderer: OpaquePointer, fonts: FontBook) {
    self.renderer = renderer
    self.fonts = fonts
  }

  /// Forgets all textures: the renderer lost them.
  func clear() { entries.removeAll() }

  func width(_ text: String, _ style: TextStyle) -> Int {
    guard !text.isEmpty else { return 0 }
    let key = Key(text: text, style: style)
    if let known = widths[key] { return known }
    let width = runs(text, style).reduce(0) { $0 + Self.size($1, fonts.pixels(style)).width }
    if widths.count >= Self.widthLimit { widths.removeAll(keepingCapacity: true) }
    widths[key] = width
    return width
  }

  /// Ascent and descent of ordinary letters in this style.
  func vertical(_ style: TextStyle) -> (ascent: Int, descent: Int) {
    guard let font = fonts.primary(style) else { return (0, 0) }
    return (font.ascent, font.descent)
  }

  /// `nil` for an empty text, or one that no font can draw.
  func entry(_ text: String, _ style: TextStyle) -> Entry? {
    guard !text.isEmpty else { return nil }
    turn += 1
    let key = Key(text: text, style: style)
    if let known = entries[key] {
      known.usedAt = turn
      return known
    }
    guard let made = draw(text, style) else { return nil }
    made.usedAt = turn
    if entries.count >= Self.entryLimit { dropOldest() }
    entries[key] = made
    return made
  }

  private func dropOldest() {
    let ages = entries.values.map(\.usedAt).sorted()
    let limit = ages[ages.count / 4]
    entries = entries.filter { $0.value.usedAt > limit }
  }

  private func draw(_ text: String, _ style: TextStyle) -> Entry? {
    let runs = runs(text, style)
    let pixels = fonts.pixels(style)
    let sizes = runs.map { Self.size($0, pixels) }
    let width = sizes.reduce(0) { $0 + $1.width }
    let ascent = sizes.map(\.ascent).max() ?? 0
    let height = ascent + (sizes.map { $0.height - $0.ascent }.max() ?? 0)
    guard width > 0, height > 0,
      let canvas = sdl.SDL_CreateRGBSurfaceWithFormat(
        0, Int32(width), Int32(height), 32, SDL_PIXELFORMAT_ARGB8888.rawValue)
    else { return nil }
    defer { sdl.SDL_FreeSurface(canvas) }
    // Transparent white: filtering at the edges then does not darken them.
    _ = sdl.SDL_FillRect(canvas, nil, 0x00FF_FFFF)
    var x = 0
    for (run, size) in zip(runs, sizes) {
      let white = SDL_Color(r: 255, g: 255, b: 255, a: 255)
      Self.prepare(run)
      guard let drawn = ttf.TTF_RenderUTF8_Blended(run.font.handle, run.text, white) else {
        continue
      }
      defer { sdl.SDL_FreeSurface(drawn) }
      var place = SDL_Rect(
        x: Int32(x), y: Int32(ascent - size.ascent), w: Int32(size.width), h: Int32(size.height))
      _ = sdl.SDL_SetSurfaceBlendMode(drawn, SDL_BLENDMODE_NONE)
      if run.font.hasOutlines {
        _ = sdl.SDL_UpperBlit(drawn, nil, canvas, &place)
      } else {
        _ = sdl.SDL_UpperBlitScaled(drawn, nil, canvas, &place)
      }
      x += size.width
    }
    guard let texture = sdl.SDL_CreateTextureFromSurface(renderer, canvas) else { return nil }
    _ = sdl.SDL_SetTextureBlendMode(texture, SDL_BLENDMODE_BLEND)
    return Entry(
      texture: texture, extent: Extent(width: width, height: height), baseline: ascent)
  }

  private static func size(
    _ run: Run, _ pixels: Int
  ) -> (width: Int, height: Int, ascent: Int) {
    var width: Int32 = 0
    var height: Int32 = 0
    prepare(run)
    _ = ttf.TTF_SizeUTF8(run.font.handle, run.text, &width, &height)
    guard !run.font.hasOutlines, height > 0 else {
      return (Int(width), Int(height), run.font.ascent)
    }
    let scaledHeight = pixels * 6 / 5
    return (Int(width) * scaledHeight / Int(height), scaledHeight, pixels)
  }

  /// A font shapes each run by the run's own script.
  private static func prepare(_ run: Run) {
    let isLeftward = run.direction != .rightward
    _ = ttf.TTF_SetFontDirection(
      run.font.handle, isLeftward ? TTF_DIRECTION_RTL : TTF_DIRECTION_LTR)
    _ = ttf.TTF_SetFontScriptName(run.font.handle, run.script)
  }

  /// Neighbouring characters of one direction and font together, in the order of the screen.
  private func runs(_ text: String, _ style: TextStyle) -> [Run] {
    TextDirection.segments(text).flatMap { segment in
      var runs: [Run] = []
      for character in segment.text {
        guard let font = fonts.font(for: character, style) else { continue }
        if let last = runs.indices.last, runs[last].font === font {
          runs[last].text.append(character)
        } else {
          runs.append(
            Run(
              font: font, direction: segment.direction, script: segment.script,
              text: String(character)))
        }
      }
      return segment.direction == .rightward ? runs : runs.reversed()
    }
  }
}
