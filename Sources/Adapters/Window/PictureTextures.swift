import CSDL
import Media

/// One texture for each person's picture; uploaded only when another picture has come.
final class PictureTextures {
  private final class Entry {
    let texture: OpaquePointer
    let size: PictureSize
    var shown: Picture?

    init(texture: OpaquePointer, size: PictureSize) {
      self.texture = texture
      self.size = size
    }
    deinit { sdl.SDL_DestroyTexture(texture) }
  }

  private let renderer: OpaquePointer
  private var entries: [String: Entry] = [:]

  init(renderer: OpaquePointer) {
    self.renderer = renderer
    // Pictures are BT.601 whatever their size; SDL would guess BT.709 for large ones.
    sdl.SDL_SetYUVConversionMode(SDL_YUV_CONVERSION_BT601)
  }

  /// Forgets all textures: the renderer lost them.
  func clear() { entries.removeAll() }

  func keep(only keys: some Sequence<String>) {
    let kept = Set(keys)
    entries = entries.filter { kept.contains($0.key) }
  }

  func texture(_ picture: Picture, of key: String) -> OpaquePointer? {
    var entry = entries[key]
    if entry?.size != picture.size {
      guard let made = make(picture.size) else { return nil }
      entry = made
      entries[key] = made
    }
    guard let entry else { return nil }
    if entry.shown !== picture {
      upload(picture, to: entry.texture)
      entry.shown = picture
    }
    return entry.texture
  }

  private func make(_ size: PictureSize) -> Entry? {
    guard
      let texture = sdl.SDL_CreateTexture(
        renderer, SDL_PIXELFORMAT_IYUV.rawValue, Int32(SDL_TEXTUREACCESS_STREAMING.rawValue),
        Int32(size.width), Int32(size.height))
    else { return nil }
    _ = sdl.SDL_SetTextureScaleMode(texture, SDL_ScaleModeLinear)
    return Entry(texture: texture, size: size)
  }

  private func upload(_ picture: Picture, to texture: OpaquePointer) {
    func plane(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? {
      bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    }
    let width = Int32(picture.size.width)
    _ = sdl.SDL_UpdateYUVTexture(
      texture, nil, plane(picture.luma), width, plane(picture.chromaU), width / 2,
      plane(picture.chromaV), width / 2)
  }
}
