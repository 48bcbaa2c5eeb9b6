import CSDL

/// The program's sign in the task bar: a white camera on a blue disc.
enum WindowIcon {
  private static let side = 64

  static func set(on window: OpaquePointer) {
    let inner = Icon.camera.coverage(side: side / 2)
    var pixels = [UInt32](repeating: 0, count: side * side)
    for y in 0..<side {
      for x in 0..<side {
        let dx = Double(x) + 0.5 - Double(side) / 2
        let dy = Double(y) + 0.5 - Double(side) / 2
        let disc = min(max(Double(side) / 2 - (dx * dx + dy * dy).squareRoot(), 0), 1)
        let (column, row) = (x - side / 4, y - side / 4)
        let isInner = (0..<side / 2).contains(column) && (0..<side / 2).contains(row)
        let white = isInner ? UInt32(inner[row * side / 2 + column]) : 0
        func mixed(_ channel: UInt8) -> UInt32 {
          (UInt32(channel) * (255 - white) + 255 * white) / 255
        }
        pixels[y * side + x] =
          UInt32(disc * 255) << 24 | mixed(Theme.accent.red) << 16 | mixed(Theme.accent.green) << 8
          | mixed(Theme.accent.blue)
      }
    }
    pixels.withUnsafeMutableBytes { bytes in
      let surface = sdl.SDL_CreateRGBSurfaceWithFormatFrom(
        bytes.baseAddress, Int32(side), Int32(side), 32, Int32(side * 4),
        SDL_PIXELFORMAT_ARGB8888.rawValue)
      guard let surface else { return }
      sdl.SDL_SetWindowIcon(window, surface)
      sdl.SDL_FreeSurface(surface)
    }
  }
}
