import CSDL
import Foundation
import Glibc
import Media
import Testing
import Units

@testable import Window

/// The window on a real X server: one that the test starts for itself (Xvfb), driven by xdotool.
@Suite struct DisplayTests {
  private static let tools = ["Xvfb", "xdotool"].allSatisfy { path(of: $0) != nil }

  private static func path(of program: String) -> String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      .map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// Starts an X server on a free display and names it in the environment. It ends by itself
  /// when its last client is gone (`-terminate`): it inherits blocked signals.
  private static func startServer() throws {
    let server = Process()
    server.executableURL = URL(fileURLWithPath: try #require(path(of: "Xvfb")))
    server.arguments = [
      "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp",
      "-terminate",
    ]
    let pipe = Pipe()
    server.standardOutput = pipe
    server.standardError = FileHandle.nullDevice
    try server.run()
    let number = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
    setenv("DISPLAY", ":" + number.trimmingCharacters(in: .whitespacesAndNewlines), 1)
    unsetenv("WAYLAND_DISPLAY")
  }

  private static func xdotool(_ arguments: [String]) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(path(of: "xdotool")))
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Lets the window work until `isDone`, or for half a minute.
  @MainActor private static func pump(
    _ window: CallWindow, _ actions: inout [WindowAction],
    until isDone: (CallWindow, [WindowAction]) -> Bool
  ) -> Bool {
    for _ in 0..<200 {
      if isDone(window, actions) { return true }
      _ = window.step(waitingAtMost: .milliseconds(50)) { actions.append($0) }
    }
    return false
  }

