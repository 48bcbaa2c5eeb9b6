import Foundation
import Testing

private let isPossible =
  geteuid() == 0
  && ["/usr/bin/unshare", "/usr/bin/nsenter", "/usr/sbin/nft", "/usr/sbin/ip"].allSatisfy {
    (program: String) in access(program, X_OK) == 0
  }

/// coturn's server; `nil` where it is not installed.
private let turnserver = ["/usr/bin", "/usr/sbin", "/usr/local/bin"]
  .map { "\($0)/turnserver" }.first { (program: String) in access(program, X_OK) == 0 }

/// What a check has told.
private struct Told {
  let exitCode: Int32
  let events: [[String: Any]]
  let output: String

  init(_ program: RunningProgram) {
    exitCode = program.awaitExit()
    events = program.events("check")
    output = program.lines.joined(separator: "\n") + program.errors
  }

  func all(_ item: String) -> [[String: Any]] { events.filter { $0["item"] as? String == item } }
  func verdict(_ item: String) -> String? { all(item).first?["verdict"] as? String }
  func detail(_ item: String, _ name: String) -> String? { all(item).first?[name] as? String }
  func remedy(_ item: String) -> String { detail(item, "remedy") ?? "" }
  /// Seconds since the program's start.
  var endedAfter: Double { events.last?["t"] as? Double ?? .infinity }
}

/// `p2pcall check` on this computer alone.
@Suite(.serialized)
struct CheckTests {
  private let programs: Programs
  init() throws { programs = try Programs() }

  private func check(_ options: [String]) throws -> Told {
    Told(try programs.run("p2pcall", as: "Ann", ["check", "--events", "json"] + options))
  }

  @Test func `beside a server of one's own a call on this computer can be expected`() throws {
    let server = try programs.startServer()
    let told = try check(server.options)
    #expect(told.exitCode == 0)
    #expect(told.verdict("server") == "ok")
    #expect(told.verdict("certificate") == "ok")
    #expect(told.verdict("udp") == "ok")
    #expect(told.detail("path", "path") == "this-computer")
    #expect(told.events.last?["item"] as? String == "path")
    // Devices that are not there are told, and none is missing.
    for item in ["camera", "microphone", "speaker"] { #expect(told.all(item).count == 1) }
  }

  @Test func `a server that has stopped is told, with what to do`() throws {
    let server = try programs.startServer()
    server.program.terminate()
    #expect(server.program.awaitExit() == 0)
    let told = try check(server.options)
    #expect(told.exitCode == 1)
    #expect(told.verdict("server") == "failed")
    #expect(told.remedy("server").contains("p2pcall-rendezvous"))
    #expect(told.detail("path", "path") == "none")
    #expect(told.all("certificate").isEmpty)
  }

  @Test func `a server with another key is not let pass`() throws {
    let server = try programs.startServer()
    let pin = "sha256:" + String(repeating: "A", count: 43)
    let told = try check(["--server", server.address, "--server-pin", pin])
    #expect(told.exitCode == 1)
    #expect(told.verdict("certificate") == "failed")
    #expect(told.remedy("certificate").contains("whoever runs the server"))
    #expect(told.detail("certificate", "pin") == server.pin)
    #expect(told.detail("path", "path") == "none")
  }

  @Test func `a new server is told as one, and neither asked about nor remembered`() throws {
    let server = try programs.startServer()
    for _ in 0..<2 {
      let told = try check(["--server", server.address])
      #expect(told.exitCode == 0)
      #expect(told.verdict("certificate") == "warning")
      #expect(told.remedy("certificate").contains(server.pin))
    }
  }

  @Test func `a name that stands for nothing is a finding`() throws {
    let told = try check(["--server", "nowhere.invalid"])
    #expect(told.exitCode == 1)
    #expect(told.verdict("server") == "failed")
    #expect(told.detail("path", "path") == "none")
  }

  @Test func `a server that says nothing, and a name that nobody knows, end within ten seconds`()
    throws
  {
    let silent = try SilentServer()
    let muteServer = try check(["--server", "127.0.0.1:\(silent.port)"])
    let names = try programs.silentNames()
    let muteName = Told(
      try programs.run(
        "p2pcall", as: "Ann",
        ["check", "--events", "json", "--server", "example.invalid"], preloading: names))
    for told in [muteServer, muteName] {
      #expect(told.exitCode == 1)
      #expect(told.verdict("server") == "failed")
      #expect(told.endedAfter < 10)
    }
  }

  @Test func `Ctrl-C ends a check`() throws {
    let silent = try SilentServer()
    let program = try programs.run(
      "p2pcall", as: "Ann", ["check", "--server", "127.0.0.1:\(silent.port)"])
    try silent.awaitConnection()
    program.interrupt()
    #expect(program.awaitExit() == 130)
  }

  @Test func `without --events people get lines on standard output`() throws {
    let program = try programs.run("p2pcall", as: "Ann", ["check", "--server", "127.0.0.1:1"])
    #expect(program.awaitExit() == 1)
    #expect(program.lines.contains { $0.hasPrefix("failed  server ") })
    #expect(program.lines.contains { $0.hasPrefix("failed  path ") })
  }
}

/// `p2pcall check` in homes behind real NATs, with a real relay.
@Suite(
  .serialized,
  .enabled(if: isPossible, "networks with NATs need root, nftables and iproute2; not tried here"))
struct CheckedHomesTests {
  private func check(
    _ router: Homes.Router, secret: String? = nil, relay: Bool = false,
    server address: String? = nil
  ) throws -> Told {
    let programs = try Programs()
    let homes = try Homes(programs, left: router, right: .open)
    var options: [String] = []
    if relay, let turnserver {
      options = try homes.startRelay(
        turnserver, secretOfServer: secret ?? "a secret of both servers")
    }
    let server = try homes.startServer(options)
    let place = address.map { ["--server", $0] } ?? server.options
    return Told(
      try homes.run("p2pcall", as: "Ann", in: .left, ["check", "--events", "json"] + place))
  }

