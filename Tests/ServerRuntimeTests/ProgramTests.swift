import CLinux
import Encryption
import Fixtures
import Rooms
import Runtime
import Testing
import Units
import Wire

/// The built `p2pcall-rendezvous`, from outside.
@Suite struct ProgramTests {
  private let loop: EventLoop
  private let scratch = ScratchDirectory()

  init() throws { loop = try EventLoop() }

  private var state: String { scratch.path("state") }

  private func join(
    _ server: ServerProgram, _ number: UInt8, isOwner: Bool, _ others: [LoopbackClient] = []
  ) throws -> LoopbackClient {
    let client = LoopbackClient(
      loop, server.address, room: 1, isOwner: isOwner, number: number)
    try turn(loop, others + [client]) {
      client.outputs.contains { if case .joined = $0 { true } else { false } }
    }
    return client
  }

  private func registrations(_ client: LoopbackClient) -> Int {
    client.outputs.filter { $0 == .registeredAgain }.count
  }

  @Test func `killed and started again, it has its rooms and members come back`() throws {
    var server = try ServerProgram(state: state)
    let (port, pin) = (server.address.port, server.pin)
    let owner = try join(server, 1, isOwner: true)
    let guest = try join(server, 2, isOwner: false, [owner])
    for round in 1...5 {
      server.process.send(signal: SIGKILL)
      #expect(server.process.wait() == .signal(SIGKILL))
      server = try ServerProgram(state: state, port: port)
      #expect(server.pin == pin)
      // The room was kept: one who was never in it enters before the others are back.
      let newcomer = try join(server, UInt8(10 + round), isOwner: false)
      newcomer.feed(.leave)
      try turn(loop, [owner, guest]) {
        registrations(owner) >= round && registrations(guest) >= round
      }
    }
  }

  @Test(arguments: [(SIGTERM, 0), (SIGHUP, 0), (SIGINT, 130)] as [(Int32, Int32)])
  func `a signal ends it in order`(signal: Int32, code: Int32) throws {
    let server = try ServerProgram(state: state)
    let owner = try join(server, 1, isOwner: true)
    server.process.send(signal: signal)
    try turn(loop, [owner]) { owner.outputs.contains(.lost("the server is going down")) }
    #expect(server.process.wait() == .code(code))
  }

