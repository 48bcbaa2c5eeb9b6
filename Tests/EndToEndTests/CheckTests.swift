import Foundation
import Testing

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
  .enabled(
    if: Homes.arePossible, "networks with NATs need root, nftables and iproute2; not tried here"))
struct CheckedHomesTests {
  /// `named`: for whom the relay's certificate is made; without one it speaks no TLS. `isVouched`: its CA
  /// is where the system looks.
  private func check(
    _ router: Homes.Router, _ more: [String] = [], secret: String? = nil, relay: Bool = false,
    named: String? = nil, isVouched: Bool = true, server address: String? = nil,
    _ prepare: (Homes) throws -> Void = { _ in }
  ) throws -> Told {
    let programs = try Programs()
    let homes = try Homes(programs, left: router, right: .open)
    let certificates = try named.map { try programs.makeCertificates(for: $0) }
    var options: [String] = []
    if relay, let turnserver = Homes.turnserver {
      options = try homes.startRelay(
        turnserver, secretOfServer: secret ?? "a secret of both servers",
        certificates: certificates)
    }
    let server = try homes.startServer(options)
    try prepare(homes)
    let place = address.map { ["--server", $0] } ?? server.options
    let anchors = isVouched ? certificates.map { ["SSL_CERT_FILE=\($0)/ca.pem"] } ?? [] : []
    return Told(
      try homes.run(
        "p2pcall", as: "Ann", in: .left, ["check", "--events", "json"] + place + more,
        environment: anchors))
  }

  @Test(
    .enabled(
      if: Homes.turnserver != nil,
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
      if: Homes.turnserver != nil,
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
      if: Homes.turnserver != nil,
      "coturn's turnserver is absent: a check of a relay over TLS was not tried"))
  func `where nothing passes but what looks like the web the path is a relay's, over TLS`() throws {
    let told = try check(.onlyWeb, relay: true, named: Homes.server)
    #expect(told.exitCode == 0, "\(told.output)")
    #expect(told.all("relay").map { $0["carrier"] as? String } == ["udp", "tcp", "tls"])
    #expect(told.all("relay").map { $0["verdict"] as? String } == ["failed", "failed", "ok"])
    #expect(told.detail("path", "path") == "relay")
    #expect(told.endedAfter < 10)
  }

  @Test(
    .enabled(
      if: Homes.turnserver != nil,
      "coturn's turnserver is absent: relays with wrong certificates were not tried"),
    arguments: [
      ("relay.example.org", true, "mismatch", "must agree"),
      (Homes.server, false, "issuer", "--ca"),
    ])
  func `a relay whose certificate is not good is told with what is wrong`(
    name: String, isVouched: Bool, words: String, remedy: String
  ) throws {
    let told = try check(.portRestricted, relay: true, named: name, isVouched: isVouched)
    let last = told.all("relay").last
    #expect(last?["carrier"] as? String == "tls")
    #expect(last?["verdict"] as? String == "failed", "\(told.output)")
    #expect((last?["message"] as? String)?.contains(words) == true, "\(told.output)")
    #expect((last?["remedy"] as? String)?.contains(remedy) == true)
    #expect(told.exitCode == 0)
  }

  @Test(
    .enabled(
      if: Homes.turnserver != nil,
      "coturn's turnserver is absent: checks with options of join were tried without a relay only"),
    arguments: [
      (["--relay-only"], Homes.Router.portRestricted, 0, "relay"),
      (["--no-relay"], .symmetric, 1, "direct-to-some"),
      (["--transport", "tcp"], .symmetric, 0, "relay"),
      (["--transport", "udp"], .noUDP, 1, "none"),
      (["--interface", "eth0"], .portRestricted, 0, "direct-to-most"),
      // The server is asked over all interfaces, relays over this one, by which nothing is reached.
      (["--interface", "lo"], .portRestricted, 1, "direct-to-some"),
    ] as [([String], Homes.Router, Int32, String)])
  func `a check with join's options is about the call that has them`(
    options: [String], router: Homes.Router, exitCode: Int32, path: String
  ) throws {
    let told = try check(router, options, relay: true)
    #expect(told.exitCode == exitCode, "\(told.output)")
    #expect(told.detail("path", "path") == path, "\(told.output)")
    #expect(told.verdict("server") == "ok")
    if options == ["--no-relay"] { #expect(told.verdict("relay") == "unknown") }
  }

  @Test func `--relay-only without a relay, and an interface that is none, are told`() throws {
    let told = try check(.portRestricted, ["--relay-only"])
    #expect(told.exitCode == 1)
    #expect(told.verdict("relay") == "failed")
    #expect(told.detail("path", "path") == "none")
    #expect(try check(.portRestricted, ["--interface", "nothing0"]).exitCode == 2)
  }

  @Test func `a server with an address that swallows everything is met at the other`() throws {
    let programs = try Programs()
    let homes = try Homes(programs, left: .portRestricted, right: .open)
    let server = try homes.startServer()
    let names = try programs.names(of: ["198.51.100.9", Homes.server])
    let told = Told(
      try homes.run(
        "p2pcall", as: "Ann", in: .left,
        [
          "check", "--events", "json", "--server", "call.example.org:7443", "--server-pin",
          server.pin,
        ], environment: ["LD_PRELOAD=\(names)"]))
    #expect(told.exitCode == 0, "\(told.output)")
    #expect(told.verdict("server") == "ok", "\(told.output)")
  }

  @Test func `a port that is closed for UDP is told from one that is silent`() throws {
    let rules = { (verdict: String) in
      """
      n $PUB nft -f - <<RULES
      table ip shut {
        chain coming { type filter hook input priority 0; udp dport 7443 \(verdict); }
      }
      RULES
      """
    }
    let closed = try check(.portRestricted) { _ = try $0.script(rules("reject")) }
    let silent = try check(.portRestricted) { _ = try $0.script(rules("drop")) }
    for told in [closed, silent] {
      #expect(told.verdict("server") == "ok")
      #expect(told.verdict("udp") == "failed")
    }
    #expect(closed.detail("udp", "message")?.contains("closed") == true, "\(closed.output)")
    #expect(silent.detail("udp", "message")?.contains("closed") == false, "\(silent.output)")
  }

  @Test(
    .enabled(
      if: Homes.turnserver != nil,
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
