import Media
import Testing
import Units

@testable import Window

/// The window in the states of a call, without a display (SDL's dummy driver): what can be read
/// from its pixels is checked, and with `P2PCALL_SCREENSHOTS=DIR` each is saved to be looked at.
@MainActor @Suite(.serialized) struct GalleryTests {
  private static let roomID = "p2p-7GK3M-W2XQA-9RDTE-0HJ4N-V8Z1C-B5PFY"

  private static func window(
    _ state: WindowState, width: Int = 1_060, height: Int = 680, scale: Double = 1,
    selfPicture: Picture? = nil
  ) throws -> (CallWindow, WindowModel) {
    let model = WindowModel(state)
    model.showSelf(selfPicture)
    var options = CallWindow.Options()
    options.size = Extent(width: width, height: height)
    options.scale = scale
    options.driver = "dummy"
    let window = try CallWindow(model, options)
    window.resize(width: width, height: height)
    _ = window.step(waitingAtMost: .zero) { _ in }
    return (window, model)
  }

  private static func alone() -> WindowState {
    var state = WindowState()
    state.roomID = roomID
    state.joinCommand = "p2pcall join " + roomID
    return state
  }

  private static func state(_ names: [(String, WindowState.Trust)]) -> WindowState {
    var state = alone()
    state.peers = names.enumerated().map { index, peer in
      var value = WindowState.Peer(id: String(index), name: peer.0, trust: peer.1)
      value.link = .connected
      value.pathText = "direct, UDP"
      value.statistics = [
        .init("Delay there and back", "24 ms"),
        .init("Sending", "1480 kbit/s · 1280×720 · 30 fps"),
        .init("Receiving", "1510 kbit/s · 1280×720 · 30 fps"), .init("Loss", "0.4 %"),
        .init("Freezes", "none"),
      ]
      return value
    }
    return state
  }

  private func click(_ window: CallWindow, _ rect: Rect) -> [WindowAction] {
    var actions: [WindowAction] = []
    let place = Point(x: rect.midX, y: rect.midY)
    window.handle(.pressed(place)) { actions.append($0) }
    window.handle(.released(place)) { actions.append($0) }
    return actions
  }

  @Test func `alone, the room id is shown large, and a click copies it`() throws {
    let (window, _) = try Self.window(Self.alone(), selfPicture: Pictures.people(1)[0])
    let screen = Screen(window)
    screen.save("alone")
    let lobby = try #require(window.layout.lobby)
    let room = try #require(lobby.roomBox)
    #expect(screen.bright(in: room) > 500)
    let copy = try #require(lobby.copy)
    let blue = screen[copy.x + copy.height / 2, copy.y + 4]
    #expect(blue.blue > blue.green && blue.blue > blue.red)
    #expect(click(window, copy) == [.copyRoomID])
    let after = Screen(window)
    after.save("alone-copied")
    let green = after[copy.x + copy.height / 2, copy.y + 4]
    #expect(green.green > green.blue && green.green > green.red)
  }

  @Test(arguments: [1, 2, 3, 4, 6])
  func `people's pictures are whole, undistorted, and in the right tile`(count: Int) throws {
    var names: [(String, WindowState.Trust)] = [
      ("Anna Schmidt", .verified), ("Ben", .known), ("Chiara Rossi", .new), ("Dmitri", .known),
      ("Eve", .known), ("Faruk", .verified),
    ]
    names = Array(names.prefix(count))
    let (window, model) = try Self.window(
      Self.state(names), selfPicture: Pictures.people(count + 1)[count])
    let size = PictureSize(width: 640, height: 360)
    for index in 0..<count {
      model.show(Pictures.frame(Pictures.disc(size)), of: String(index))
    }
    let screen = Screen(window)
    #expect(window.layout.tiles.count == count)
    for tile in window.layout.tiles {
      let place = tile.fitting(Extent(width: 640, height: 360))
      let radius = place.height / 4
      // The disc is as wide as it is high: bright just inside, dark green just outside.
      for (dx, dy) in [(1, 0), (-1, 0), (0, 1), (0, -1)] {
        let inside = screen[tile.midX + dx * (radius - 4), tile.midY + dy * (radius - 4)]
        let outside = screen[tile.midX + dx * (radius + 5), tile.midY + dy * (radius + 5)]
        #expect(inside.red > 240 && inside.green > 240 && inside.blue > 240)
        #expect(outside.green > outside.red + 25 && outside.green < 120)
      }
    }
    for (index, picture) in Pictures.people(count).enumerated() {
      model.show(Pictures.frame(picture), of: String(index))
    }
    Screen(window).save("people-\(count)")
  }

  @Test func `colours are those of BT 601, also in large pictures`() throws {
    let (window, model) = try Self.window(Self.state([("Anna", .known)]))
    // Saturated red of BT.601, which BT.709 would show as another.
    let red = Pictures.plain(PictureSize(width: 1_280, height: 720), y: 81, u: 90, v: 240)
    model.show(Pictures.frame(red), of: "0")
    let screen = Screen(window)
    let tile = window.layout.tiles[0]
    let pixel = screen[tile.midX, tile.midY]
    #expect(pixel.red > 245 && pixel.green < 12 && pixel.blue < 12)
  }