  @Test(.enabled(if: tools, "Xvfb and xdotool are not installed"))
  func `keys, clicks, the clipboard and resizing work on an X server`() async {
    await #expect(processExitsWith: .success) {
      try Self.startServer()
      try await MainActor.run { try Self.useWindow() }
    }
  }

  @MainActor private static func useWindow() throws {
    var state = WindowState()
    state.roomID = "p2p-7GK3M-W2XQA-9RDTE-0HJ4N-V8Z1C-B5PFY"
    state.joinCommand = "p2pcall join " + state.roomID
    let model = WindowModel(state)
    var options = CallWindow.Options()
    options.scale = 1
    let window = try CallWindow(model, options)
    #expect(window.fontNotice == nil)
    var actions: [WindowAction] = []
    _ = pump(window, &actions) { window, _ in window.drawings > 0 }

    func drive(_ arguments: [String], until done: (CallWindow, [WindowAction]) -> Bool) throws {
      let tool = try xdotool(["search", "--name", "^p2pcall$", "windowfocus"] + arguments)
      try #require(pump(window, &actions, until: done), "\(arguments), \(actions)")
      tool.waitUntilExit()
    }
    let copy = try #require(window.layout.lobby?.copy)
    try drive(["mousemove", "--window", "%1", "\(copy.midX)", "\(copy.midY)", "click", "1"]) {
      $1.last == .copyRoomID
    }
    Screen(window).save("display-copied")
    try drive(["key", "m"]) { $1.last == .toggleMute }
    try drive(["key", "c"]) { $1.last == .chat(isOpen: true) }
    // What the button copied comes back out of the clipboard, between typed letters.
    try drive(["type", "q "]) { window, _ in window.interaction.draft.text == "q " }
    try drive(["key", "ctrl+v"]) { window, _ in window.interaction.draft.characters.count == 41 }
    try drive(["key", "Return"]) { $1.last == .sendChat("q " + state.roomID) }
    try drive(["key", "Escape"]) { $1.last == .chat(isOpen: false) }
    try drive(["windowsize", "400", "320"]) { $1.last == .resized(width: 400, height: 320) }
    let screen = Screen(window)
    screen.save("display-resized")
    #expect(screen.size == Extent(width: 400, height: 320))
    let room = try #require(window.layout.lobby?.roomBox)
    #expect(screen.bright(in: room) > 100)
    // Only a window manager, which is not here, would let it fill the screen.
    try drive(["key", "f"]) { $1.contains(.fullScreen(true)) }
    try drive(["key", "q"]) { $1.last == .leave }
    model.close()
    #expect(!window.step(waitingAtMost: .zero) { _ in })
  }

  @Test func `the window tells each tile's size when it changes, and hidden ones when it closes`()
    async
  {
    await #expect(processExitsWith: .success) {
      try await MainActor.run { try Self.resizeTiles() }
    }
  }

  @MainActor private static func resizeTiles() throws {
    let model = WindowModel(LayoutTests.state(peers: 2))
    var options = CallWindow.Options()
    options.driver = "dummy"
    options.scale = 1
    let window = try CallWindow(model, options)
    var actions: [WindowAction] = []
    func placed() -> [WindowAction] {
      window.layout.places(of: model.state.peers, isShown: true).map {
        .placed(peer: $0.peer, $0.place)
      }
    }
    try #require(pump(window, &actions) { $1.contains(placed()[1]) })
    #expect(actions == placed())
    actions = []
    // Nothing new is nothing told.
    model.update { $0.peers[0].isMuted = true }
    for _ in 0..<5 { _ = window.step(waitingAtMost: .milliseconds(20)) { actions.append($0) } }
    #expect(actions == [])
    window.resize(width: 500, height: 420)
    try #require(pump(window, &actions) { $1.contains(placed()[1]) })
    #expect(actions.suffix(2) == placed()[...])
    actions = []
    // The window is hidden then.
    window.handle(.closeRequested) { actions.append($0) }
    let none = Extent(width: 0, height: 0)
    let hidden = ["0", "1"].map { WindowAction.placed(peer: $0, none) }
    try #require(pump(window, &actions) { $1.contains(hidden[1]) })
    #expect(actions == [.leave] + hidden)
  }

  @Test func `without a display the window says so in one sentence`() async {
    await #expect(processExitsWith: .success) {
      for name in ["DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"] { unsetenv(name) }
      #expect(!CallWindow.isDisplayNamed)
      let error = await MainActor.run { () -> MediaError? in
        do throws(MediaError) {
          _ = try CallWindow(WindowModel())
          return nil
        } catch {
          return error
        }
      }
      #expect(error?.kind == .absent)
      #expect(error?.description.contains("--view none") == true)
    }
  }

  @Test func `without any font the window goes on, and says what to install`() async {
    await #expect(processExitsWith: .success) {
      let file = NSTemporaryDirectory() + "p2pcall-no-fonts-\(getpid()).conf"
      try "<fontconfig></fontconfig>".write(toFile: file, atomically: true, encoding: .utf8)
      defer { try? FileManager.default.removeItem(atPath: file) }
      setenv("FONTCONFIG_FILE", file, 1)
      try await MainActor.run {
        var options = CallWindow.Options()
        options.driver = "dummy"
        let window = try CallWindow(WindowModel(), options)
        #expect(window.fontNotice?.contains("fonts-dejavu-core") == true)
        let screen = Screen(window)
        let leave = try #require(window.layout.buttons.last).disc
        #expect(screen.bright(in: leave, above: 200) > 20)
      }
    }
  }

  @Test func `a library of the window that is missing or too old is named, with its remedy`() {
    func failure(_ name: String) -> MediaError? {
      var functions = csdl_sdl()
      do throws(MediaError) {
        try WindowLibraries.load(name) { csdl_find_sdl(&functions, $0) }
        return nil
      } catch {
        return error
      }
    }
    #expect(failure("libSDL2-2.0.so.0") == nil)
    let absent = failure("libp2pcall-nowhere.so.9")
    #expect(absent?.kind == .absent)
    #expect(absent?.message.contains("libp2pcall-nowhere.so.9 cannot be loaded") == true)
    #expect(absent?.remedy.contains("--view none") == true)
    // It is there, and is not SDL.
    let other = failure("libm.so.6")
    #expect(other?.kind == .unsupported)
    #expect(other?.message == "libm.so.6 has no SDL_CreateRGBSurfaceWithFormat")
  }
}
