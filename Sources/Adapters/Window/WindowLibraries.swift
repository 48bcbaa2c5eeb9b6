import CSDL
import Glibc
import Media

/// The functions of SDL, SDL_ttf and fontconfig. They are there once `WindowLibraries.load` was called, which is before
/// all else, and never change after.
nonisolated(unsafe) private(set) var sdl = csdl_sdl()
nonisolated(unsafe) private(set) var ttf = csdl_ttf()
nonisolated(unsafe) private(set) var fontconfig = csdl_fontconfig()

/// Loads what only a window needs, with the first window.
enum WindowLibraries {
  @MainActor private static var isLoaded = false

  @MainActor static func load() throws(MediaError) {
    if isLoaded { return }
    try load("libSDL2-2.0.so.0") { csdl_find_sdl(&sdl, $0) }
    try load("libSDL2_ttf-2.0.so.0") { csdl_find_ttf(&ttf, $0) }
    try load("libfontconfig.so.1") { csdl_find_fontconfig(&fontconfig, $0) }
    isLoaded = true
  }

  /// It stays until the end: its threads and handlers cannot be taken back.
  static func load(
    _ name: String, find: (UnsafeMutableRawPointer) -> UnsafePointer<CChar>?
  ) throws(MediaError) {
    guard let library = dlopen(name, RTLD_NOW) else {
      let reason = dlerror().map { String(cString: $0) } ?? "no reason given"
      throw MediaError(
        .absent, "the window's library \(name) cannot be loaded (\(reason))",
        remedy: "install it (tools/setup does), or use --view none")
    }
    if let missing = find(library) {
      throw MediaError(
        .unsupported, "\(name) has no \(String(cString: missing))",
        remedy: "install a newer one, or use --view none")
    }
  }
}

/// What SDL says of its last failure.
var sdlError: String { sdl.SDL_GetError().map { String(cString: $0) } ?? "no reason given" }