  @Test func `a peer's camera that is off, or a changed key, shows no picture`() throws {
    var state = Self.state([("Anna", .known), ("Ben", .changed)])
    state.peers[0].isCameraOff = true
    let (window, model) = try Self.window(state)
    let white = Pictures.plain(PictureSize(width: 64, height: 36), y: 235, u: 128, v: 128)
    model.show(Pictures.frame(white), of: "0")
    model.show(Pictures.frame(white), of: "1")
    let screen = Screen(window)
    for tile in window.layout.tiles {
      #expect(screen.bright(in: tile, above: 230) * 20 < tile.width * tile.height)
    }
    let tile = window.layout.tiles[1]
    let edge = screen[tile.x + 1, tile.midY]
    #expect(edge.red > 180 && edge.green < 110)
  }

  @Test func `somebody who is not proved yet is shown as connecting`() throws {
    var state = Self.alone()
    state.peers = [WindowState.Peer(id: "0", name: "")]
    let (window, _) = try Self.window(state, selfPicture: Pictures.people(1)[0])
    let screen = Screen(window)
    screen.save("connecting")
    #expect(Painter.shownName(state.peers[0]) == "Somebody")
    let tile = window.layout.tiles[0]
    let middle = tile.centered(Extent(width: tile.width / 3, height: tile.height / 2))
    #expect(screen.bright(in: middle) > 200)
    let plate = Rect(x: tile.x + 10, y: tile.maxY - 40, width: 110, height: 30)
    #expect(screen.bright(in: plate) > 50)
  }

  @Test func `a new picture is drawn, and nothing is drawn while nothing changes`() throws {
    let (window, model) = try Self.window(Self.state([("Anna", .known)]))
    var turns = 0
    while turns < 5 {
      _ = window.step(waitingAtMost: .milliseconds(20)) { _ in }
      turns += 1
    }
    let before = window.drawings
    for _ in 0..<5 { _ = window.step(waitingAtMost: .milliseconds(20)) { _ in } }
    #expect(window.drawings == before)
    model.show(
      Pictures.frame(Pictures.plain(PictureSize(width: 64, height: 36), y: 235, u: 128, v: 128)),
      of: "0")
    for _ in 0..<5 { _ = window.step(waitingAtMost: .milliseconds(20)) { _ in } }
    #expect(window.drawings == before + 1)
    model.close()
    #expect(!window.step(waitingAtMost: .milliseconds(20)) { _ in })
  }

  @Test(arguments: [
    ("large", 1_060, 680, 1.0), ("small", 320, 240, 1.0), ("medium", 640, 480, 1.0),
    ("tall", 420, 800, 1.0), ("dense", 1_600, 1_000, 2.0),
  ])
  func `all states can be drawn at any size`(
    name: String, width: Int, height: Int, scale: Double
  ) throws {
    let people = Pictures.people(4)
    let state = Self.everything()
    let (window, model) = try Self.window(
      state, width: width, height: height, scale: scale, selfPicture: people[3])
    #expect(window.layout.size == Extent(width: width, height: height))
    for index in 0..<3 { model.show(Pictures.frame(people[index]), of: String(index)) }
    Screen(window).save(name)
    window.handle(.key(.letter("i"))) { _ in }
    Screen(window).save(name + "-statistics")
    #expect(window.interaction.showsStatistics)

    window.handle(.key(.letter("c"))) { _ in }
    let empty = Screen(window)
    window.handle(.text("I am writing something that is longer than the field is wide")) { _ in }
    let typed = Screen(window)
    typed.save(name + "-chat")
    let field = try #require(window.layout.chat?.input)
    #expect(window.interaction.isTyping)
    #expect(typed.bright(in: field) > empty.bright(in: field) + 100)

    let (lobby, _) = try Self.window(
      Self.alone(), width: width, height: height, scale: scale, selfPicture: people[3])
    let waiting = Screen(lobby)
    waiting.save(name + "-alone")
    for line in try #require(lobby.layout.lobby).room {
      #expect(waiting.bright(in: line.rect) > 50)
    }
  }

  private static func everything() -> WindowState {
    var state = Self.state([
      ("Anna Schmidt", .verified), ("王小明", .known),
      ("Wolfeschlegelsteinhausenbergerdorff the Third of Somewhere", .new), ("Ben", .changed),
    ])
    state.peers[0].isMuted = true
    state.peers[2].link = .reconnecting
    state.microphone = .off
    state.camera = .off
    state.chat = [
      .init(id: "1", author: "Anna Schmidt", peer: "0", text: "Hi! Can you hear me?"),
      .init(id: "2", text: "Yes, loud and clear.", delivery: .delivered),
      .init(id: "3", author: "王小明", peer: "1", text: "大家好，今天的会议几点开始？我这边网络有点慢。"),
      .init(
        id: "4",
        text: "In ten minutes. Here is the plan: first the budget, then the schedule, then "
          + "https://example.org/a-very-long-address/that-does-not-fit/on-one-line.html",
        delivery: .sent),
      .init(
        id: "5", author: "Anna Schmidt", peer: "0", text: "Привет, Καλημέρα, مرحبا, שלום עולם 🙂"),
      .init(id: "6", text: "ok", delivery: .sending),
    ]
    state.notices = [
      .init(id: 1, text: "Ben's key has changed; nothing is sent to them.", isWarning: true),
      .init(id: 2, text: "Anna Schmidt joined"),
    ]
    return state
  }
}
