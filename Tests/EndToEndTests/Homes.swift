import Foundation

/// Two computers behind routers of their own, and between them a public network with the server. Each is a process
/// with a network of its own that has no name in the system: it goes when that process does.
final class Homes {
  /// What a router does to its home, as tools/networks knows and explains it.
  enum Router: String {
    case open
    case portRestricted = "nat"
    case symmetric
    case noUDP = "no-udp"
    case onlyWeb = "only-web"
  }
  enum Place: Int, CaseIterable {
    case publicNetwork, leftRouter, rightRouter, left, right
  }

  static let server = "203.0.113.1"
  static let arePossible =
    geteuid() == 0
    && ["/usr/bin/unshare", "/usr/bin/nsenter", "/usr/sbin/nft", "/usr/sbin/ip"].allSatisfy {
      (program: String) in access(program, X_OK) == 0
    }
  /// coturn's server; `nil` where it is not installed.
  static let turnserver = ["/usr/bin", "/usr/sbin", "/usr/local/bin"]
    .map { "\($0)/turnserver" }.first { (program: String) in access(program, X_OK) == 0 }
  private let programs: Programs
  private let holders: [RunningProgram]

  init(_ programs: Programs, left: Router, right: Router) throws {
    self.programs = programs
    holders = try Place.allCases.map { _ in
      try programs.run(at: "/usr/bin/unshare", ["--net", "sleep", "600"])
    }
    for holder in holders { try Self.awaitNetwork(of: holder) }
    try script("'\(Programs.tool("networks"))' \(left.rawValue) \(right.rawValue)")
  }

  /// A program of ours in one of the networks.
  func run(
    _ program: String, as person: String, in place: Place, _ arguments: [String],
    environment: [String] = []
  ) throws -> RunningProgram {
    try programs.run(
      at: "/usr/bin/nsenter", as: person,
      [network(place), "--", "/usr/bin/env"] + environment + [programs.binary(program)] + arguments)
  }

  /// `more`: options of its own.
  func startServer(_ more: [String] = []) throws -> Programs.Server {
    let program = try run(
      "p2pcall-rendezvous", as: "server", in: .publicNetwork,
      ["--listen", "\(Self.server):7443", "--events", "json"] + more)
    let event = try program.awaitEvent("listening")
    guard let address = event["address"] as? String, let pin = event["pin"] as? String else {
      throw Missing("address and pin in the listening event")
    }
    return Programs.Server(program: program, address: address, pin: pin)
  }

  /// coturn beside the server, without the deny list that is shipped, on which the addresses here are. Returns
  /// the options by which the server grants it. `secret` is the server's; the relay has its own. With a
  /// folder of certificates it takes TLS on port 443 as well.
  func startRelay(
    _ path: String, secretOfServer secret: String = "a secret of both servers",
    certificates: String? = nil
  ) throws -> [String] {
    let file = programs.path("turn-secret")
    let isWritten = FileManager.default.createFile(
      atPath: file, contents: Data("\(secret)\n".utf8), attributes: [.posixPermissions: 0o600])
    guard isWritten else { throw Missing("file for the relay's secret") }
    _ = try programs.run(
      at: "/usr/bin/nsenter", as: "relay",
      [
        network(.publicNetwork), "--", path, "-n", "--listening-ip", Self.server, "--relay-ip",
        Self.server, "--no-dtls", "--realm", "example.org", "--use-auth-secret",
        "--static-auth-secret", "a secret of both servers", "--no-cli", "--relay-threads", "1",
        "--pidfile", programs.path("relay.pid"), "--userdb", programs.path("relay.users"),
        "--log-file", programs.path("relay.log"), "--simple-log",
      ]
        + (certificates.map {
          [
            "--tls-listening-port", "443", "--cert", "\($0)/server.pem", "--pkey",
            "\($0)/server.key",
          ]
        } ?? ["--no-tls"]))
    let port = certificates == nil ? 3_478 : 443
    try script(
      "for i in $(seq 200); do n $PUB ss -lntH 'sport = :\(port)' | grep -q . && exit; sleep 0.05; done; exit 1"
    )
    return ["--turn", "turn:\(Self.server)", "--turn-secret-file", file]
      + (certificates == nil ? [] : ["--turn", "turns:\(Self.server):443"])
  }

