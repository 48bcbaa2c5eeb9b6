package import Units

/// One input from mouse, keyboard or input method, in pixels of the window.
package enum WindowInput: Hashable, Sendable {
  case pointerMoved(Point)
  case pointerLeft
  case pressed(Point)
  case released(Point)
  case doubleClicked(Point)
  /// Lines, positive away from the user (back in the chat).
  case scrolled(Double)
  case key(Key)
  /// Text that was typed or committed by an input method.
  case text(String)
  /// Text that an input method is composing.
  case composing(String)
  case closeRequested

  package enum Key: Hashable, Sendable {
    /// A letter key without Control or Alt, as a small letter.
    case letter(Character)
    case escape
    case enter
    case space
    case tab
    case backTab
    case paste
    case pageUp
    case pageDown
    case move(LineEditor.Motion)
    case delete(LineEditor.Motion)
  }
}

/// What only the window knows: what is open, pointed at, focused and typed. It turns inputs
/// into actions and changes nothing but itself.
package struct Interaction: Hashable, Sendable {
  package var isChatOpen = false
  package var showsStatistics = false
  package var isFullScreen = false
  package private(set) var pointer: Point?
  package private(set) var hovered: WindowControl?
  package private(set) var pressed: WindowControl?
  /// Where the keyboard acts; drawn with a ring if `showsFocus`.
  package private(set) var focus: WindowControl?
  package private(set) var showsFocus = false
  package var draft = LineEditor()
  package private(set) var composition = ""
  /// Pixels scrolled back in the chat.
  package var chatScroll = 0
  package private(set) var unreadLines = 0
  /// What was copied last, and when: its button says so for a while.
  package private(set) var copied: WindowControl?
  package private(set) var copiedAt = Instant.zero
  package private(set) var activeAt = Instant.zero

  package init() {}

  package static let copiedDuration = Interval.milliseconds(2_000)
  /// In full screen the bar and the pointer hide after so long without any input.
  package static let idleDuration = Interval.milliseconds(3_000)

  package var isTyping: Bool { isChatOpen && focus == .chatInput }

  package func isBarHidden(at now: Instant) -> Bool {
    isFullScreen && !isChatOpen && hovered == nil && now - activeAt >= Self.idleDuration
  }
  package func isCopied(_ control: WindowControl, at now: Instant) -> Bool {
    copied == control && now - copiedAt < Self.copiedDuration
  }

  /// When something changes without an input.
  package func nextChange(after now: Instant) -> Instant? {
    var changes: [Instant] = []
    if copied != nil { changes.append(copiedAt + Self.copiedDuration) }
    if isFullScreen { changes.append(activeAt + Self.idleDuration) }
    return changes.filter { $0 > now }.min()
  }

  /// Lines of others arrived.
  package mutating func received(lines: Int) {
    unreadLines = isChatOpen ? 0 : unreadLines + lines
  }

  /// `scrollStep`: pixels of one line of scrolling. `clipboard` is asked for when pasting.
  package mutating func handle(
    _ input: WindowInput, layout: WindowLayout, scrollStep: Int, clipboard: () -> String,
    at now: Instant
  ) -> [WindowAction] {
    activeAt = now
    switch input {
    case .pointerMoved(let point):
      pointer = point
      hovered = layout.control(at: point)
    case .pointerLeft:
      pointer = nil
      hovered = nil
    case .pressed(let point):
      pointer = point
      hovered = layout.control(at: point)
      pressed = hovered
      showsFocus = false
      focus = pressed == .chatInput || (pressed == .sendChat && isTyping) ? .chatInput : nil
    case .released(let point):
      hovered = layout.control(at: point)
      defer { pressed = nil }
      if let pressed, pressed == hovered { return activate(pressed, at: now) }
    case .doubleClicked(let point):
      let isPicture = layout.stage.contains(point) && layout.bar?.contains(point) != true
      if layout.control(at: point) == nil, isPicture { return activate(.fullScreen, at: now) }
    case .scrolled(let lines):
      guard isChatOpen else { return [] }
      scroll(by: Int((lines * Double(scrollStep)).rounded()))
    case .key(let key): return handle(key, layout, scrollStep, clipboard, at: now)
    case .text(let text):
      guard isTyping else { return [] }
      composition = ""
      draft.insert(text)
    case .composing(let text): composition = isTyping ? text : ""
    case .closeRequested: return [.leave]
    }
    return []
  }

  private mutating func handle(
    _ key: WindowInput.Key, _ layout: WindowLayout, _ scrollStep: Int, _ clipboard: () -> String,
    at now: Instant
  ) -> [WindowAction] {
    switch key {
    case .escape:
      if isChatOpen { return activate(.closeChat, at: now) }
      return isFullScreen ? activate(.fullScreen, at: now) : []
    case .tab: moveFocus(1, layout)
    case .backTab: moveFocus(-1, layout)
    case .pageUp: scroll(by: scrollStep * 4)
    case .pageDown: scroll(by: -scrollStep * 4)
    case .enter:
      if isTyping { return activate(.sendChat, at: now) }
      if let focus { return activate(focus, at: now) }
    case .space:
      if !isTyping, let focus { return activate(focus, at: now) }
    case .paste: if isTyping { draft.insert(clipboard()) }
    case .move(let motion): if isTyping { draft.move(motion) }
    case .delete(let motion): if isTyping { draft.delete(motion) }
    case .letter(let letter):
      guard !isTyping, let control = Self.shortcuts[letter] else { return [] }
      return activate(control, at: now)
    }
    return []
  }

  package static func shortcut(of control: WindowControl) -> Character? {
    switch control {
    case .mute: "m"
    case .camera: "v"
    case .fullScreen: "f"
    case .statistics: "i"
    case .chat: "c"
    case .leave: "q"
    default: nil
    }
  }
  private static let shortcuts: [Character: WindowControl] = Dictionary(
    uniqueKeysWithValues: WindowControl.bar.compactMap { control in
      shortcut(of: control).map { ($0, control) }
    })

  private mutating func activate(_ control: WindowControl, at now: Instant) -> [WindowAction] {
    switch control {
    case .mute: return [.toggleMute]
    case .camera: return [.toggleCamera]
    case .leave: return [.leave]
    case .fullScreen:
      isFullScreen.toggle()
      return [.fullScreen(isFullScreen)]
    case .statistics:
      showsStatistics.toggle()
      return [.statistics(showsStatistics)]
    case .chat, .closeChat:
      isChatOpen = control == .chat && !isChatOpen
      focus = isChatOpen ? .chatInput : nil
      composition = ""
      chatScroll = 0
      unreadLines = 0
      return [.chat(isOpen: isChatOpen)]
    case .chatInput:
      focus = .chatInput
      return []
    case .sendChat:
      guard composition.isEmpty, !draft.isBlank else { return [] }
      defer { draft.clear() }
      chatScroll = 0
      focus = .chatInput
      return [.sendChat(draft.text)]
    case .copyRoomID, .copyCommand:
      copied = control
      copiedAt = now
      return [control == .copyRoomID ? .copyRoomID : .copyCommand]
    }
  }

  private mutating func moveFocus(_ step: Int, _ layout: WindowLayout) {
    let order = layout.targets.map(\.control)
    guard !order.isEmpty else { return }
    showsFocus = true
    composition = ""
    guard let focus, let index = order.firstIndex(of: focus) else {
      self.focus = step > 0 ? order.first : order.last
      return
    }
    self.focus = order[(index + step + order.count) % order.count]
  }

  /// The window limits it to what there is to see.
  private mutating func scroll(by pixels: Int) { chatScroll = max(0, chatScroll + pixels) }
}
