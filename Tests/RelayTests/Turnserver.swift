import CLinux
import Ciphers
import Encryption
import Fixtures
import Rooms
import Runtime
import Testing
import Units
import Wire

/// coturn's server on loopback, with a state of its own; killed when it goes.
final class Turnserver {
  /// UDP and TCP.
  let address: SocketAddress
  /// TLS, where it has a certificate.
  let securedAddress: SocketAddress
  private let process: ChildProcess
  private let folder = ScratchDirectory()
  private static let secret = Array("shared by both servers".utf8)

  /// Where it is; `nil` where it is not installed.
  static let path: String? = ["/usr/bin", "/usr/sbin", "/usr/local/bin"]
    .map { "\($0)/turnserver" }.first { access($0, X_OK) == 0 }

  /// With a certificate, in PEM, it speaks TLS too.
  init(
    _ options: [String] = [], relayIP: String = "127.0.0.1",
    certificate: (certificate: [UInt8], key: [UInt8])? = nil
  ) throws {
    address = try Self.freeAddress()
    securedAddress = try Self.freeAddress()
    var secured = ["--no-tls"]
    if let certificate {
      secured = [
        "--tls-listening-port", "\(securedAddress.port)",
        "--cert", folder.file("cert", certificate.certificate),
        "--pkey", folder.file("pkey", certificate.key),
      ]
    }
    process = try ChildProcess(
      try #require(Self.path),
      [
        "-n", "--listening-ip", "127.0.0.1", "--relay-ip", relayIP,
        "--listening-port", "\(address.port)", "--no-dtls",
        "--realm", "example.org", "--use-auth-secret",
        "--static-auth-secret", String(decoding: Self.secret, as: UTF8.self),
        "--allow-loopback-peers", "--no-cli", "--relay-threads", "1",
        "--pidfile", folder.path("pid"), "--userdb", folder.path("users"),
        "--log-file", folder.path("log"), "--simple-log",
      ] + secured + options,
      output: .nothing, errors: .nothing)
    try awaitListening(at: address)
    if certificate != nil { try awaitListening(at: securedAddress) }
  }

  /// With the configuration that we ship, but for what every installation sets itself, on loopback, where
  /// IPv6 peers can be reached too.
  init(shipped text: String) throws {
    address = try Self.freeAddress()
    securedAddress = address
    let own = [
      "static-auth-secret", "realm", "cert", "pkey", "listening-port", "tls-listening-port",
    ]
    let kept = text.split(separator: "\n").filter { line in
      !own.contains { line.hasPrefix($0 + "=") }
    }
    let added = [
      "static-auth-secret=\(String(decoding: Self.secret, as: UTF8.self))", "realm=example.org",
      "listening-port=\(address.port)", "listening-ip=127.0.0.1", "relay-ip=127.0.0.1",
      "relay-ip=::1", "no-tls", "relay-threads=1", "pidfile=\(folder.path("pid"))",
      "userdb=\(folder.path("users"))", "log-file=\(folder.path("log"))", "simple-log",
    ]
    let lines = (kept.map(String.init) + added).map { $0 + "\n" }.joined()
    folder.put("turnserver.conf", Array(lines.utf8))
    process = try ChildProcess(
      try #require(Self.path), ["-c", folder.path("turnserver.conf")], output: .nothing,
      errors: .nothing)
    try awaitListening(at: address)
  }

  /// What it lets in for a minute.
  func credentials(
    _ name: String, secondsLeft: Int64 = 60, secret: [UInt8] = secret
  ) -> TurnCredentials {
    .minted(
      name: Array(name.utf8), expiry: Clock.wallSeconds + secondsLeft, secret: secret,
      ciphers: OpenSSLCipherSuite())
  }

  /// A port that was free a moment ago.
  private static func freeAddress() throws -> SocketAddress {
    try UDPSocket(boundTo: SocketAddress(.loopbackV4, port: 0)).localAddress
  }

  /// Until it takes connections, at most 20 s.
  private func awaitListening(at address: SocketAddress) throws {
    let end = Clock.now + .seconds(20)
    let loop = try EventLoop()
    var isThere = false
    while !isThere {
      try #require(Clock.now < end, "turnserver does not listen")
      try #require(process.poll() == nil, "turnserver has ended")
      let stream = try TCPStream(connectingTo: address)
      var isTried = false
      let token = try loop.watch(stream.fileDescriptor, for: .writable) { _ in
        isTried = true
        isThere = stream.finishConnecting() == nil
      }
      while !isTried, Clock.now < end { loop.turn(until: Clock.now + .milliseconds(20)) }
      loop.unwatch(token)
      if !isThere { loop.turn(until: Clock.now + .milliseconds(20)) }
    }
  }
}
