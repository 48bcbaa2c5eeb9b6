import CSDL
package import Media
import Synchronization
package import Units

/// The call's window. It lives on the main thread, which enters `run` and stays there; other
/// threads reach it through its `WindowModel`. It draws only when something has changed.
@MainActor
package final class CallWindow {
  package struct Options: Sendable {
    package var title = "p2pcall"
    package var size = Extent(width: 1_060, height: 680)
    /// Pixels of one unit; `nil`: the display's own.
    package var scale: Double?
    /// SDL's name of a video driver (`x11`, `dummy`); `nil`: the best.
    package var driver: String?

    package init() {}
  }

  private let model: WindowModel
  private let window: OpaquePointer
  private let canvas: Canvas
  private let pictures: PictureTextures
  private var pointers: Pointers? = Pointers()
  private let fixedScale: Double?
  private let wakeEvent: UInt32
  package let scale: Double
  /// One sentence if there is no font, so that the window has no text.
  package let fontNotice: String?

  package private(set) var interaction = Interaction()
  package private(set) var layout: WindowLayout
  private var contents: WindowModel.Snapshot
  private var passing = PassingTexts()
  private var bubbles: (key: BubbleKey, value: ChatBubbles)?
  private var isDirty = true
  private var isShown = true
  private var drawnAt = Instant.zero
  /// Of the peers' tiles, as told last.
  private var places: [String: Extent] = [:]
  /// How often the window was drawn.
  package private(set) var drawings = 0

  private struct BubbleKey: Hashable {
    var chat: [WindowState.ChatLine]
    var list: Rect
    var scroll: Int
  }

  /// At most 60 drawings a second.
  private static let frameInterval = Interval.microseconds(16_000)

  package init(_ model: WindowModel, _ options: Options = Options()) throws(MediaError) {
    self.model = model
    try Self.start(options)
    let flags =
      SDL_WINDOW_RESIZABLE.rawValue | SDL_WINDOW_ALLOW_HIGHDPI.rawValue
      | SDL_WINDOW_HIDDEN.rawValue
    let fixedScale = options.scale ?? Self.environmentScale()
    let scale = fixedScale ?? Self.displayScale()
    self.fixedScale = fixedScale
    let size = Self.startSize(options.size, scale: options.scale == nil ? scale : 1)
    guard
      let window = sdl.SDL_CreateWindow(
        options.title, csdl_window_centered, csdl_window_centered, Int32(size.width),
        Int32(size.height), flags)
    else {
      throw Self.failure("the window could not be opened")
    }
    guard
      let renderer = sdl.SDL_CreateRenderer(window, -1, SDL_RENDERER_ACCELERATED.rawValue)
        ?? sdl.SDL_CreateRenderer(window, -1, SDL_RENDERER_SOFTWARE.rawValue)
    else {
      sdl.SDL_DestroyWindow(window)
      throw Self.failure("the window cannot be drawn in")
    }
    self.window = window
    let pixels = Self.pixelSize(renderer)
    let ratio = Double(pixels.width) / Double(max(1, size.width))
    self.scale = fixedScale ?? max(scale, ratio)
    let fonts = FontBook(scale: self.scale)
    fontNotice =
      fonts.isEmpty
      ? "no font was found, so the window shows no text; install one, such as fonts-dejavu-core"
      : nil
    canvas = Canvas(renderer: renderer, fonts: fonts, scale: self.scale)
    pictures = PictureTextures(renderer: renderer)
    wakeEvent = sdl.SDL_RegisterEvents(1)
    contents = WindowModel.Snapshot(
      state: WindowState(), pictures: [:], selfPicture: nil, isClosed: false)
    layout = WindowLayout(WindowLayout.Input(size: pixels), canvas.measure)
    let minimum = Self.minimumSize(scale: self.scale / ratio)
    sdl.SDL_SetWindowMinimumSize(window, Int32(minimum.width), Int32(minimum.height))
    sdl.SDL_StopTextInput()
    WindowIcon.set(on: window)
    let event = wakeEvent
    model.onChange {
      var wake = SDL_Event()
      wake.type = event
      _ = sdl.SDL_PushEvent(&wake)
    }
    sdl.SDL_ShowWindow(window)
    refresh(at: Self.now())
  }

  isolated deinit {
    model.onChange(nil)
    // Textures go before their renderer.
    canvas.clear()
    pictures.clear()
    pointers = nil
    sdl.SDL_DestroyRenderer(canvas.renderer)
    sdl.SDL_DestroyWindow(window)
    sdl.SDL_QuitSubSystem(SDL_INIT_VIDEO)
  }

  /// Shows the window until the model is closed. `perform` gets what the user does, on this
  /// thread; after `.leave` the window is hidden and waits for the model to be closed.
  package func run(_ perform: (WindowAction) -> Void) {
    while step(waitingAtMost: .seconds(60), perform) {}
  }

  /// One turn: waits for an input or a change, at most so long, takes all that has come and
  /// draws if needed. Returns whether to go on.
  package func step(waitingAtMost limit: Interval, _ perform: (WindowAction) -> Void) -> Bool {
    let before = Self.now()
    var event = SDL_Event()
    if sdl.SDL_WaitEventTimeout(&event, wait(limit, at: before)) != 0 {
      repeat { take(event, perform) } while sdl.SDL_PollEvent(&event) != 0
    }
    let now = Self.now()
    if let changed = model.take() {
      contents = changed
      isDirty = true
      if changed.isClosed { return false }
    }
    if let change = nextChange, change <= now { isDirty = true }
    let isDue = isDirty && isShown && now - drawnAt >= Self.frameInterval
    if isDue { draw(at: now) }
    if isDue || !isShown { tellPlaces(perform) }
    return true
  }

  /// Tells which tiles have another size than before.
  private func tellPlaces(_ perform: (WindowAction) -> Void) {
    var current: [String: Extent] = [:]
    for (peer, place) in layout.places(of: contents.state.peers, isShown: isShown) {
      current[peer] = place
      if places[peer] != place { perform(.placed(peer: peer, place)) }
    }
    places = current
  }

  /// Milliseconds until something must be done without an event.
  private func wait(_ limit: Interval, at now: Instant) -> Int32 {
    var until = now + limit
    if let nextChange { until = min(until, nextChange) }
    if isDirty, isShown { until = min(until, drawnAt + Self.frameInterval) }
    return Int32(min(max(0, ((until - now).microseconds + 999) / 1_000), 60_000))
  }

  private var nextChange: Instant? {
    guard isShown else { return nil }
    return [interaction.nextChange(after: drawnAt), passing.nextChange(after: drawnAt)]
      .compactMap { $0 }.min()
  }

  // MARK: Events

  private func take(_ event: SDL_Event, _ perform: (WindowAction) -> Void) {
    if event.type == wakeEvent { return }
    switch SDL_EventType(event.type) {
    case SDL_RENDER_DEVICE_RESET, SDL_RENDER_TARGETS_RESET:
      canvas.clear()
      pictures.clear()
      isDirty = true
    case SDL_WINDOWEVENT: take(event.window, perform)
    default: break
    }
    if let input = InputEvents.input(event, ratio: ratio) { handle(input, perform) }
  }

  private func take(_ event: SDL_WindowEvent, _ perform: (WindowAction) -> Void) {
    switch SDL_WindowEventID(UInt32(event.event)) {
    case SDL_WINDOWEVENT_MINIMIZED, SDL_WINDOWEVENT_HIDDEN: isShown = false
    case SDL_WINDOWEVENT_SHOWN, SDL_WINDOWEVENT_RESTORED, SDL_WINDOWEVENT_EXPOSED,
      SDL_WINDOWEVENT_MAXIMIZED:
      isShown = true
      isDirty = true
    case SDL_WINDOWEVENT_SIZE_CHANGED:
      isDirty = true
      let size = Self.pixelSize(canvas.renderer)
      perform(.resized(width: size.width, height: size.height))
    default: break
    }
  }

  /// Takes one input, carries out what concerns the window itself, and passes the actions on.
  package func handle(_ input: WindowInput, _ perform: (WindowAction) -> Void) {
    let now = Self.now()
    isDirty = true
    refresh(at: now)
    let actions = interaction.handle(
      input, layout: layout, scrollStep: canvas.measure.px(48), clipboard: Self.clipboard, at: now)
    for action in actions {
      switch action {
      case .fullScreen(let isOn):
        _ = sdl.SDL_SetWindowFullscreen(window, isOn ? SDL_WINDOW_FULLSCREEN_DESKTOP.rawValue : 0)
      case .copyRoomID: _ = sdl.SDL_SetClipboardText(contents.state.roomID)
      case .copyCommand: _ = sdl.SDL_SetClipboardText(contents.state.joinCommand)
      case .leave:
        sdl.SDL_HideWindow(window)
        isShown = false
      default: break
      }
      perform(action)
    }
    refresh(at: now)
    if interaction.isTyping != (sdl.SDL_IsTextInputActive() == SDL_TRUE) {
      if interaction.isTyping { sdl.SDL_StartTextInput() } else { sdl.SDL_StopTextInput() }
    }
  }

  private static func clipboard() -> String {
    guard let text = sdl.SDL_GetClipboardText() else { return "" }
    defer { sdl.SDL_free(text) }
    return String(cString: text)
  }

  // MARK: Drawing

  /// Brings layout and chat up to date with all that they depend on.
  private func refresh(at now: Instant) {
    passing.update(contents.state, isChatOpen: interaction.isChatOpen, at: now)
    if passing.arrivedLines > 0 { interaction.received(lines: passing.arrivedLines) }
    var input = WindowLayout.Input(size: Self.pixelSize(canvas.renderer))
    input.state = contents.state
    input.selfShape = selfShape
    input.isChatOpen = interaction.isChatOpen
    input.draft = interaction.draft
    input.composition = interaction.composition
    input.isFullScreen = interaction.isFullScreen
    input.isBarHidden = isBarHidden(at: now)
    layout = WindowLayout(input, canvas.measure)
    guard let chat = layout.chat else {
      bubbles = nil
      return
    }
    let key = BubbleKey(
      chat: contents.state.chat, list: chat.list, scroll: interaction.chatScroll)
    if bubbles?.key == key { return }
    var value = ChatBubbles(key.chat, in: key.list, scroll: key.scroll, canvas.measure)
    if interaction.chatScroll > value.scrollLimit {
      interaction.chatScroll = value.scrollLimit
      value = ChatBubbles(key.chat, in: key.list, scroll: value.scrollLimit, canvas.measure)
    }
    bubbles = (
      BubbleKey(chat: key.chat, list: key.list, scroll: interaction.chatScroll), value
    )
  }

  /// Not while one waits: the page with the room id would jump.
  private func isBarHidden(at now: Instant) -> Bool {
    interaction.isBarHidden(at: now) && !contents.state.peers.isEmpty
  }

  private var selfShape: Extent? {
    if let size = contents.selfPicture?.size {
      return Extent(width: size.width, height: size.height)
    }
    return contents.state.camera == .off ? Extent(width: 16, height: 9) : nil
  }

  private func draw(at now: Instant) {
    refresh(at: now)
    drawnAt = now
    isDirty = false
    drawings += 1
    pictures.keep(only: contents.state.peers.map(\.id) + [Painter.ownKey])
    let scene = Scene(
      state: contents.state, interaction: interaction, layout: layout, bubbles: bubbles?.value,
      pictures: contents.pictures, selfPicture: contents.selfPicture, passing: passing, now: now)
    pointers?.show(over: interaction.hovered, isHidden: isBarHidden(at: now))
    Painter(canvas: canvas, pictures: pictures, scene: scene).paint()
    if interaction.isTyping, let caret = layout.chat?.caret {
      var place = Rect(
        x: Int(Double(caret.x) / ratio), y: Int(Double(caret.y) / ratio), width: 1,
        height: Int(Double(caret.height) / ratio)
      ).sdl
      sdl.SDL_SetTextInputRect(&place)
    }
    sdl.SDL_RenderPresent(canvas.renderer)
  }

  /// Draws once more and returns what is seen: red, green, blue of each pixel, row by row.
  package func capture() -> (size: Extent, pixels: [UInt8]) {
    if let changed = model.take() { contents = changed }
    draw(at: Self.now())
    draw(at: Self.now())
    let size = layout.size
    var pixels = [UInt8](repeating: 0, count: size.width * size.height * 3)
    pixels.withUnsafeMutableBytes {
      _ = sdl.SDL_RenderReadPixels(
        canvas.renderer, nil, SDL_PIXELFORMAT_RGB24.rawValue, $0.baseAddress,
        Int32(size.width * 3))
    }
    return (size, pixels)
  }

  /// Resizes the window, in SDL's window coordinates.
  package func resize(width: Int, height: Int) {
    sdl.SDL_SetWindowSize(window, Int32(width), Int32(height))
    isDirty = true
  }

  /// Pixels of one unit of SDL's window coordinates: more than 1 on some dense displays.
  private var ratio: Double {
    var width: Int32 = 0
    sdl.SDL_GetWindowSize(window, &width, nil)
    return width > 0 ? Double(Self.pixelSize(canvas.renderer).width) / Double(width) : 1
  }
}