  func createRoom(_ server: Programs.Server) throws -> String {
    let program = try run(
      "p2pcall", as: "owner", in: .publicNetwork, ["room", "create"] + server.options)
    guard program.awaitExit() == 0, let room = program.lines.first else {
      throw Missing("a room: \(program.errors)")
    }
    return room
  }

  func join(
    _ room: String, as person: String, in place: Place, _ server: Programs.Server,
    _ more: [String] = []
  ) throws -> RunningProgram {
    let program = try run(
      "p2pcall", as: person, in: place,
      ["join", "-", "--name", person, "--events", "json", "--play", "none", "--view", "none"]
        + server.options + more)
    program.say(room)
    return program
  }

  /// Makes the kernel of one of the computers note every address that packets leave it for and come
  /// to it from, before anything else sees them.
  func watch(_ place: Place) throws {
    try script(
      """
      n $\(Self.names[place.rawValue]) nft -f - <<RULES
      table inet seen {
        set four { type ipv4_addr; flags dynamic; size 4096; }
        set six { type ipv6_addr; flags dynamic; size 4096; }
        chain leaving {
          type filter hook output priority 300;
          oifname != lo add @four { ip daddr }
          oifname != lo add @six { ip6 daddr }
        }
        chain coming {
          type filter hook prerouting priority -300;
          iifname != lo add @four { ip saddr }
          iifname != lo add @six { ip6 saddr }
        }
      }
      RULES
      """)
  }

  /// Those that were noted, but for what the kernel itself says to its neighbours (RFC 4861).
  func seen(by place: Place) throws -> [String] {
    let name = Self.names[place.rawValue]
    let text = try script("n $\(name) nft list ruleset")
    return text.components(separatedBy: "elements = {").dropFirst().flatMap { list in
      list.prefix { $0 != "}" }.split(separator: ",").map {
        $0.trimmingCharacters(in: .whitespacesAndNewlines)
      }
    }.filter { !$0.hasPrefix("fe80:") && !$0.hasPrefix("ff02:") && $0 != "::" }.sorted()
  }

  private static let names = ["PUB", "RA", "RB", "A", "B"]

  /// Commands of a shell, in which `n PLACE` runs a command in the network of PUB, RA, RB, A or B.
  @discardableResult
  func script(_ commands: String) throws -> String {
    let numbers = zip(Self.names, holders).map { "export \($0)=\($1.identifier)" }
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/bash")
    shell.arguments = [
      "-euc",
      numbers.joined(separator: "\n")
        + "\nn() { local p=$1; shift; nsenter --net=/proc/$p/ns/net -- \"$@\"; }\n" + commands,
    ]
    let (output, errors) = (Pipe(), Pipe())
    shell.standardOutput = output
    shell.standardError = errors
    try shell.run()
    // Errors are few enough to wait in their pipe meanwhile.
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let said = errors.fileHandleForReading.readDataToEndOfFile()
    shell.waitUntilExit()
    guard shell.terminationStatus == 0 else {
      throw Missing("network: \(String(decoding: said, as: UTF8.self))")
    }
    return String(decoding: text, as: UTF8.self)
  }

  private func network(_ place: Place) -> String {
    "--net=/proc/\(holders[place.rawValue].identifier)/ns/net"
  }

  /// Until then the process is still in the network of whoever started it.
  private static func awaitNetwork(of holder: RunningProgram) throws {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
    let end = Date().addingTimeInterval(20)
    while Date() < end {
      let path = "/proc/\(holder.identifier)/ns/net"
      if let network = try? FileManager.default.destinationOfSymbolicLink(atPath: path),
        network != own
      {
        return
      }
      Thread.sleep(forTimeInterval: 0.01)
    }
    throw Missing("network of its own: \(holder.errors)")
  }
}
