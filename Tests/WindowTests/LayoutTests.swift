import Testing

@testable import Window

/// A font in which every character is half as wide as it is high.
var plainMeasure: TextMeasure {
  TextMeasure(scale: 1) { text, style in text.count * style.points / 2 }
}

@Suite struct LayoutTests {
  static let sizes = [
    Extent(width: 320, height: 240), Extent(width: 420, height: 800),
    Extent(width: 640, height: 480), Extent(width: 1_060, height: 680),
    Extent(width: 1_920, height: 1_080), Extent(width: 2_000, height: 300),
  ]

  static func state(peers: Int) -> WindowState {
    var state = WindowState()
    state.roomID = "p2p-7GK3M-W2XQA-9RDTE-0HJ4N-V8Z1C-B5PFY@rendezvous.example.org:7443"
    state.joinCommand = "p2pcall join " + state.roomID
    state.peers = (0..<peers).map { WindowState.Peer(id: String($0), name: "Peer \($0)") }
    return state
  }

  static func layout(
    _ size: Extent, peers: Int, isChatOpen: Bool = false, isFullScreen: Bool = false,
    selfShape: Extent? = Extent(width: 16, height: 9)
  ) -> WindowLayout {
    var input = WindowLayout.Input(size: size)
    input.state = state(peers: peers)
    input.selfShape = selfShape
    input.isChatOpen = isChatOpen
    input.isFullScreen = isFullScreen
    return WindowLayout(input, plainMeasure)
  }

