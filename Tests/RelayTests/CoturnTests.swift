import CLinux
import Links
import Runtime
import Testing
import Units
import Wire

/// coturn as the judge of our client, over loopback.
@Suite(
  .serialized,
  .enabled(
    if: Turnserver.path != nil,
    "coturn's turnserver is absent: the TURN client was not tried against a real relay"))
struct CoturnTests {
  private let loop: EventLoop

  init() throws { loop = try EventLoop() }

  @Test(arguments: RelayClient.Way.allCases)
  func `two allocations carry data both ways, first by indications and then by channels`(
    way: RelayClient.Way
  ) throws {
    let server = try Turnserver()
    let left = try RelayClient(loop, way, server, server.credentials("left"))
    let right = try RelayClient(loop, .udp, server, server.credentials("right"))
    let both = [left, right]
    try turn(loop, both) { both.allSatisfy { $0.relayed != nil } }
    #expect(left.mapped?.ip == .loopbackV4)
    #expect(left.relayed != right.relayed)
    try exchange(loop, left, right)
    for client in both { client.close() }
    try turn(loop, both) { both.allSatisfy(\.isClosed) }
  }

  @Test(arguments: RelayClient.Way.allCases)
  func `one that has IPv6 alone says so, and gives it at the same asking`(
    way: RelayClient.Way
  ) throws {
    let server = try Turnserver(relayIP: "::1")
    let client = try RelayClient(loop, way, server, server.credentials("one"))
    try turn(loop, [client]) { client.relayed != nil || client.failure != nil }
    #expect(client.failure == .refused(.allocate, code: 440))
    client.ask(for: .v6)
    try turn(loop, [client]) { client.relayed != nil || client.failure != nil }
    #expect(client.failure == nil)
    #expect(client.relayed?.ip == .loopbackV6)
  }

  @Test func `an address that was given back counts no more`() throws {
    let server = try Turnserver(["--user-quota", "1"])
    for _ in 0..<3 {
      var client = try RelayClient(loop, .udp, server, server.credentials("one"))
      // coturn counts one for a moment more; were it not given back, for ten minutes.
      for _ in 0..<100 {
        try turn(loop, [client]) { client.relayed != nil || client.failure != nil }
        guard client.failure == .quotaReached else { break }
        usleep(50_000)
        client = try RelayClient(loop, .udp, server, server.credentials("one"))
      }
      #expect(client.relayed != nil)
      client.close()
      try turn(loop, [client]) { client.isClosed }
    }
  }

  @Test(arguments: RelayClient.Way.allCases)
  func `a wrong password is refused`(way: RelayClient.Way) throws {
    let server = try Turnserver()
    let client = try RelayClient(
      loop, way, server, server.credentials("one", secret: Array("another".utf8)))
    try turn(loop, [client]) { client.relayed != nil || client.failure != nil }
    #expect(client.failure == .credentialRefused)
  }

  @Test func `a credential whose time is over is refused`() throws {
    let server = try Turnserver()
    let client = try RelayClient(
      loop, .udp, server, server.credentials("one", secondsLeft: -5))
    try turn(loop, [client]) { client.relayed != nil || client.failure != nil }
    #expect(client.failure == .credentialRefused)
  }

  @Test func `a denied peer is told, and others are reached`() throws {
    let server = try Turnserver(["--denied-peer-ip", "127.0.0.9"])
    let client = try RelayClient(loop, .udp, server, server.credentials("one"))
    let peer = try UDPSocket(boundTo: SocketAddress(.loopbackV4, port: 0))
    try turn(loop, [client]) { client.relayed != nil }
    let denied = IPAddress.v4(127, 0, 0, 9)
    client.send([20], to: SocketAddress(denied, port: 9))
    try turn(loop, [client]) { !client.refused.isEmpty }
    #expect(client.refused.map(\.ip) == [denied])
    #expect(client.refused.map(\.code) == [403])

    client.send([20, 7], to: peer.localAddress)
    var heard: [[UInt8]] = []
    var from: SocketAddress?
    try turn(loop, [client]) {
      while peer.receive({ bytes, source in
        heard.append(bytes)
        from = source
      }) {}
      return !heard.isEmpty
    }
    #expect(heard == [[20, 7]])
    #expect(from == client.relayed)
  }

  @Test func `a user's second allocation is refused where one is the limit`() throws {
    let server = try Turnserver(["--user-quota", "1"])
    let first = try RelayClient(loop, .udp, server, server.credentials("one"))
    try turn(loop, [first]) { first.relayed != nil }
    let second = try RelayClient(loop, .udp, server, server.credentials("one"))
    try turn(loop, [first, second]) { second.relayed != nil || second.failure != nil }
    #expect(second.failure == .quotaReached)
    let other = try RelayClient(loop, .tcp, server, server.credentials("two"))
    try turn(loop, [first, other]) { other.relayed != nil || other.failure != nil }
    #expect(other.failure == nil)
  }

  @Test func `nonces that go stale cost nothing`() throws {
    let server = try Turnserver(["--stale-nonce", "1"])
    let client = try RelayClient(loop, .udp, server, server.credentials("one"))
    let peer = try UDPSocket(boundTo: SocketAddress(.loopbackV4, port: 0))
    try turn(loop, [client]) { client.relayed != nil }
    let later = Clock.now + .seconds(2.5)
    try turn(loop, [client]) { Clock.now >= later }
    let before = client.sent
    client.send([20], to: peer.localAddress)
    var heard: [[UInt8]] = []
    try turn(loop, [client]) {
      client.send([20], to: peer.localAddress)
      while peer.receive({ bytes, _ in heard.append(bytes) }) {}
      return !heard.isEmpty
    }
    #expect(client.failure == nil)
    #expect(client.refused.isEmpty)
    #expect(client.sent > before)
    client.expectNothingAmiss()
  }
}
