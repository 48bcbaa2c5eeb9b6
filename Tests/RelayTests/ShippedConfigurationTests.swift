import Foundation
import Runtime
import Testing
import Units
import Wire

/// packaging/coturn, as it is given to people (THREATS S16).
@Suite(.serialized) struct ShippedConfigurationTests {
  private let text: String

  init() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../packaging/coturn/turnserver.conf").standardizedFileURL
    text = try String(contentsOf: file, encoding: .utf8)
  }

  private static let special = [
    "0.1.2.3", "10.0.0.1", "10.255.255.254", "100.64.0.1", "100.127.255.254", "127.0.0.1",
    "127.0.0.2", "127.255.255.254", "169.254.0.1", "169.254.169.254", "172.16.0.1",
    "172.31.255.254", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.0.1",
    "192.168.255.254", "198.18.0.1", "198.19.255.254", "198.51.100.1", "203.0.113.254",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::1", "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:20::1", "2001:db8::1",
    "2002:7f00:1::1", "fc00::1", "fd12:3456::1", "fe80::1", "febf::1", "fec0::1", "ff02::1",
    "ff0e::1",
  ]

  private func address(_ literal: some StringProtocol) throws -> IPAddress {
    try #require(try lookUp(String(literal), port: 9).get().first).ip
  }

  @Test(
    .enabled(
      if: Turnserver.path != nil,
      "coturn's turnserver is absent: the shipped configuration was not tried"))
  func `a relay with it reaches no loopback, link-local, private or special address`() throws {
    let loop = try EventLoop()
    let server = try Turnserver(shipped: text)
    for family in [StunFamily.v4, .v6] {
      let peers = try Self.special.map(address).filter { $0.isV4 == (family == .v4) }
      let client = try RelayClient(
        loop, .udp, server, server.credentials("one"), family: family)
      try turn(loop, [client]) { client.relayed != nil || client.failure != nil }
      #expect(client.failure == nil)
      for peer in peers {
        client.send([20], to: SocketAddress(peer, port: 9))
        try turn(loop, [client]) { client.refused.last?.ip == peer }
      }
      #expect(client.refused.map(\.ip) == peers)
      #expect(client.refused.allSatisfy { $0.code == 403 })
    }
  }

  /// 4 or 16, as the system reads it: IPv4-mapped ones stay as they are.
  private func bytes(_ literal: some StringProtocol) throws -> [UInt8] {
    let text = String(literal)
    var bytes = [UInt8](repeating: 0, count: text.contains(":") ? 16 : 4)
    let family = bytes.count == 4 ? AF_INET : AF_INET6
    try #require(inet_pton(family, text, &bytes) == 1, "\(text)")
    return bytes
  }

  @Test func `it denies no public address`() throws {
    let ranges = try text.split(separator: "\n").filter { $0.hasPrefix("denied-peer-ip=") }.map {
      try $0.dropFirst("denied-peer-ip=".count).split(separator: "-").map(bytes)
    }
    #expect(ranges.count > 20)
    func isDenied(_ literal: String) throws -> Bool {
      let ip = try bytes(literal)
      return ranges.contains { range in
        range[0].count == ip.count && !ip.lexicographicallyPrecedes(range[0])
          && !range[1].lexicographicallyPrecedes(ip)
      }
    }
    for literal in [
      "1.1.1.1", "8.8.8.8", "100.128.0.1", "172.32.0.1", "192.1.0.1", "198.17.255.255",
      "198.20.0.1", "203.0.112.1", "203.0.114.1", "223.255.255.254", "2003::1", "2606:4700::1111",
      "2a00:1450::1",
    ] {
      let isDenied = try isDenied(literal)
      #expect(!isDenied, "\(literal)")
    }
    for literal in Self.special + ["::ffff:127.0.0.1"] {
      let isDenied = try isDenied(literal)
      #expect(isDenied, "\(literal)")
    }
  }

  @Test func `it asks for a secret of one's own, and offers neither shell nor software's name`() {
    let lines = Set(text.split(separator: "\n"))
    #expect(lines.contains("static-auth-secret=CHANGE-ME"))
    #expect(lines.contains("no-cli"))
    #expect(lines.contains("no-software-attribute"))
    #expect(lines.contains("use-auth-secret"))
  }
}