  @Test func `relays that it was given are granted to its members`() throws {
    scratch.put("secret", Array("0123456789abcdef\n".utf8))
    let server = try ServerProgram(
      state: state,
      [
        "--turn", "turns:localhost:443", "--turn", "turn:192.0.2.1?transport=udp",
        "--turn-secret-file", scratch.path("secret"),
      ])
    let owner = try join(server, 1, isOwner: true)
    try turn(loop, [owner]) { !grants(owner).isEmpty }
    let grant = try #require(grants(owner).first)
    #expect(grant.servers.first?.carrier == .tls)
    #expect(grant.servers.first?.host == Array("localhost".utf8))
    #expect(
      grant.servers.last
        == RelayServer(
          .udp, SocketAddress(.v4(192, 0, 2, 1), port: 3_478), host: Array("192.0.2.1".utf8)))
    let parts = grant.credentials.username.split(separator: UInt8(ascii: ":"))
    let expiry = Int64(String(decoding: parts[0], as: UTF8.self)) ?? 0
    #expect(abs(expiry - Clock.wallSeconds - 600) < 60)
    let again = TurnCredentials.minted(
      name: Array(parts[1]), expiry: expiry, secret: Array("0123456789abcdef".utf8),
      ciphers: OpenSSLCipherSuite())
    #expect(grant.credentials == again)
  }

  private func grants(_ client: LoopbackClient) -> [RelayGrant] {
    client.outputs.compactMap { if case .relays(let grant) = $0 { grant } else { nil } }
  }

  @Test func `a secret that is none is refused with what to write`() throws {
    scratch.put("secret", Array("short\n".utf8))
    let ended = try ServerProgram.run([
      "--state", state, "--turn", "turn:192.0.2.1", "--turn-secret-file", scratch.path("secret"),
    ])
    #expect(ended.exit == .code(2))
    #expect(ended.errors.contains("write at least 16 characters there"))
    #expect(ended.errors.split(separator: "\n").count == 1)
  }

  @Test func `a port or a state directory that is taken is said in a sentence`() throws {
    let server = try ServerProgram(state: state)
    let port = try ServerProgram.run(
      ["--listen", "\(server.address)", "--state", scratch.path("other")])
    #expect(port.exit == .code(70))
    #expect(
      port.errors
        == "p2pcall-rendezvous: cannot bind to \(server.address): Address already in use; "
        + "end the other server, or choose an address and port with --listen\n")
    let rooms = try ServerProgram.run(["--listen", "127.0.0.1:0", "--state", state])
    #expect(rooms.exit == .code(70))
    #expect(
      rooms.errors
        == "p2pcall-rendezvous: another server keeps its rooms in \(state)/rooms.sqlite; "
        + "end it or give this one its own --state\n")
  }

  @Test(arguments: [
    ["--bogus"], ["--cert", "/nowhere"], ["--cert", "/nowhere", "--key", "/nowhere"],
    ["--listen", "nonsense nonsense"], ["--state", "/dev/null/below"], ["extra"],
    ["--turn", "turn:192.0.2.1", "--turn-secret-file", "/nowhere"],
  ])
  func `a mistake of the user is one sentence and exit code 2`(arguments: [String]) throws {
    let place = arguments.contains("--state") ? [] : ["--state", state]
    let ended = try ServerProgram.run(place + arguments)
    #expect(ended.exit == .code(2))
    #expect(ended.errors.split(separator: "\n").count == 1)
    #expect(ended.errors.hasPrefix("p2pcall-rendezvous: "))
  }

  @Test func `a damaged key is not replaced silently`() throws {
    _ = try ServerProgram(state: state)
    scratch.put("state/server.pem", Array("garbage".utf8))
    let ended = try ServerProgram.run(["--listen", "127.0.0.1:0", "--state", state])
    #expect(ended.exit == .code(70))
    #expect(
      ended.errors
        == "p2pcall-rendezvous: cannot use \(state)/server.pem: it holds no certificate in PEM "
        + "form; restore it, or remove it to begin with a new pin\n")
  }

  @Test func `out of descriptors it serves its members, waits without spinning, and recovers`()
    throws
  {
    let server = try ServerProgram(state: state)
    let owner = try join(server, 1, isOwner: true)
    #expect(clinux_limit_descriptors(server.process.identifier, 3) == 0)
    // Waits in the kernel's queue, so that accepting is tried and fails.
    let newcomer = LoopbackClient(loop, server.address, room: 1, isOwner: false, number: 2)
    let before = ProcessUsage.tree(from: server.process.identifier).processorTime
    let start = Clock.now
    try turn(loop, [owner, newcomer]) { Clock.now - start > .seconds(1) }
    let spent = ProcessUsage.tree(from: server.process.identifier).processorTime - before
    #expect(spent < (Clock.now - start) * 0.5)
    #expect(!newcomer.outputs.contains { if case .joined = $0 { true } else { false } })
    #expect(!owner.outputs.contains { if case .lost = $0 { true } else { false } })
    #expect(clinux_limit_descriptors(server.process.identifier, 500) == 0)
    try turn(loop, [owner, newcomer]) {
      newcomer.outputs.contains { if case .joined = $0 { true } else { false } }
    }
  }

  @Test func `its files are its owner's only`() throws {
    let before = umask(0)
    defer { umask(before) }
    _ = try ServerProgram(state: state)
    for name in ["state/server.pem", "state/rooms.sqlite", "state/.lock"] {
      #expect(scratch.mode(name) == 0o600, "\(name)")
    }
    #expect(scratch.mode("state") == 0o700)
  }
}