  @Test(arguments: sizes, [0, 1, 2, 3, 5, 9])
  func `nothing overlaps and all is inside the window`(size: Extent, peers: Int) throws {
    for isChatOpen in [false, true] {
      let layout = Self.layout(size, peers: peers, isChatOpen: isChatOpen)
      var rects = layout.tiles + layout.buttons.map(\.rect)
      if layout.isSelfTile || peers == 0, let own = layout.selfView { rects.append(own) }
      if let lobby = layout.lobby { rects.append(lobby.frame) }
      if let chat = layout.chat { rects += [chat.input, chat.send, chat.close, chat.list] }
      rects.removeAll(where: \.isEmpty)
      let window = Rect(x: 0, y: 0, width: size.width, height: size.height)
      for (index, rect) in rects.enumerated() {
        #expect(window.contains(rect), "\(rect)")
        for other in rects[(index + 1)...] {
          #expect(!rect.intersects(other), "\(rect) and \(other)")
        }
      }
      if !layout.stage.isEmpty { #expect(layout.tiles.count == peers) }
    }
  }

  @Test func `each peer's tile is told in pixels, and none of a window that is not seen`() {
    let state = Self.state(peers: 3)
    let layout = Self.layout(Extent(width: 1_060, height: 680), peers: 3)
    let places = layout.places(of: state.peers, isShown: true)
    #expect(places.map(\.peer) == ["0", "1", "2"])
    #expect(places.map(\.place) == layout.tiles.map(\.extent))
    #expect(places.allSatisfy { $0.place.width > 300 && $0.place.height > 200 })
    let none = Extent(width: 0, height: 0)
    #expect(layout.places(of: state.peers, isShown: false).allSatisfy { $0.place == none })
    // A chat that takes the whole of a small window covers the people.
    let covered = Self.layout(Extent(width: 400, height: 320), peers: 3, isChatOpen: true)
    #expect(covered.stage.isEmpty)
    #expect(covered.places(of: state.peers, isShown: true).allSatisfy { $0.place == none })
  }

  @Test(arguments: sizes) func `what the lobby shows lies inside it, in order`(size: Extent) throws
  {
    let lobby = try #require(Self.layout(size, peers: 0).lobby)
    var rects: [Rect] = []
    if let heading = lobby.heading { rects.append(heading.rect) }
    rects += lobby.explanation.map(\.rect)
    if let box = lobby.roomBox { rects.append(box) }
    if let copy = lobby.copy { rects.append(copy) }
    if let caption = lobby.commandCaption { rects.append(caption.rect) }
    if let box = lobby.commandBox { rects.append(box) }
    if let copy = lobby.copyCommand { rects.append(copy) }
    for (above, below) in zip(rects, rects.dropFirst()) { #expect(above.maxY <= below.y) }
    for rect in rects { #expect(lobby.frame.contains(rect)) }
    let room = try #require(lobby.roomBox)
    for line in lobby.room {
      #expect(room.contains(line.rect))
      #expect(plainMeasure.width(line.text, line.style) <= line.rect.width)
    }
    // However small the window, the room id is whole and can be copied.
    #expect(lobby.room.map(\.text).joined() == Self.state(peers: 0).roomID)
    #expect(lobby.copy != nil)
  }

  @Test func `a room id is broken after hyphens only, with its server on a line of its own`() {
    let id = "p2p-7GK3M-W2XQA-9RDTE-0HJ4N-V8Z1C-B5PFY@host:7443"
    let (wide, style) = LobbyLayout.broken(id, width: 600, plainMeasure)
    #expect(wide == ["p2p-7GK3M-W2XQA-9RDTE-0HJ4N-V8Z1C-B5PFY", "@host:7443"])
    #expect(style == .codeLarge)
    let (narrow, _) = LobbyLayout.broken(id, width: 290, plainMeasure)
    #expect(narrow == ["p2p-7GK3M-W2XQA-9RDTE-", "0HJ4N-V8Z1C-B5PFY", "@host:7443"])
  }

  @Test(arguments: [Extent(width: 640, height: 480), Extent(width: 1_280, height: 720)])
  func `a picture keeps its proportions wherever it is fitted`(shape: Extent) {
    for size in Self.sizes {
      let area = Rect(x: 7, y: 11, width: size.width, height: size.height)
      let fitted = area.fitting(shape)
      #expect(area.contains(fitted))
      let error = fitted.width * shape.height - fitted.height * shape.width
      #expect(abs(error) <= max(shape.width, shape.height))
      #expect(fitted.width == area.width || fitted.height == area.height)
    }
  }

  @Test func `tiles are of one size, in rows that are centred`() {
    let area = Rect(x: 0, y: 0, width: 1_000, height: 600)
    let tiles = TileLayout(count: 5, in: area, gap: 8).tiles
    #expect(Set(tiles.map(\.extent)).count == 1)
    let rows = Set(tiles.map(\.y)).sorted()
    #expect(rows.count == 2)
    for y in rows {
      let row = tiles.filter { $0.y == y }
      let left = row.map(\.x).min() ?? 0
      let right = area.maxX - (row.map(\.maxX).max() ?? 0)
      #expect(abs(left - right) <= 1)
    }
    #expect(TileLayout(count: 0, in: area, gap: 8).tiles.isEmpty)
    #expect(TileLayout(count: 1, in: area, gap: 8).tiles == [area])
  }

  @Test func `with one peer the self-view keeps to a corner, with more it is a tile`() throws {
    let size = Extent(width: 1_060, height: 680)
    let two = Self.layout(size, peers: 1)
    let corner = try #require(two.selfView)
    let tile = try #require(two.tiles.first)
    #expect(!two.isSelfTile && tile.contains(corner))
    #expect(corner.x > tile.midX && corner.y > tile.midY)
    #expect(corner.width * corner.height * 10 < tile.width * tile.height)
    let three = Self.layout(size, peers: 2)
    #expect(three.isSelfTile && three.selfView?.extent == three.tiles[0].extent)
    #expect(Self.layout(size, peers: 2, selfShape: nil).selfView == nil)
  }

  @Test func `in full screen the picture fills it, and the bar comes and goes over it`() {
    var input = WindowLayout.Input(size: Extent(width: 1_280, height: 720))
    input.state = Self.state(peers: 1)
    input.isFullScreen = true
    let shown = WindowLayout(input, plainMeasure)
    input.isBarHidden = true
    let hidden = WindowLayout(input, plainMeasure)
    #expect(shown.tiles == hidden.tiles)
    #expect(hidden.tiles == [Rect(x: 0, y: 0, width: 1_280, height: 720)])
    #expect(hidden.buttons.isEmpty && shown.buttons.count == 6)
    #expect(shown.clear.maxY == shown.bar?.y && hidden.clear.maxY == 720)
  }
}

@Suite struct TextFitTests {
  private let text = "In ten minutes we start, and then https://example.org/a-long-address"

  @Test(arguments: [20, 50, 100, 333])
  func `wrapped lines fit, and together they are the text`(width: Int) {
    let characters = Array(text)
    let ranges = TextFit.wrapped(characters, to: width, .body, plainMeasure)
    #expect(ranges.map { String(characters[$0]) }.joined() == text)
    for line in TextFit.lines(text, to: width, .body, plainMeasure) {
      #expect(plainMeasure.width(line, .body) <= width)
    }
  }

  @Test func `lines break at spaces and between ideographs, but not before a full stop`() {
    #expect(TextFit.lines("one two three", to: 56, .body, plainMeasure) == ["one two", "three"])
    #expect(TextFit.lines("大家好吗。", to: 28, .body, plainMeasure) == ["大家好", "吗。"])
    #expect(TextFit.lines("", to: 28, .body, plainMeasure) == [""])
  }

  @Test func `too long a text ends in an ellipsis and fits`() {
    let short = TextFit.ellipsized("Wolfeschlegel", to: 42, .body, plainMeasure)
    #expect(short == "Wolfe…")
    #expect(TextFit.ellipsized("Ben", to: 42, .body, plainMeasure) == "Ben")
    #expect(TextFit.ellipsized("Ben", to: 3, .body, plainMeasure) == "")
    let lines = TextFit.lines(text, to: 100, .body, plainMeasure, limit: 2)
    #expect(lines.count == 2 && lines[1].hasSuffix("…"))
    #expect(plainMeasure.width(lines[1], .body) <= 100)
  }

  @Test func `controls and direction overrides of a peer's text are dropped`() {
    #expect(TextFit.clean("Anna\u{202E}nimdA\u{0007}\nx") == "AnnanimdA x")
    #expect(TextFit.clean("王小明 é Ω") == "王小明 é Ω")
    #expect(TextFit.clean(String(repeating: "a", count: 9_000), limit: 10).count == 10)
  }
}

@Suite struct ChatBubblesTests {
  private let list = Rect(x: 10, y: 50, width: 300, height: 200)

  @Test func `the newest line is at the bottom, and one can scroll back to the oldest`() throws {
    let chat = (0..<40).map {
      WindowState.ChatLine(id: String($0), author: "Anna", peer: "1", text: "line \($0)")
    }
    let newest = ChatBubbles(chat, in: list, scroll: 0, plainMeasure)
    #expect(newest.bubbles.first?.index == 39)
    #expect(newest.bubbles.first?.rect.maxY == list.maxY)
    #expect(newest.bubbles.count < 20)
    let oldest = ChatBubbles(chat, in: list, scroll: newest.scrollLimit, plainMeasure)
    let first = try #require(oldest.bubbles.last)
    #expect(first.index == 0 && first.rect.y == list.y)
    #expect(oldest.scrollLimit == newest.scrollLimit)
  }

  @Test func `bubbles hold their text and mark, own ones at the right, and do not overlap`() {
    let long = String(repeating: "word ", count: 30)
    let chat: [WindowState.ChatLine] = [
      .init(id: "1", author: "Anna", peer: "1", text: long), .init(id: "2", text: long),
      .init(id: "3", text: "ok"), .init(id: "4", author: "Ben", peer: "2", text: ""),
    ]
    let tall = Rect(x: 10, y: 50, width: 300, height: 900)
    let bubbles = ChatBubbles(chat, in: tall, scroll: 0, plainMeasure).bubbles
    #expect(bubbles.count == 4)
    for (index, bubble) in bubbles.enumerated() {
      #expect(tall.contains(bubble.rect) && bubble.rect.contains(bubble.text))
      if let author = bubble.author {
        #expect(bubble.rect.contains(author) && !author.intersects(bubble.text))
      }
      let isOwn = chat[bubble.index].author == nil
      #expect(isOwn == (bubble.mark != nil))
      #expect(isOwn == (bubble.rect.maxX == tall.maxX))
      for other in bubbles[(index + 1)...] { #expect(!bubble.rect.intersects(other.rect)) }
      for (row, line) in bubble.lines.enumerated() {
        let width = plainMeasure.width(line, .body)
        #expect(width <= bubble.text.width)
        guard let mark = bubble.mark, row == bubble.lines.count - 1 else { continue }
        let isBelow = bubble.text.height > bubble.lines.count * plainMeasure.lineHeight(.body)
        #expect(isBelow || bubble.text.x + width <= mark.x)
      }
    }
  }
}

@Suite struct TextDirectionTests {
  @Test func `segments of the other direction keep their place in the line`() {
    let mixed = TextDirection.segments("Anna: שלום עולם!")
    #expect(mixed.map(\.text) == ["Anna: ", "שלום עולם", "!"])
    #expect(mixed.map(\.direction) == [.rightward, .leftward, .rightward])
    let leftward = TextDirection.segments("مرحبا Ben")
    #expect(leftward.map(\.text) == ["Ben", "مرحبا "])
    let scripts = TextDirection.segments("a مرحبا, שלום b")
    #expect(scripts.map(\.text) == ["a ", "שלום", "مرحبا, ", " b"])
    #expect(TextDirection.segments("héllo 王 42").map(\.direction) == [.rightward])
    #expect(TextDirection.segments("").map(\.text) == [""])
  }

  @Test func `numbers run to the right in either direction`() {
    let segments = TextDirection.segments("שלום 42 עולם")
    #expect(segments.map(\.text) == [" עולם", "42", "שלום "])
    #expect(segments.map(\.direction) == [.leftward, .rightward, .leftward])
  }
}