  @Test(
    .enabled(
      if: turnserver != nil,
      "coturn's turnserver is absent: what a check tells of relays was not tried"),
    arguments: [
      // The relay has the server's address, to which we have sent: strangers are not tried.
      (Homes.Router.open, "none", "not-by-port", "direct-to-most"),
      (.portRestricted, "port-independent", "unasked", "direct-to-most"),
      (.symmetric, "dependent", "unasked", "relay"),
    ])
  func `with a relay the router's ways are known, and the path`(
    router: Homes.Router, mapping: String, filtering: String, path: String
  ) throws {
    let told = try check(router, relay: true)
    #expect(told.exitCode == 0)
    #expect(told.detail("nat", "mapping") == mapping)
    #expect(told.detail("nat", "filtering") == filtering)
    #expect(told.all("relay").map { $0["carrier"] as? String } == ["udp", "tcp"])
    #expect(told.all("relay").map { $0["verdict"] as? String } == ["ok", "ok"])
    #expect(told.detail("relay", "message")?.contains("carries") == true)
    #expect(told.verdict("clock") == "ok")
    #expect(told.detail("path", "path") == path)
    #expect(!told.output.contains("a secret of both servers"))
  }

  @Test(
    .enabled(
      if: turnserver != nil,
      "coturn's turnserver is absent: a check where UDP is blocked was tried without a relay only"))
  func `where UDP is blocked the path is a relay's, over TCP`() throws {
    let told = try check(.noUDP, relay: true)
    #expect(told.exitCode == 0)
    #expect(told.verdict("udp") == "failed")
    #expect(told.all("relay").map { $0["verdict"] as? String } == ["failed", "ok"])
    #expect(told.detail("path", "path") == "relay")
    #expect(told.endedAfter < 10)
  }

  @Test(
    .enabled(
      if: turnserver != nil,
      "coturn's turnserver is absent: a relay with another secret was not tried"))
  func `a relay that shares no secret with the server is told to whoever runs them`() throws {
    let told = try check(.symmetric, secret: "a secret that the relay does not know", relay: true)
    #expect(told.exitCode == 1)
    #expect(told.all("relay").map { $0["verdict"] as? String } == ["failed", "failed"])
    #expect(told.remedy("relay").contains("static-auth-secret"))
    #expect(told.detail("path", "path") == "direct-to-some")
  }

  @Test(arguments: [
    (Homes.Router.portRestricted, 0, "direct-to-most"), (.symmetric, 1, "direct-to-some"),
    (.noUDP, 1, "direct-to-some"),
  ])
  func `without a relay the path is what one server can tell`(
    router: Homes.Router, exitCode: Int32, path: String
  ) throws {
    let told = try check(router)
    #expect(told.exitCode == exitCode)
    #expect(told.detail("path", "path") == path)
    #expect(told.verdict("udp") == (router == .noUDP ? "failed" : "ok"))
    #expect(told.verdict("relay") == "unknown")
  }

  @Test func `where nothing answers at all the check ends within ten seconds`() throws {
    let told = try check(.portRestricted, server: "198.51.100.9:7443")
    #expect(told.exitCode == 1)
    #expect(told.verdict("server") == "failed")
    #expect(told.endedAfter < 10)
  }
}
