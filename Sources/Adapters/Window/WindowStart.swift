import CSDL
import Glibc
import Media
import Units

/// Starting SDL, and what it says about the display.
extension CallWindow {
  static func start(_ options: Options) throws(MediaError) {
    try WindowLibraries.load()
    // Signals belong to the program; the desktop's effects and the first click are left alone.
    _ = sdl.SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1")
    _ = sdl.SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0")
    _ = sdl.SDL_SetHint(SDL_HINT_MOUSE_FOCUS_CLICKTHROUGH, "1")
    _ = sdl.SDL_SetHint(SDL_HINT_VIDEO_MINIMIZE_ON_FOCUS_LOSS, "0")
    _ = sdl.SDL_SetHint(SDL_HINT_IME_SHOW_UI, "1")
    _ = sdl.SDL_SetHint(SDL_HINT_APP_NAME, options.title)
    // Not a console's frame buffer, which SDL would take over too.
    _ = sdl.SDL_SetHint(SDL_HINT_VIDEODRIVER, options.driver ?? "x11,wayland")
    sdl.SDL_SetMainReady()
    guard sdl.SDL_InitSubSystem(SDL_INIT_VIDEO) == 0 else {
      throw MediaError(
        .absent, "no display for the window (\(sdlError))",
        remedy: "use --view none, or run it where DISPLAY or WAYLAND_DISPLAY is set")
    }
    // Nobody touches the computer during a call.
    sdl.SDL_DisableScreenSaver()
  }

  /// Whether the environment names a display; whether it can be opened is seen by opening it.
  nonisolated package static var isDisplayNamed: Bool {
    ["DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"].contains { (name: String) in
      getenv(name).map { !String(cString: $0).isEmpty } ?? false
    }
  }

  static func failure(_ what: String) -> MediaError {
    let reason = sdlError
    sdl.SDL_QuitSubSystem(SDL_INIT_VIDEO)
    return MediaError(.failed, "\(what) (\(reason))", remedy: "use --view none")
  }

  static func now() -> Instant {
    Instant(nanoseconds: Int64(bitPattern: sdl.SDL_GetTicks64()) * 1_000_000)
  }

  static func pixelSize(_ renderer: OpaquePointer) -> Extent {
    var width: Int32 = 0
    var height: Int32 = 0
    _ = sdl.SDL_GetRendererOutputSize(renderer, &width, &height)
    return Extent(width: Int(width), height: Int(height))
  }

  /// `P2PCALL_UI_SCALE`: 0.5…4.
  static func environmentScale() -> Double? {
    guard let text = getenv("P2PCALL_UI_SCALE").map({ String(cString: $0) }),
      let scale = Double(text), scale >= 0.5, scale <= 4
    else { return nil }
    return scale
  }

  /// In steps of a quarter, and only for displays that are clearly dense: many displays report
  /// their size wrongly.
  static func displayScale() -> Double {
    var diagonal: Float = 0
    guard sdl.SDL_GetDisplayDPI(0, &diagonal, nil, nil) == 0, diagonal >= 140, diagonal < 600 else {
      return 1
    }
    return min(3, (Double(diagonal) / 96 * 4).rounded(.down) / 4)
  }

  /// The wanted size in units, but no larger than the display allows.
  static func startSize(_ wanted: Extent, scale: Double) -> Extent {
    var size = Extent(
      width: Int(Double(wanted.width) * scale), height: Int(Double(wanted.height) * scale))
    var usable = SDL_Rect()
    if sdl.SDL_GetDisplayUsableBounds(0, &usable) == 0, usable.w > 0, usable.h > 0 {
      size.width = min(size.width, Int(usable.w) * 95 / 100)
      size.height = min(size.height, Int(usable.h) * 90 / 100)
    }
    return size
  }

  static func minimumSize(scale: Double) -> Extent {
    Extent(width: Int(320 * scale), height: Int(240 * scale))
  }
}
