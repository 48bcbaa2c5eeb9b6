import Foundation
import Testing

/// Whole calls through the built programs on loopback. Nothing here is timed: what is asserted is
/// what happened, in which order, and how it ended.
@Suite(.serialized) struct RealCallTests {
  private let small = ["--size", "320x240", "--fps", "15", "--view", "none"]

  @Test(arguments: ["udp", "tcp"])
  func `two people see, hear and read each other over each carrier`(carrier: String) throws {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server)
    let view = programs.path("{peer}.y4m")
    let media = [
      "--video", "pattern", "--audio", "tone", "--transport", carrier, "--size", "320x240",
      "--fps", "15",
    ]
    let alice = try programs.join(room, as: "Alice", server, media + ["--view", "none"])
    try alice.awaitEvent("room")
    let bob = try programs.join(room, as: "Bob", server, media + ["--view", "pipe:\(view)"])
    for person in [alice, bob] {
      try person.awaitEvent("first-frame") { $0["width"] as? Int == 320 }
      let link = try person.awaitEvent("link")
      #expect(link["path"] as? String == "\(carrier)-direct")
      #expect((link["cipher"] as? String)?.isEmpty == false)
    }
    for number in 1...5 {
      alice.say("line \(number)")
      bob.say("reply \(number)")
    }
    try alice.awaitEvent("chat") { $0["text"] as? String == "reply 5" }
    try bob.awaitEvent("chat") { $0["text"] as? String == "line 5" }
    try alice.awaitEvent("chat-delivered") { $0["id"] as? String == "5" }
    try bob.awaitEvent("stats") {
      ($0["recv"] as? [String: Any])?["fps"] as? Double ?? 0 >= 7
    }
    alice.say("/leave")
    #expect(alice.awaitExit() == 0)
    let left = try bob.awaitEvent("peer-left")
    #expect(left["reason"] as? String == "left")
    bob.say("/leave")
    #expect(bob.awaitExit() == 0)
    #expect(bob.events("chat").compactMap { $0["text"] as? String } == (1...5).map { "line \($0)" })
    #expect(
      alice.events("chat").compactMap { $0["text"] as? String } == (1...5).map { "reply \($0)" })
    let session = try #require(bob.events("peer-joined").first?["peer"] as? String)
    let film = try Data(contentsOf: URL(fileURLWithPath: programs.path("\(session).y4m")))
    let header = String(decoding: film.prefix(40), as: UTF8.self)
    #expect(header.hasPrefix("YUV4MPEG2 W320 H240"))
    #expect(film.count > 320 * 240 * 3 / 2 * 5)
  }

  @Test func `who types while alone is told that it waits, once, and whoever comes gets it`() throws
  {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server)
    let quiet = ["--video", "none", "--audio", "none", "--view", "none"]
    let ann = try programs.join(room, as: "Ann", server, quiet)
    let hint = "nobody is here to read it yet"
    try ann.awaitEvent("room")
    ann.say("anybody?")
    try ann.awaitErrors(hint)
    ann.say("well then")
    let ben = try programs.join(room, as: "Ben", server, quiet)
    try ann.awaitEvent("chat-delivered") { $0["id"] as? String == "2" }
    ann.say("hello Ben")
    try ann.awaitEvent("chat-delivered") { $0["id"] as? String == "3" }
    try ben.awaitEvent("chat") { $0["text"] as? String == "hello Ben" }
    let heard = ben.events("chat").compactMap { $0["text"] as? String }
    #expect(heard == ["anybody?", "well then", "hello Ben"])
    #expect(ann.errors.components(separatedBy: hint).count == 2)
    ben.say("/leave")
    #expect(ben.awaitExit() == 0)
    try ann.awaitEvent("peer-left")
    ann.say("gone already?")
    try ann.awaitEvent("chat-sent") { $0["id"] as? String == "4" }
    ann.say("/leave")
    #expect(ann.awaitExit() == 0)
    #expect(ann.errors.components(separatedBy: hint).count == 3)
  }

  @Test func `three people meet, and one who leaves disturbs nobody`() throws {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server)
    let media = ["--video", "pattern", "--audio", "none"] + small
    let people = try ["Ann", "Ben", "Cy"].map {
      try programs.join(room, as: $0, server, media)
    }
    let names = ["Ann", "Ben", "Cy"]
    for (index, person) in people.enumerated() {
      for name in names where name != names[index] {
        try person.awaitEvent("first-frame") { $0["name"] as? String == name }
      }
    }
    people[2].say("/leave")
    #expect(people[2].awaitExit() == 0)
    for person in people[..<2] {
      try person.awaitEvent("peer-left") { $0["name"] as? String == "Cy" }
    }
    people[0].say("still here?")
    try people[1].awaitEvent("chat") { $0["text"] as? String == "still here?" }
    #expect(people[0].events("peer-left").count == 1)
  }

  @Test func `the call goes on while the server is away, and a new one can join after`() throws {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server)
    let quiet = ["--video", "none", "--audio", "none", "--view", "none"]
    let ann = try programs.join(room, as: "Ann", server, quiet)
    let ben = try programs.join(room, as: "Ben", server, quiet)
    try ann.awaitEvent("link")
    try ben.awaitEvent("link")
    server.program.kill()
    ann.say("without a server")
    try ben.awaitEvent("chat") { $0["text"] as? String == "without a server" }
    let port = try #require(server.address.split(separator: ":").last.map(String.init))
    let again = try programs.startServer(port: port)
    #expect(again.pin == server.pin)
    let cy = try programs.join(room, as: "Cy", again, quiet)
    try cy.awaitEvent("trust") { $0["name"] as? String == "Ann" }
    #expect(ann.events("peer-left").isEmpty)
  }

  @Test func `SIGTERM and kill are told apart by those who stay`() throws {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server)
    let quiet = ["--video", "none", "--audio", "none", "--view", "none"]
    let ann = try programs.join(room, as: "Ann", server, quiet)
    let ben = try programs.join(room, as: "Ben", server, quiet)
    let cy = try programs.join(room, as: "Cy", server, quiet)
    try ann.awaitEvent("link") { $0["name"] as? String == "Ben" }
    try ann.awaitEvent("link") { $0["name"] as? String == "Cy" }
    ben.terminate()
    #expect(ben.awaitExit() == 0)
    let left = try ann.awaitEvent("peer-left") { $0["name"] as? String == "Ben" }
    #expect(left["reason"] as? String == "left")
    cy.kill()
    try ann.awaitEvent("link") { $0["path"] as? String == "reconnecting" }
    let lost = try ann.awaitEvent("peer-left") { $0["name"] as? String == "Cy" }
    #expect(lost["reason"] as? String == "lost")
    ann.say("/leave")
    #expect(ann.awaitExit() == 0)
  }

  @Test func `a known name with another key is quarantined and ends a call of two with 5`() throws {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server)
    let quiet = ["--video", "none", "--audio", "none", "--view", "none"]
    let ann = try programs.join(room, as: "Ann", server, quiet)
    let ben = try programs.run(
      "p2pcall", as: "first",
      ["join", "-", "--name", "Ben", "--events", "json", "--play", "none"] + server.options + quiet)
    ben.say(room)
    try ann.awaitEvent("trust") { $0["state"] as? String == "new" }
    ben.say("/leave")
    #expect(ben.awaitExit() == 0)
    // Only with nobody else there does a changed key end the process.
    try ann.awaitEvent("peer-left")
    let impostor = try programs.run(
      "p2pcall", as: "second",
      ["join", "-", "--name", "BEN", "--events", "json", "--play", "none"] + server.options + quiet)
    impostor.say(room)
    try ann.awaitEvent("trust") { $0["state"] as? String == "changed" }
    #expect(ann.awaitExit() == 5)
    #expect(ann.errors.contains("p2pcall peers trust"))
  }
}
