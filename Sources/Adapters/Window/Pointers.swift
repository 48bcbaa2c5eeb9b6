import CSDL

/// The mouse pointer's shapes: a hand over what can be clicked, a bar over text.
final class Pointers {
  private var cursors: [UInt32: OpaquePointer] = [:]
  private var shown: UInt32?

  deinit { for cursor in cursors.values { sdl.SDL_FreeCursor(cursor) } }

  /// `isHidden`: no pointer at all, as over a picture in full screen.
  func show(over control: WindowControl?, isHidden: Bool) {
    _ = sdl.SDL_ShowCursor(isHidden ? SDL_DISABLE : SDL_ENABLE)
    let shape: SDL_SystemCursor =
      switch control {
      case nil: SDL_SYSTEM_CURSOR_ARROW
      case .chatInput: SDL_SYSTEM_CURSOR_IBEAM
      default: SDL_SYSTEM_CURSOR_HAND
      }
    guard shape.rawValue != shown else { return }
    shown = shape.rawValue
    let cursor = cursors[shape.rawValue] ?? sdl.SDL_CreateSystemCursor(shape)
    guard let cursor else { return }
    cursors[shape.rawValue] = cursor
    sdl.SDL_SetCursor(cursor)
  }
}
