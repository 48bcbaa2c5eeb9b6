import Foundation
import Testing

/// The built programs behind real NATs: the kernel's own, in networks of their own.
@Suite(
  .serialized,
  .enabled(
    if: Homes.arePossible, "networks with NATs need root, nftables and iproute2; not tried here"))
struct NatTests {
  private let media = ["--video", "pattern", "--audio", "tone", "--size", "320x240", "--fps", "15"]

  private func meet(
    _ left: Homes.Router, _ right: Homes.Router, relay: String? = nil,
    options: (left: [String], right: [String]) = ([], []), isWatched: Bool = false,
    isSecured: Bool = false,
    _ body: (Homes, [RunningProgram]) throws -> Void
  ) throws {
    let programs = try Programs()
    let homes = try Homes(programs, left: left, right: right)
    let certificates =
      isSecured ? try programs.makeCertificates(for: Homes.server) : nil
    var server = try homes.startServer(
      (relay.map { try homes.startRelay($0, certificates: certificates) } ?? [])
        + (certificates.map { ["--cert", "\($0)/server.pem", "--key", "\($0)/server.key"] } ?? []))
    server.authority = certificates.map { "\($0)/ca.pem" }
    let room = try homes.createRoom(server)
    if isWatched { for place in [Homes.Place.left, .right] { try homes.watch(place) } }
    let ann = try homes.join(room, as: "Ann", in: .left, server, media + options.left)
    try ann.awaitEvent("room")
    let ben = try homes.join(room, as: "Ben", in: .right, server, media + options.right)
    for person in [ann, ben] { try person.awaitEvent("first-frame") }
    try body(homes, [ann, ben])
    for person in [ann, ben] {
      person.say("/leave")
      #expect(person.awaitExit() == 0)
    }
  }

  private func path(of person: RunningProgram) -> String? {
    person.events("link").last?["path"] as? String
  }

  @Test(arguments: [
    (Homes.Router.portRestricted, Homes.Router.portRestricted), (.portRestricted, .open),
    (.symmetric, .open), (.open, .portRestricted),
  ])
  func `homes that any datagrams can join are joined directly`(
    left: Homes.Router, right: Homes.Router
  ) throws {
    try meet(left, right) { _, people in
      for person in people {
        try person.awaitEvent("link") { $0["path"] as? String == "udp-direct" }
        #expect(path(of: person) == "udp-direct")
      }
    }
  }

