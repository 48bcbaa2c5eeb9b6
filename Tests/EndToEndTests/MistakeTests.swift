import Foundation
import Testing

/// What users are told when something is wrong: one sentence that names the remedy, and the
/// promised exit code.
@Suite(.serialized) struct MistakeTests {
  private let quiet = ["--video", "none", "--audio", "none", "--view", "none"]

  private func sentence(of program: RunningProgram) -> String {
    let lines = program.errors.split(separator: "\n").filter { $0.hasPrefix("p2pcall: ") }
    #expect(lines.count == 1, "\(program.errors)")
    return lines.first.map(String.init) ?? ""
  }

  @Test func `a mistyped room id is refused before any traffic, its wrong symbol pointed at`()
    throws
  {
    let programs = try Programs()
    let server = try programs.startServer()
    var letters = Array(try programs.createRoom(server).prefix { $0 != "@" })
    letters[11] = letters[11] == "7" ? "8" : "7"
    server.program.kill()
    let program = try programs.join(String(letters), as: "Ann", server, quiet)
    #expect(program.awaitExit() == 2)
    let said = sentence(of: program)
    #expect(said.contains("character 12"))
    #expect(!said.contains(String(letters)))
  }

  @Test func `an unknown room is 4, no server 3, a wrong pin 5`() throws {
    let programs = try Programs()
    let server = try programs.startServer()
    let other = try programs.startServer(as: "other")
    let room = String(try programs.createRoom(server).prefix { $0 != "@" })

    let unknown = try programs.join(room, as: "Ann", other, quiet)
    #expect(unknown.awaitExit() == 4)
    #expect(sentence(of: unknown).contains("p2pcall room create"))

    let wrong = Programs.Server(program: other.program, address: server.address, pin: other.pin)
    let careful = try programs.join(room, as: "Ben", wrong, quiet)
    #expect(careful.awaitExit() == 5)
    #expect(sentence(of: careful).contains("--server-pin"))

    let away = Programs.Server(program: other.program, address: "127.0.0.1:9", pin: other.pin)
    let lonely = try programs.join(room, as: "Cy", away, quiet)
    #expect(lonely.awaitExit() == 3)
    #expect(sentence(of: lonely).contains("127.0.0.1:9"))
  }

