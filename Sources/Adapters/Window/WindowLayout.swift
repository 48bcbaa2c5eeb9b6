/// What can be clicked, or reached with the Tab key.
package enum WindowControl: Hashable, Sendable {
  case mute
  case camera
  case chat
  case statistics
  case fullScreen
  case leave
  case copyRoomID
  case copyCommand
  case closeChat
  case chatInput
  case sendChat

  /// The button bar, from left to right.
  static let bar: [WindowControl] = [.mute, .camera, .chat, .statistics, .fullScreen, .leave]
}

/// Where everything is, in pixels: a pure function of the window's size and of what is shown.
package struct WindowLayout: Sendable {
  package struct Input {
    package var size: Extent
    package var state = WindowState()
    /// Shape of the picture being sent; `nil` when none is, and then there is no self-view.
    package var selfShape: Extent?
    package var isChatOpen = false
    package var draft = LineEditor()
    /// What an input method has not yet committed.
    package var composition = ""
    package var isFullScreen = false
    /// In full screen the bar hides while nothing moves.
    package var isBarHidden = false

    package init(size: Extent) { self.size = size }
  }

  package struct Button: Hashable, Sendable {
    package var control: WindowControl
    package var rect: Rect
    /// The round part; the label, if any, is below it inside `rect`.
    package var disc: Rect
    package var showsLabel: Bool
  }

  package var size: Extent
  /// Where pictures are.
  package var stage: Rect
  /// Where the stage is not covered by the bar: plates and overlays stay inside.
  package var clear: Rect
  package var bar: Rect?
  package var buttons: [Button] = []
  /// One for each peer, in the state's order.
  package var tiles: [Rect] = []
  package var selfView: Rect?
  /// The self-view is a tile among the others rather than a corner of the only picture.
  package var isSelfTile = false
  package var lobby: LobbyLayout?
  package var chat: ChatLayout?

  package init(_ input: Input, _ measure: TextMeasure) {
    size = input.size
    let window = Rect(x: 0, y: 0, width: size.width, height: size.height)
    let showsLabels = size.width >= measure.px(560) && size.height >= measure.px(400)
    let barHeight = min(size.height, measure.px(showsLabels ? 84 : 56))
    let bar = Rect(x: 0, y: size.height - barHeight, width: size.width, height: barHeight)
    let margin = measure.px(size.width >= measure.px(560) ? 12 : 6)

    stage = window
    if !input.isFullScreen { stage.height -= barHeight }
    if input.isChatOpen {
      let (rest, panel) = Self.split(stage, measure)
      stage = rest
      chat = ChatLayout(panel, input, measure)
    }
    clear = stage
    if !input.isBarHidden {
      self.bar = bar
      clear.height = max(0, min(clear.maxY, bar.y) - clear.y)
      buttons = Self.buttons(in: bar, showsLabels: showsLabels, measure)
      if input.isFullScreen, let panel = chat?.panel, panel.maxY > bar.y {
        chat = ChatLayout(
          Rect(x: panel.x, y: panel.y, width: panel.width, height: bar.y - panel.y), input, measure)
      }
    }
    guard !stage.isEmpty else { return }
    let area = input.isFullScreen ? stage : stage.inset(margin, margin)
    placePeople(input, area: area, margin: margin, measure)
  }

  /// The chat beside the pictures; below them in a narrow, high window; instead of them in a
  /// small one.
  private static func split(_ stage: Rect, _ measure: TextMeasure) -> (Rect, Rect) {
    var rest = stage
    var panel = stage
    if stage.width >= measure.px(700) {
      panel.width = min(max(stage.width * 3 / 10, measure.px(280)), measure.px(380))
      rest.width -= panel.width
      panel.x = rest.maxX
    } else if stage.height >= measure.px(480) {
      rest.height = stage.height * 45 / 100
      panel.y = rest.maxY
      panel.height = stage.height - rest.height
    } else {
      rest.height = 0
    }
    return (rest, panel)
  }

  private static func buttons(
    in bar: Rect, showsLabels: Bool, _ measure: TextMeasure
  ) -> [Button] {
    let count = WindowControl.bar.count
    let gap = measure.px(showsLabels ? 6 : 8)
    let disc = measure.px(showsLabels ? 44 : 38)
    let width =
      showsLabels
      ? measure.px(78) : min(disc, max(1, (bar.width - gap * (count + 1)) / count))
    let height = showsLabels ? disc + measure.px(20) : min(disc, width)
    let left = bar.midX - (count * width + (count - 1) * gap) / 2
    return WindowControl.bar.enumerated().map { index, control in
      let rect = Rect(
        x: left + index * (width + gap), y: bar.midY - height / 2, width: width, height: height)
      let side = min(disc, width)
      let circle = Rect(x: rect.midX - side / 2, y: rect.y, width: side, height: side)
      return Button(control: control, rect: rect, disc: circle, showsLabel: showsLabels)
    }
  }

  /// Alone: the room id. With one peer: that picture, with the self-view in a corner. With more,
  /// the self-view is one of the tiles, so that it covers nobody.
  private mutating func placePeople(
    _ input: Input, area: Rect, margin: Int, _ measure: TextMeasure
  ) {
    let count = input.state.peers.count
    guard count > 0 else {
      let lobby = LobbyLayout(input.state, in: clear.inset(margin, margin), measure)
      self.lobby = lobby
      selfView = Self.corner(
        input.selfShape, in: clear.inset(margin, margin), clearOf: lobby.frame, measure)
      return
    }
    isSelfTile = count > 1 && input.selfShape != nil
    let layout = TileLayout(
      count: isSelfTile ? count + 1 : count, in: area, gap: measure.px(8))
    tiles = Array(layout.tiles.prefix(count))
    if isSelfTile {
      selfView = layout.tiles.last
    } else {
      selfView = Self.corner(input.selfShape, in: clear.inset(margin * 2, margin * 2), measure)
    }
  }

  /// The self-view at the bottom right; smaller, beside or below `frame`, where it would cover
  /// that; `nil` where it would be too small to be of use.
  private static func corner(
    _ shape: Extent?, in area: Rect, clearOf frame: Rect = .zero, _ measure: TextMeasure
  ) -> Rect? {
    guard let shape, area.width >= measure.px(200), area.height >= measure.px(110) else {
      return nil
    }
    let gap = measure.px(12)
    let width = min(max(area.width / 5, measure.px(84)), measure.px(240))
    let height = min(width, area.height / 3)
    let boxes = [
      Extent(width: width, height: height),
      Extent(width: min(width, area.maxX - frame.maxX - gap), height: height),
      Extent(width: width, height: min(height, area.maxY - frame.maxY - gap)),
    ]
    let places = boxes.map { box in
      let size = Rect(x: 0, y: 0, width: box.width, height: box.height).fitting(shape).extent
      return Rect(
        x: area.maxX - size.width, y: area.maxY - size.height, width: size.width,
        height: size.height)
    }
    return places.filter {
      !$0.intersects(frame) && $0.width >= measure.px(48) && $0.height >= measure.px(48)
    }.max { $0.width * $0.height < $1.width * $1.height }
  }

  /// What can be clicked, topmost first, and the order of the Tab key.
  package var targets: [(control: WindowControl, rect: Rect)] {
    var targets: [(control: WindowControl, rect: Rect)] = []
    for button in buttons { targets.append((button.control, button.rect)) }
    if let chat {
      targets.append((.chatInput, chat.input))
      targets.append((.sendChat, chat.send))
      targets.append((.closeChat, chat.close))
    }
    if let lobby, !stage.isEmpty {
      if let copy = lobby.copy { targets.append((.copyRoomID, copy)) }
      if let copy = lobby.copyCommand { targets.append((.copyCommand, copy)) }
    }
    return targets
  }

  /// How large the tile of each of these peers is, if the window is seen; the peers are the state's.
  package func places(
    of peers: [WindowState.Peer], isShown: Bool
  ) -> [(peer: String, place: Extent)] {
    let isSeen = isShown && tiles.count == peers.count
    return peers.indices.map { index in
      (peers[index].id, isSeen ? tiles[index].extent : Extent(width: 0, height: 0))
    }
  }

  package func control(at point: Point) -> WindowControl? {
    targets.first { $0.rect.contains(point) }?.control
  }
}
