import CSDL

/// SDL's events as inputs of the window.
enum InputEvents {
  /// `ratio`: pixels of one unit of SDL's window coordinates.
  static func input(_ event: SDL_Event, ratio: Double) -> WindowInput? {
    func point(_ x: Int32, _ y: Int32) -> Point {
      Point(x: Int(Double(x) * ratio), y: Int(Double(y) * ratio))
    }
    switch SDL_EventType(event.type) {
    case SDL_MOUSEMOTION: return .pointerMoved(point(event.motion.x, event.motion.y))
    case SDL_MOUSEBUTTONDOWN:
      guard event.button.button == SDL_BUTTON_LEFT else { return nil }
      let place = point(event.button.x, event.button.y)
      return event.button.clicks == 2 ? .doubleClicked(place) : .pressed(place)
    case SDL_MOUSEBUTTONUP:
      guard event.button.button == SDL_BUTTON_LEFT else { return nil }
      return .released(point(event.button.x, event.button.y))
    case SDL_MOUSEWHEEL: return .scrolled(Double(event.wheel.preciseY))
    case SDL_KEYDOWN: return key(event.key.keysym).map { .key($0) }
    case SDL_TEXTINPUT: return withUnsafePointer(to: event) { text(csdl_text_input($0)) }
    case SDL_TEXTEDITING:
      return withUnsafePointer(to: event) { .composing(string(csdl_text_editing($0))) }
    case SDL_TEXTEDITING_EXT:
      return withUnsafePointer(to: event) { .composing(string(csdl_text_editing_long($0))) }
    case SDL_QUIT: return .closeRequested
    case SDL_WINDOWEVENT:
      // Closing the only window also comes as SDL_QUIT, and should be told once.
      return event.window.event == SDL_WINDOWEVENT_LEAVE.rawValue ? .pointerLeft : nil
    default: return nil
    }
  }

  private static func text(_ bytes: UnsafePointer<CChar>?) -> WindowInput? {
    let text = string(bytes)
    return text.isEmpty ? nil : .text(text)
  }

  private static func string(_ bytes: UnsafePointer<CChar>?) -> String {
    bytes.map { String(cString: $0) } ?? ""
  }

  private static func key(_ symbol: SDL_Keysym) -> WindowInput.Key? {
    let modifiers = UInt32(symbol.mod)
    let isControl = modifiers & KMOD_CTRL.rawValue != 0
    let isShift = modifiers & KMOD_SHIFT.rawValue != 0
    if modifiers & (KMOD_ALT.rawValue | KMOD_GUI.rawValue) != 0 { return nil }
    switch SDL_KeyCode(UInt32(bitPattern: symbol.sym)) {
    case SDLK_ESCAPE: return .escape
    case SDLK_RETURN, SDLK_KP_ENTER: return .enter
    case SDLK_SPACE: return .space
    case SDLK_TAB: return isShift ? .backTab : .tab
    case SDLK_INSERT: return isShift ? .paste : nil
    case SDLK_PAGEUP: return .pageUp
    case SDLK_PAGEDOWN: return .pageDown
    case SDLK_LEFT: return .move(isControl ? .wordLeft : .left)
    case SDLK_RIGHT: return .move(isControl ? .wordRight : .right)
    case SDLK_HOME: return .move(.home)
    case SDLK_END: return .move(.end)
    case SDLK_BACKSPACE: return .delete(isControl ? .wordLeft : .left)
    case SDLK_DELETE: return .delete(isControl ? .wordRight : .right)
    default: return letter(symbol, isControl: isControl)
    }
  }

  /// The letter that the layout gives the key, or, where that is not a Latin one, the letter
  /// that is in its place on a Latin keyboard, so that shortcuts work in every layout.
  private static func letter(_ symbol: SDL_Keysym, isControl: Bool) -> WindowInput.Key? {
    let letters = UInt32(97)...122
    var code = UInt32(bitPattern: symbol.sym)
    if code > 127, symbol.scancode.rawValue >= 4, symbol.scancode.rawValue <= 29 {
      code = symbol.scancode.rawValue - 4 + 97
    }
    guard letters.contains(code), let scalar = Unicode.Scalar(code) else { return nil }
    guard isControl else { return .letter(Character(scalar)) }
    switch Character(scalar) {
    case "v": return .paste
    case "w": return .delete(.wordLeft)
    case "u": return .delete(.home)
    case "a": return .move(.home)
    case "e": return .move(.end)
    default: return nil
    }
  }
}