  @Test func `relays only at a server without relays is 6 with the remedy, before anybody comes`()
    throws
  {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server)
    let program = try programs.join(room, as: "Ann", server, quiet + ["--relay-only"])
    #expect(program.awaitExit() == 6)
    let error = try program.awaitEvent("error")
    #expect(error["code"] as? Int == 6)
    #expect((error["remedy"] as? String)?.contains("p2pcall-rendezvous --turn") == true)
  }

  @Test func `an interface that is not there is 2, with those that are`() throws {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server)
    let program = try programs.join(room, as: "Ann", server, quiet + ["--interface", "wlan99"])
    #expect(program.awaitExit() == 2)
    let said = sentence(of: program)
    #expect(said.contains("wlan99") && said.contains("lo"))
  }

  @Test func `a source that was asked for by name must open`() throws {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server)
    let film = try programs.join(
      room, as: "Ann", server,
      ["--video", "file:\(programs.path("absent.mp4"))", "--audio", "none", "--view", "none"])
    #expect(film.awaitExit() == 7)
    #expect(sentence(of: film).contains("absent.mp4"))
    let camera = try programs.join(
      room, as: "Ben", server,
      ["--video", "camera:/dev/video99", "--audio", "none", "--view", "none"])
    #expect(camera.awaitExit() == 7)
    #expect(sentence(of: camera).contains("p2pcall devices"))
    // Here is no display.
    let window = try programs.join(
      room, as: "Cy", server, ["--video", "none", "--audio", "none", "--view", "window"])
    #expect(window.awaitExit() == 7)
    #expect(sentence(of: window).contains("--view none"))
  }

  @Test func `the room id is not in the process list`() throws {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server)
    let program = try programs.run(
      "p2pcall", as: "Ann",
      ["join", room, "--events", "json", "--play", "none"] + server.options + quiet)
    try program.awaitEvent("room")
    let title = try Data(contentsOf: URL(fileURLWithPath: "/proc/\(program.identifier)/cmdline"))
    let text = String(decoding: title, as: UTF8.self)
    #expect(text.contains("p2pcall"))
    #expect(!text.contains(String(room.dropFirst(4).prefix(11))))
    program.say("/leave")
    #expect(program.awaitExit() == 0)
  }

  @Test func `S20: neither program leaves a core dump`() throws {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server)
    let ann = try programs.join(room, as: "Ann", server, quiet)
    try ann.awaitEvent("room")
    for program in [ann, server.program] {
      let limits = try String(contentsOfFile: "/proc/\(program.identifier)/limits", encoding: .utf8)
      let line = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") }
      let values = line.map { $0.split(separator: " ").suffix(3).dropLast() }
      #expect(values == ["0", "0"], "\(limits)")
    }
    ann.say("/leave")
    #expect(ann.awaitExit() == 0)
  }

  @Test func `a sink whose reader goes away ends the sink, not the call`() throws {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server)
    let fifo = programs.path("view")
    #expect(mkfifo(fifo, 0o600) == 0)
    let media = ["--video", "pattern", "--audio", "none", "--size", "160x120", "--fps", "15"]
    let ann = try programs.join(room, as: "Ann", server, media + ["--view", "pipe:\(fifo)"])
    let ben = try programs.join(room, as: "Ben", server, media + ["--view", "none"])
    let reader = try #require(FileHandle(forReadingAtPath: fifo))
    #expect(reader.readData(ofLength: 60_000).count == 60_000)
    try reader.close()
    try ann.awaitEvent("device")
    ben.say("do you still read me?")
    try ann.awaitEvent("chat")
    ann.say("/leave")
    #expect(ann.awaitExit() == 0)
  }

  @Test func `a new server is asked about once, and the answer is not taken for chat`() throws {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server)
    let ann = try programs.runOnTerminal(
      as: "Ann", ["join", room, "--name", "Ann", "--play", "none"] + quiet)
    try ann.awaitText("Type yes to go on: ")
    ann.say("yes")
    try ann.awaitText("nobody else is here yet")
    let ben = try programs.join(room, as: "Ben", server, quiet)
    try ben.awaitEvent("trust")
    ann.say("it is me")
    #expect(try ben.awaitEvent("chat")["text"] as? String == "it is me")
    ann.say("/leave")
    #expect(ann.awaitExit() == 0)
  }

  @Test func `control-C at a question ends the program with 130`() throws {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server)
    let asked = try programs.runOnTerminal(as: "Ann", ["join", room] + quiet)
    try asked.awaitText("Type yes to go on: ")
    asked.type("\u{3}")
    #expect(asked.awaitExit() == 130)
    let prompted = try programs.runOnTerminal(as: "Ben", ["join"] + quiet)
    try prompted.awaitText("Room id: ")
    prompted.type("\u{3}")
    #expect(prompted.awaitExit() == 130)
  }

  @Test func `Ctrl-C ends the making of a room at a server that says nothing`() throws {
    let programs = try Programs()
    let silent = try SilentServer()
    let program = try programs.run(
      "p2pcall", as: "Ann", ["room", "create", "--server", "127.0.0.1:\(silent.port)"])
    try silent.awaitConnection()
    program.interrupt()
    #expect(program.awaitExit() == 130)
    #expect(sentence(of: program).contains("no room"))
  }

  @Test func `Ctrl-C ends a look-up that gets no answer`() throws {
    let programs = try Programs()
    let names = try programs.silentNames()
    let commands: [(String, [String])] = [
      ("p2pcall", ["room", "create", "--server", "example.invalid"]),
      ("p2pcall", ["join", "-", "--server", "example.invalid"] + quiet),
      ("p2pcall-rendezvous", ["--listen", "example.invalid:0"]),
    ]
    let room = try programs.createRoom(try programs.startServer())
    for (name, arguments) in commands {
      let program = try programs.run(name, as: "Ann", arguments, preloading: names)
      if arguments[0] == "join" { program.say(room) }
      try program.awaitErrors("looking up")
      program.interrupt()
      #expect(program.awaitExit() == 130)
    }
  }

  @Test func `the log says what was asked for, and addresses for debug only`() throws {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server)
    var said: [String: String] = [:]
    for level in ["warning", "info", "debug"] {
      let program = try programs.join(room, as: level, server, quiet + ["--log-level", level])
      try program.awaitEvent("room")
      program.say("/leave")
      #expect(program.awaitExit() == 0)
      said[level] = program.errors
    }
    #expect(said["warning"]?.contains("server is reached") == false)
    #expect(said["info"]?.contains("server is reached") == true)
    #expect(said["info"]?.contains("UDP 127.0.0.1:") == false)
    #expect(said["debug"]?.contains("UDP 127.0.0.1:") == true)
    #expect(said["debug"]?.contains(room.dropFirst(4).prefix(11)) == false)
  }

  @Test func `output that nobody reads does not stop the call`() throws {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server)
    let fifo = programs.path("unread")
    #expect(mkfifo(fifo, 0o600) == 0)
    // Both ends, so that opening waits for nobody; full, so that every line waits.
    let unread = try #require(FileHandle(forUpdatingAtPath: fifo))
    #expect(fcntl(unread.fileDescriptor, F_SETFL, O_NONBLOCK) == 0)
    let page = [UInt8](repeating: 10, count: 4_096)
    while write(unread.fileDescriptor, page, page.count) > 0 {}
    #expect(fcntl(unread.fileDescriptor, F_SETFL, 0) == 0)
    let ann = try programs.join(
      room, as: "Ann", server, quiet, output: FileHandle(forWritingAtPath: fifo))
    let ben = try programs.join(room, as: "Ben", server, quiet)
    try ben.awaitEvent("trust")
    ben.say("hello")
    // Who stood still at her first line could not have taken his.
    try ben.awaitEvent("chat-delivered")
    ann.terminate()
    #expect(ann.awaitExit() == 0)
  }

  @Test func `no library of a display must be there to start`() throws {
    let programs = try Programs()
    let listing = try programs.run(at: "/usr/bin/ldd", [programs.binary("p2pcall")])
    #expect(listing.awaitExit() == 0)
    let libraries = listing.lines.compactMap { $0.split(separator: " ").first }
    #expect(libraries.contains { $0.contains("libvpx") })
    for name in ["SDL", "X11", "wayland", "fontconfig"] {
      #expect(!libraries.contains { $0.contains(name) }, "\(name) in \(libraries)")
    }
  }
}
