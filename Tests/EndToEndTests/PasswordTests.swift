import Foundation
import Testing

/// Rooms whose id alone opens nothing.
@Suite(.serialized) struct PasswordTests {
  private let quiet = ["--video", "none", "--audio", "none", "--view", "none"]
  /// In two forms of Unicode that are the same to people.
  private let composed = "Br\u{fc}cke 7"
  private let decomposed = "Bru\u{308}cke 7"

  @Test func `who knows room id and password meets, however the password was typed`() throws {
    let programs = try Programs()
    let server = try programs.startServer()
    let file = try programs.secretFile("composed", composed)
    let room = try programs.createRoom(server, ["--password-file", file])
    let other = try programs.secretFile("decomposed", decomposed)
    let ann = try programs.join(room, as: "Ann", server, quiet + ["--password-file", file])
    let ben = try programs.join(room, as: "Ben", server, quiet + ["--password-file", other])
    try ann.awaitEvent("link")
    try ben.awaitEvent("link")
    ben.say("hello")
    #expect(try ann.awaitEvent("chat")["text"] as? String == "hello")
    for person in [ann, ben] { person.say("/leave") }
    for person in [ann, ben] { #expect(person.awaitExit() == 0) }
  }

  @Test func `S7: a wrong password is refused as an unknown room is, and the user told why`() throws
  {
    let programs = try Programs()
    let server = try programs.startServer()
    let file = try programs.secretFile("right", composed)
    let room = try programs.createRoom(server, ["--password-file", file])
    let wrong = try programs.secretFile("wrong", composed + "!")
    let eve = try programs.join(room, as: "Eve", server, quiet + ["--password-file", wrong])
    #expect(eve.awaitExit() == 4)
    #expect(eve.errors.contains("the password is wrong"))
    #expect(eve.events("room").isEmpty)
  }

  @Test func `without its password a room is not entered, and a room without one takes none`()
    throws
  {
    let programs = try Programs()
    let server = try programs.startServer()
    let file = try programs.secretFile("right", composed)
    let locked = try programs.createRoom(server, ["--password-file", file])
    // A session of its own, so without a terminal to ask on.
    let eve = try programs.run(
      at: "/usr/bin/setsid", as: "Eve",
      ["--wait", programs.binary("p2pcall"), "join", locked] + server.options + quiet)
    #expect(eve.awaitExit() == 2)
    #expect(eve.errors.contains("--password-file"))
    let open = try programs.createRoom(server)
    let ben = try programs.join(open, as: "Ben", server, quiet + ["--password-file", file])
    #expect(ben.awaitExit() == 2)
    #expect(ben.errors.contains("has no password"))
  }

  @Test(
    arguments: [
      ("open", "secret", 0o644, "chmod 600"), ("empty", "", 0o600, "is empty"),
      ("none", nil, 0o600, "none"),
    ] as [(String, String?, Int, String)])
  func `a password's file that others may read, or that holds none, is refused`(
    name: String, line: String?, mode: Int, remedy: String
  ) throws {
    let programs = try Programs()
    let file = try line.map { try programs.secretFile(name, $0, mode: mode) } ?? programs.path(name)
    let maker = try programs.run(
      "p2pcall", as: "owner", ["room", "create", "--password-file", file])
    #expect(maker.awaitExit() == 2)
    #expect(maker.errors.contains(remedy), "\(maker.errors)")
    #expect(maker.lines.isEmpty)
  }

  @Test func `a password typed on the terminal twice makes the room, and typed once enters it`()
    throws
  {
    let programs = try Programs()
    let server = try programs.startServer()
    let maker = try programs.runOnTerminal(
      as: "owner", ["room", "create", "--password"] + server.options)
    try maker.awaitText("Password for the room:")
    maker.say(composed)
    try maker.awaitText("The same again:")
    maker.say(composed)
    #expect(maker.awaitExit() == 0)
    #expect(!maker.screen.contains("cke 7"), "\(maker.screen)")
    let words = maker.screen.split(whereSeparator: \.isWhitespace)
    let room = String(try #require(words.first { $0.hasPrefix("p2p-") }))
    let ann = try programs.runOnTerminal(
      as: "Ann", ["join", room, "--play", "none"] + server.options + quiet)
    try ann.awaitText("Password of the room:")
    ann.say(decomposed)
    try ann.awaitText("nobody else is here yet")
    ann.say("/leave")
    #expect(ann.awaitExit() == 0)
    #expect(!ann.screen.contains("cke 7"), "\(ann.screen)")
  }

  @Test func `two different passwords make no room`() throws {
    let programs = try Programs()
    let maker = try programs.runOnTerminal(as: "owner", ["room", "create", "--password"])
    try maker.awaitText("Password for the room:")
    maker.say("one")
    try maker.awaitText("The same again:")
    maker.say("two")
    #expect(maker.awaitExit() == 2)
    #expect(maker.screen.contains("differ"))
  }

  @Test func `a room of two is full for the third`() throws {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server, ["--max-peers", "2"])
    let ann = try programs.join(room, as: "Ann", server, quiet)
    let ben = try programs.join(room, as: "Ben", server, quiet)
    try ann.awaitEvent("link")
    try ben.awaitEvent("link")
    let cleo = try programs.join(room, as: "Cleo", server, quiet)
    #expect(cleo.awaitExit() == 4)
    for person in [ann, ben] {
      person.say("/leave")
      #expect(person.awaitExit() == 0)
    }
  }
}
