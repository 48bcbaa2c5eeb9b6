import Foundation
import Testing

/// The owner of a room locks it and removes people.
@Suite(.serialized) struct ModerationTests {
  private let quiet = ["--video", "none", "--audio", "none", "--view", "none"]

  @Test func `S21: a locked room lets in who was there, nobody else, until it is unlocked`() throws
  {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server, as: "Ann")
    let ann = try programs.join(room, as: "Ann", server, quiet)
    let ben = try programs.join(room, as: "Ben", server, quiet)
    for person in [ann, ben] { try person.awaitEvent("link") }
    ann.say("/lock")
    for person in [ann, ben] {
      #expect(try person.awaitEvent("locked")["on"] as? Bool == true)
    }
    let eve = try programs.join(room, as: "Eve", server, quiet)
    #expect(eve.awaitExit() == 4)
    ben.say("/leave")
    #expect(ben.awaitExit() == 0)
    let again = try programs.join(room, as: "Ben", server, quiet)
    try again.awaitEvent("link")
    ann.say("/unlock")
    try ann.awaitEvent("locked") { $0["on"] as? Bool == false }
    try again.awaitEvent("locked") { $0["on"] as? Bool == false }
    let late = try programs.join(room, as: "Eve", server, quiet)
    try late.awaitEvent("link")
    for person in [ann, again, late] { person.say("/leave") }
    for person in [ann, again, late] { #expect(person.awaitExit() == 0) }
  }

  @Test func `S21: who is removed ends with 4, is told why, and does not come back`() throws {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server, as: "Ann")
    let ann = try programs.join(room, as: "Ann", server, quiet)
    let ben = try programs.join(room, as: "Ben", server, quiet)
    let cleo = try programs.join(room, as: "Cleo", server, quiet)
    for person in [ann, ben, cleo] {
      for _ in 0..<200 where person.events("link").count < 2 { usleep(50_000) }
      #expect(Set(person.events("link").compactMap { $0["peer"] as? String }).count == 2)
    }
    ann.say("/kick Ben")
    #expect(ben.awaitExit() == 4)
    #expect(ben.errors.contains("removed you"), "\(ben.errors)")
    for person in [ann, cleo] {
      let left = try person.awaitEvent("peer-left") { $0["name"] as? String == "Ben" }
      #expect((left["reason"] as? String)?.isEmpty == false)
    }
    let again = try programs.join(room, as: "Ben", server, quiet)
    #expect(again.awaitExit() == 4)
    #expect(again.events("link").isEmpty)
    cleo.say("still here")
    #expect(try ann.awaitEvent("chat")["text"] as? String == "still here")
    for person in [ann, cleo] { person.say("/leave") }
    for person in [ann, cleo] { #expect(person.awaitExit() == 0) }
  }

  @Test func `who did not make the room locks nothing and removes nobody, and is told so`() throws {
    let programs = try Programs()
    let server = try programs.startServer()
    let room = try programs.createRoom(server, as: "Ann")
    let ann = try programs.join(room, as: "Ann", server, quiet)
    let ben = try programs.join(room, as: "Ben", server, quiet)
    for person in [ann, ben] { try person.awaitEvent("link") }
    for command in ["/lock", "/kick Ann", "/unlock"] {
      let before = ben.events("error").count
      ben.say(command)
      for _ in 0..<200 where ben.events("error").count == before { usleep(20_000) }
      let error = try #require(ben.events("error").last)
      #expect((error["message"] as? String)?.contains("only who made this room") == true)
    }
    ann.say("/kick Nobody")
    let error = try ann.awaitEvent("error")
    #expect((error["message"] as? String)?.contains("Nobody") == true)
    #expect(ann.events("locked").isEmpty && ben.events("locked").isEmpty)
    for person in [ann, ben] { person.say("/leave") }
    for person in [ann, ben] { #expect(person.awaitExit() == 0) }
  }
}
