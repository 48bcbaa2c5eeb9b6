import Links
import Simulation
import Testing
import Units
import Wire

/// The simulated relay, judged by our client and by what RelayTests find coturn to do.
@Suite struct SimulatedRelayTests {
  @Test(arguments: [RelayBehavior.Carrier.udp, .tcp])
  func `two allocations carry data both ways, first by indications and then by channels`(
    carrier: RelayBehavior.Carrier
  ) throws {
    let bench = RelayBench()
    let left = bench.guest(carrier, bench.credentials("left"))
    let right = bench.guest(.udp, bench.credentials("right"))
    bench.world.run(for: .seconds(1))
    let (leftEnd, rightEnd) = (try #require(left.relayed.first), try #require(right.relayed.first))
    #expect(left.mapped?.ip == left.host.addresses[0])
    #expect(leftEnd != rightEnd)
    // The first goes ahead of the other side's permission.
    for number in UInt8(0)...100 {
      let data = [20, number] + [UInt8](repeating: number, count: 11 * Int(number))
      left.send(data, to: rightEnd)
      right.send(data, to: leftEnd)
      bench.world.run(for: .milliseconds(5))
    }
    for (client, farEnd) in [(left, rightEnd), (right, leftEnd)] {
      #expect(client.received.map { $0.data[1] }.suffix(100) == Array(1...100))
      #expect(client.received.allSatisfy { $0.peer == farEnd })
      #expect(client.heard.contains { ChannelData.isChannelData($0) })
      #expect(client.failure == nil && client.refused.isEmpty)
    }
    for client in [left, right] { client.handle(.close) }
    bench.world.run(for: .seconds(1))
    #expect(left.isClosed && right.isClosed)
    #expect(bench.relay.allocations.isEmpty)
  }

  @Test func `a wrong password is refused, and so is a credential whose time is over`() {
    let bench = RelayBench()
    let wrong = bench.guest(.udp, bench.credentials("one", secret: Array("another".utf8)))
    let late = bench.guest(.tcp, bench.credentials("one", secondsLeft: -5))
    bench.world.run(for: .seconds(1))
    #expect(wrong.failure == .credentialRefused)
    #expect(late.failure == .credentialRefused)
    #expect(bench.relay.allocations.isEmpty)
  }

  @Test func `a private peer is refused, and others are reached`() throws {
    let bench = RelayBench()
    let client = bench.guest()
    let peer = bench.guest()
    bench.world.run(for: .seconds(1))
    let denied = IPAddress.v4(192, 168, 1, 10)
    client.send([20], to: SocketAddress(denied, port: 9))
    client.send([20, 7], to: SocketAddress(peer.host.addresses[0], port: peer.plainPort))
    bench.world.run(for: .seconds(1))
    #expect(client.refused.map(\.ip) == [denied])
    #expect(client.refused.map(\.code) == [403])
    #expect(peer.plainlyHeard.map(\.data) == [[20, 7]])
    #expect(peer.plainlyHeard.map(\.from) == client.relayed)

    let open = RelayBench(.hasty)
    let other = open.guest()
    open.world.run(for: .seconds(1))
    other.send([20], to: SocketAddress(denied, port: 9))
    open.world.run(for: .seconds(1))
    #expect(other.refused.isEmpty)
  }

  @Test func `who was not sent to is not heard, and who was is heard from all his ports`() throws {
    let bench = RelayBench()
    let client = bench.guest()
    let friend = bench.guest()
    let stranger = bench.guest()
    bench.world.run(for: .seconds(1))
    let end = try #require(client.relayed.first)
    client.send([20], to: SocketAddress(friend.host.addresses[0], port: 9))
    bench.world.run(for: .milliseconds(100))
    friend.sendPlainly([1], to: end)
    stranger.sendPlainly([2], to: end)
    bench.world.run(for: .milliseconds(100))
    #expect(client.received.map(\.data) == [[1]])
    // Asked for again after 240 s, as it was used, and not again after that: it ends at 540 s.
    bench.world.run(for: .seconds(541))
    friend.sendPlainly([3], to: end)
    bench.world.run(for: .milliseconds(100))
    #expect(client.received.map(\.data) == [[1]])
  }

  @Test func `a user's second allocation is refused where one is the limit`() {
    var behavior = RelayBehavior.all
    behavior.allocationLimit = 1
    let bench = RelayBench(behavior)
    let first = bench.guest()
    bench.world.run(for: .seconds(1))
    let second = bench.guest(.tcp)
    let other = bench.guest(.udp, bench.credentials("two"))
    bench.world.run(for: .seconds(1))
    #expect(second.failure == .quotaReached)
    #expect(other.failure == nil && other.relayed.count == 1)
    first.handle(.close)
    bench.world.run(for: .seconds(1))
    let third = bench.guest()
    bench.world.run(for: .seconds(1))
    #expect(third.relayed.count == 1)
  }

  @Test func `nonces that go stale cost nothing`() throws {
    let bench = RelayBench(.hasty)
    let client = bench.guest()
    let peer = bench.guest()
    bench.world.run(for: .seconds(3))
    client.send([20], to: SocketAddress(peer.host.addresses[0], port: peer.plainPort))
    bench.world.run(for: .seconds(1))
    client.send([21], to: SocketAddress(peer.host.addresses[0], port: peer.plainPort))
    bench.world.run(for: .seconds(1))
    let codes = client.heard.compactMap { try? StunMessage(decoding: $0) }.flatMap(\.attributes)
      .compactMap { if case .errorCode(let code, _) = $0 { code } else { nil } }
    #expect(codes.contains(438))
    #expect(peer.plainlyHeard.last?.data == [21])
    #expect(client.failure == nil && client.refused.isEmpty)
  }

  @Test func `an Allocate that comes twice has one answer, and another one is refused`() throws {
    let bench = RelayBench()
    let client = bench.guest()
    bench.world.run(for: .seconds(1))
    let allocate = try #require(client.sent.last)
    let answer = try #require(client.heard.last)
    client.transmit(allocate)
    bench.world.run(for: .milliseconds(100))
    #expect(client.heard.last == answer)
    #expect(bench.relay.allocations.count == 1)
    // As the first one, unsigned, it is asked to be signed; signed by whom else, it is not known.
    client.transmit(try #require(client.sent.first))
    bench.world.run(for: .milliseconds(100))
    let challenge = try StunMessage(decoding: try #require(client.heard.last))
    #expect(challenge.integrity == nil)
    #expect(challenge.attributes.contains(.errorCode(401, reason: [])))
  }

  @Test func `an allocation is for an address or a connection, and ends with it`() throws {
    let bench = RelayBench()
    let client = bench.guest(.tcp)
    bench.world.run(for: .seconds(1))
    #expect(client.relayed.count == 1)
    client.hangUp()
    bench.world.run(for: .seconds(1))
    #expect(bench.relay.allocations.isEmpty)

    // A router that starts anew gives our socket another address: the relay doesn't know us there.
    let access = bench.network.addAccess(.port)
    let moved = bench.guest()
    bench.world.run(for: .seconds(20))
    moved.host.move(to: bench.network.nextAddresses(at: access), behind: access.gateways[0])
    moved.handle(.check)
    bench.world.run(for: .seconds(1))
    #expect(moved.relayed.count == 2)
    #expect(moved.mapped?.ip == .v4(203, 0, 113, 11))
    #expect(moved.failure == nil)
  }

  @Test func `the family that is asked for is given, however it was asked`() {
    let bench = RelayBench()
    let four = bench.guest(.udp, family: .v4, kind: .v6Only)
    let six = bench.guest(.tcp, family: .v6, kind: .none)
    bench.world.run(for: .seconds(1))
    #expect(four.relayed.map(\.ip.isV4) == [true])
    #expect(six.relayed.map(\.ip.isV4) == [false])
    let narrow = RelayBench(.v4)
    let none = narrow.guest(.udp, family: .v6)
    narrow.world.run(for: .seconds(1))
    #expect(none.failure == .refused(.allocate, code: 440))
  }
}