  @Test func `where UDP does not pass the call goes over TCP`() throws {
    try meet(.noUDP, .open) { _, people in
      for person in people { #expect(path(of: person) == "tcp-direct") }
    }
  }

  @Test(
    .enabled(
      if: Homes.turnserver != nil,
      "coturn's turnserver is absent: calls between homes that need a relay were not tried"),
    arguments: [
      (Homes.Router.symmetric, Homes.Router.portRestricted, ["udp-relay", "udp-relay"]),
      (.symmetric, .symmetric, ["udp-relay", "udp-relay"]),
      // Whoever's relay it is speaks with it over TCP; the other sends datagrams there.
      (.noUDP, .portRestricted, ["tcp-relay", "udp-relay"]),
    ])
  func `homes that nothing joins directly are joined over a relay`(
    left: Homes.Router, right: Homes.Router, paths: [String]
  ) throws {
    try meet(left, right, relay: Homes.turnserver) { _, people in
      for (person, expected) in zip(people, paths) {
        #expect(path(of: person) == expected)
        try expectPictures(to: person)
      }
    }
  }

  @Test(
    .enabled(
      if: Homes.turnserver != nil,
      "coturn's turnserver is absent: a call over a relay's TLS was not tried"))
  func `where nothing passes but what looks like the web the call goes over a relay's TLS`() throws
  {
    try meet(.onlyWeb, .portRestricted, relay: Homes.turnserver, isSecured: true) { _, people in
      for (person, expected) in zip(people, ["tcp-relay", "udp-relay"]) {
        #expect(path(of: person) == expected)
        try expectPictures(to: person)
        #expect(person.events("error").isEmpty)
      }
    }
  }

  /// In the third second from now.
  private func expectPictures(to person: RunningProgram) throws {
    let known = person.events("stats").count
    try person.awaitEvent("stats") { _ in person.events("stats").count > known + 2 }
    let received = person.events("stats").last?["recv"] as? [String: Any]
    #expect(received?["fps"] as? Double ?? 0 >= 7)
  }

  @Test(
    .enabled(
      if: Homes.turnserver != nil,
      "coturn's turnserver is absent: that --relay-only shows no address was not tried"),
    arguments: [(true, true), (true, false), (false, false)])
  func `S17: with --relay-only no packet goes to the other's addresses or comes from there`(
    left: Bool, right: Bool
  ) throws {
    let options = [left, right].map { $0 ? ["--relay-only"] : [] }
    try meet(
      .portRestricted, .portRestricted, relay: Homes.turnserver, options: (options[0], options[1]),
      isWatched: true
    ) { homes, people in
      for person in people { try expectPictures(to: person) }
      let seen = [try homes.seen(by: .left), try homes.seen(by: .right)]
      if left || right {
        // The server's, which is the relay's as well. One who hides is enough for both.
        #expect(seen == [[Homes.server], [Homes.server]])
        for person in people { #expect(path(of: person) == "udp-relay") }
      } else {
        #expect(seen[0].contains("203.0.113.12"))
        #expect(seen[1].contains("203.0.113.11"))
      }
    }
  }

  @Test(
    .enabled(
      if: Homes.turnserver != nil,
      "coturn's turnserver is absent: that a relay stays unused was not tried"))
  func `homes that can be joined directly are, though there is a relay`() throws {
    try meet(.portRestricted, .portRestricted, relay: Homes.turnserver) { _, people in
      for person in people {
        try person.awaitEvent("link") { $0["path"] as? String == "udp-direct" }
        #expect(path(of: person) == "udp-direct")
      }
    }
  }

  @Test func `homes that nothing joins are told what was tried, without addresses in the sentence`()
    throws
  {
    let programs = try Programs()
    let homes = try Homes(programs, left: .symmetric, right: .symmetric)
    let server = try homes.startServer()
    let room = try homes.createRoom(server)
    let people = try [("Ann", Homes.Place.left), ("Ben", .right)].map { name, place in
      try homes.join(room, as: name, in: place, server, media)
    }
    for person in people {
      #expect(person.awaitExit() == 6)
      let told = try #require(person.events("no-path").first)
      #expect(told["described"] as? Bool == true)
      #expect(told["udp_answered"] as? String == "yes")
      let ways = told["tried"] as? [[String: Any]] ?? []
      for carrier in ["udp", "tcp"] {
        let ends = ways.filter { $0["carrier"] as? String == carrier }
          .map { $0["result"] as? String }
        #expect(!ends.isEmpty)
        #expect(ends.allSatisfy { $0 == "unanswered" || $0 == "unreachable" }, "\(ends)")
      }
      #expect(person.errors.contains("No relay was tried: the server offers none"))
      for address in ["203.0.113", "10.1.0", "10.2.0"] {
        #expect(!person.errors.contains(address), "\(person.errors)")
      }
    }
  }

  @Test func `a computer that gets another address in mid-call is seen again`() throws {
    try meet(.portRestricted, .open) { homes, people in
      try people[1].awaitEvent("stats")
      try homes.script(
        """
        n $A ip addr del 10.1.0.2/24 dev eth0
        n $A ip addr add 10.1.0.77/24 dev eth0
        n $A ip route add default via 10.1.0.1
        """)
      people[0].say("still here?")
      try people[1].awaitEvent("chat")
      let known = people.map { $0.events("stats").count }
      for (person, count) in zip(people, known) {
        let end = Date().addingTimeInterval(60)
        func frames() -> Bool {
          person.events("stats").dropFirst(count).contains {
            ($0["recv"] as? [String: Any])?["fps"] as? Double ?? 0 >= 7
          }
        }
        while !frames(), Date() < end { Thread.sleep(forTimeInterval: 0.1) }
        #expect(frames(), "no pictures after the change")
        #expect(person.events("peer-left").isEmpty)
      }
    }
  }
}
