import CSDL

/// The fonts that fontconfig names for an interface: for each face the best one, and fallbacks
/// for the characters that it lacks. Fonts are opened when first needed.
final class FontBook {
  /// An open font at one size.
  final class Font {
    let handle: OpaquePointer
    /// Fonts of bitmaps (colour emoji) come in a size of their own, and what they draw is scaled.
    let hasOutlines: Bool
    var ascent: Int { Int(ttf.TTF_FontAscent(handle)) }
    var descent: Int { Int(-ttf.TTF_FontDescent(handle)) }

    init(handle: OpaquePointer, hasOutlines: Bool) {
      self.handle = handle
      self.hasOutlines = hasOutlines
    }
    deinit { ttf.TTF_CloseFont(handle) }
  }

  private struct OpenKey: Hashable {
    var face: TextStyle.Face
    var index: Int
    var pixels: Int
  }
  private struct ChoiceKey: Hashable {
    var face: TextStyle.Face
    var scalar: Unicode.Scalar
  }

  private let configuration: OpaquePointer?
  private var sets: [TextStyle.Face: UnsafeMutablePointer<FcFontSet>] = [:]
  private var open: [OpenKey: Font?] = [:]
  private var choices: [ChoiceKey: Int] = [:]
  private let scale: Double

  /// `scale`: pixels of one unit.
  init(scale: Double) {
    self.scale = scale
    configuration = fontconfig.FcInitLoadConfigAndFonts()
    _ = ttf.TTF_Init()
  }

  deinit {
    open.removeAll()
    for set in sets.values { fontconfig.FcFontSetDestroy(set) }
    if let configuration { fontconfig.FcConfigDestroy(configuration) }
    ttf.TTF_Quit()
  }

  /// No font at all could be opened: the window has no text.
  var isEmpty: Bool { font(.regular, 0, pixels: 14) == nil }

  func pixels(_ style: TextStyle) -> Int { max(6, Int((Double(style.points) * scale).rounded())) }

  /// The font that draws ordinary letters in this style.
  func primary(_ style: TextStyle) -> Font? { font(style.face, 0, pixels: pixels(style)) }

  /// The best font that has the character, else the primary one (which draws a box).
  func font(for character: Character, _ style: TextStyle) -> Font? {
    guard let scalar = character.unicodeScalars.first else { return primary(style) }
    let key = ChoiceKey(face: style.face, scalar: scalar)
    let index: Int
    if let known = choices[key] {
      index = known
    } else {
      index = choose(scalar, style)
      choices[key] = index
    }
    return font(style.face, index, pixels: pixels(style)) ?? primary(style)
  }

  private func choose(_ scalar: Unicode.Scalar, _ style: TextStyle) -> Int {
    guard let set = set(style.face) else { return 0 }
    for index in 0..<Int(set.pointee.nfont) {
      guard let pattern = set.pointee.fonts[index] else { continue }
      var charset: OpaquePointer?
      guard fontconfig.FcPatternGetCharSet(pattern, FC_CHARSET, 0, &charset) == FcResultMatch,
        fontconfig.FcCharSetHasChar(charset, scalar.value) != 0,
        font(style.face, index, pixels: pixels(style)) != nil
      else { continue }
      return index
    }
    return 0
  }

  private func font(_ face: TextStyle.Face, _ index: Int, pixels: Int) -> Font? {
    let key = OpenKey(face: face, index: index, pixels: pixels)
    if let known = open[key] { return known }
    let font = load(face, index, pixels: pixels)
    open[key] = .some(font)
    return font
  }

  private func load(_ face: TextStyle.Face, _ index: Int, pixels: Int) -> Font? {
    guard let set = set(face), index < set.pointee.nfont, let pattern = set.pointee.fonts[index]
    else { return nil }
    var path: UnsafeMutablePointer<FcChar8>?
    var number: Int32 = 0
    var hasOutlines: FcBool = 1
    guard fontconfig.FcPatternGetString(pattern, FC_FILE, 0, &path) == FcResultMatch, let path
    else {
      return nil
    }
    _ = fontconfig.FcPatternGetInteger(pattern, FC_INDEX, 0, &number)
    _ = fontconfig.FcPatternGetBool(pattern, FC_OUTLINE, 0, &hasOutlines)
    guard
      let handle = path.withMemoryRebound(
        to: CChar.self, capacity: 1,
        { ttf.TTF_OpenFontIndex($0, Int32(pixels), Int(number)) })
    else { return nil }
    ttf.TTF_SetFontHinting(handle, Int32(TTF_HINTING_LIGHT))
    return Font(handle: handle, hasOutlines: hasOutlines != 0)
  }

  /// Fonts of a face, best first, those left out that add no character.
  private func set(_ face: TextStyle.Face) -> UnsafeMutablePointer<FcFontSet>? {
    if let known = sets[face] { return known }
    guard let configuration, let pattern = fontconfig.FcPatternCreate() else { return nil }
    defer { fontconfig.FcPatternDestroy(pattern) }
    for family in face == .fixed ? ["monospace"] : ["system-ui", "sans-serif"] {
      _ = fontconfig.FcPatternAddString(pattern, FC_FAMILY, family)
    }
    _ = fontconfig.FcPatternAddInteger(
      pattern, FC_WEIGHT, face == .bold ? Int32(FC_WEIGHT_BOLD) : Int32(FC_WEIGHT_REGULAR))
    _ = fontconfig.FcPatternAddInteger(pattern, FC_SLANT, Int32(FC_SLANT_ROMAN))
    _ = fontconfig.FcConfigSubstitute(configuration, pattern, FcMatchPattern)
    fontconfig.FcDefaultSubstitute(pattern)
    var result = FcResultMatch
    guard let set = fontconfig.FcFontSort(configuration, pattern, 1, nil, &result) else {
      return nil
    }
    sets[face] = set
    return set
  }
}
