import Links
import Simulation
import Testing
import Units

/// Local networks: who is where, one gateway behind another, IPv6, and the lines around them.
@Suite struct GatewayPlaceTests {
  @Test func `two homes may have the same addresses`() throws {
    let bench = GatewayBench()
    let server = bench.computer("server")
    let anna = bench.computer("Anna", behind: bench.gateway())
    let ben = bench.computer("Ben", behind: bench.gateway())
    #expect(anna.address().ip == .v4(192, 168, 1, 10))
    #expect(ben.address() == anna.address())
    let annaOutside = try #require(anna.outside(at: server))
    let benOutside = try #require(ben.outside(at: server))
    #expect(annaOutside.ip != benOutside.ip)
    server.send([1], to: annaOutside)
    server.send([2], to: benOutside)
    #expect(anna.heard.map(\.bytes) == [[1]])
    #expect(ben.heard.map(\.bytes) == [[2]])
    // The other's own address is one's own.
    anna.send([3], to: ben.address())
    #expect(anna.heard.last?.bytes == [3])
    #expect(ben.heard.count == 1)
  }

  @Test func `an address of the local network is looked for nowhere else`() {
    let bench = GatewayBench()
    let outer = bench.gateway()
    let neighbour = bench.computer("neighbour", behind: outer)
    let second = bench.computer("second", behind: outer)
    let inside = bench.computer("inside", behind: bench.gateway(behind: outer))
    #expect(neighbour.address() == inside.address())
    #expect(inside.reaches(second, at: second.address()) == nil)
    // From another local network the way out leads to it.
    let apart = bench.computer(
      "apart", behind: bench.gateway(behind: outer, over: PrivateNetwork(192, 168, 2)))
    #expect(apart.reaches(second, at: second.address()) != nil)
  }

  @Test func `behind a carrier's translator two are between a home and the core`() throws {
    let bench = GatewayBench()
    let carrier = bench.gateway(over: .carrier) { $0.ports = .random }
    let home = bench.gateway(behind: carrier)
    let server = bench.computer("server")
    let inside = bench.computer("inside", behind: home)
    let neighbour = bench.computer("neighbour", behind: carrier)
    let atCarrier = try #require(inside.reaches(neighbour, at: neighbour.address()))
    #expect(atCarrier == SocketAddress(.v4(100, 64, 0, 10), port: inside.port))
    let outside = try #require(inside.outside(at: server))
    #expect(outside.ip == .v4(203, 0, 113, 11))
    #expect(outside.port != inside.port)
    #expect(server.reaches(inside, at: outside) == server.address())
    // Either of the two may start anew.
    home.rebind()
    #expect(server.reaches(inside, at: outside) == nil)
    #expect(inside.reaches(neighbour, at: neighbour.address())?.ip != atCarrier.ip)
    #expect(inside.outside(at: server)?.ip == outside.ip)
    carrier.rebind()
    #expect(inside.outside(at: server)?.ip == .v4(203, 0, 113, 12))
  }

  @Test(arguments: [true, false])
  func `two homes of one carrier meet where the carrier hairpins`(hairpins: Bool) throws {
    let bench = GatewayBench()
    let carrier = bench.gateway(over: .carrier) { $0.hairpins = hairpins }
    let server = bench.computer("server")
    let anna = bench.computer("Anna", behind: bench.gateway(behind: carrier))
    let ben = bench.computer("Ben", behind: bench.gateway(behind: carrier), port: 6_000)
    let annaOutside = try #require(anna.outside(at: server))
    let benOutside = try #require(ben.outside(at: server))
    #expect(anna.reaches(ben, at: benOutside) == nil)
    #expect(ben.reaches(anna, at: annaOutside) == (hairpins ? benOutside : nil))
    #expect(anna.reaches(ben, at: benOutside) == (hairpins ? annaOutside : nil))
  }

  @Test func `IPv6 is not translated, and passes as its policy says`() throws {
    for (policy, opens) in [
      (GatewayBehavior.IPv6Policy.open, [true, true, true]),
      (.filtered(.endpointIndependent), [false, true, true]),
      (.filtered(.addressAndPortDependent), [false, true, false]),
    ] {
      let bench = GatewayBench()
      let carrier = bench.gateway(over: .carrier) { $0.ipv6 = .open }
      let inside = bench.computer(
        "inside", behind: bench.gateway(behind: carrier) { $0.ipv6 = policy })
      let server = bench.computer("server")
      let stranger = bench.computer("stranger")
      let own = inside.address(isV4: false)
      #expect(own.ip.description == "2001:db8:0:2::a")
      #expect((server.reaches(inside, at: own) != nil) == opens[0])
      #expect(inside.reaches(server, at: server.address(isV4: false)) == own)
      #expect((server.reaches(inside, at: own) != nil) == opens[1])
      #expect((stranger.reaches(inside, at: own) != nil) == opens[2])
    }
  }

  @Test func `an IPv6 filter keeps calls out and lets answers in`() {
    for (policy, isAccepted) in [
      (GatewayBehavior.IPv6Policy.open, true), (.filtered(.endpointIndependent), false),
    ] {
      let bench = GatewayBench()
      let server = bench.computer("server")
      let inside = bench.computer("inside", behind: bench.gateway { $0.ipv6 = policy })
      let port = inside.host.listen()
      inside.host.dial(
        .dialed(1), to: server.address(isV4: false, port: server.host.listen()))
      server.host.dial(.dialed(1), to: inside.address(isV4: false, port: port))
      bench.world.run(for: .seconds(90))
      #expect(inside.dialed == [.dialed(1)])
      #expect(server.dialed == (isAccepted ? [.dialed(1)] : []))
    }
  }

  @Test func `without IPv6 there is no address, and none gets through`() {
    let bench = GatewayBench()
    let gateway = bench.gateway()
    let inside = bench.computer("inside", behind: gateway)
    #expect(inside.host.addresses.map(\.isV4) == [true])
    let home = bench.gateway(behind: gateway) { $0.ipv6 = .open }
    let deeper = bench.computer("deeper", behind: home)
    #expect(deeper.host.addresses.map(\.isV4) == [true])
    let server = bench.computer("server")
    let stubborn = bench.computer(
      "stubborn", behind: gateway, addresses: bench.network.nextAddresses())
    #expect(stubborn.reaches(server, at: server.address(isV4: false)) == nil)
    #expect(server.reaches(stubborn, at: stubborn.address(isV4: false)) == nil)
  }

  @Test func `a computer moves from one gateway to another`() throws {
    let bench = GatewayBench()
    let server = bench.computer("server")
    let office = bench.gateway()
    let inside = bench.computer("inside", behind: bench.gateway())
    let first = try #require(inside.outside(at: server))
    inside.host.move(to: bench.network.nextAddresses(behind: office), behind: office)
    let second = try #require(inside.outside(at: server))
    #expect(second.ip != first.ip)
    #expect(server.reaches(inside, at: first) == nil)
    #expect(server.reaches(inside, at: second) != nil)
    inside.host.move(to: bench.network.nextAddresses())
    #expect(inside.outside(at: server) == inside.address())
  }

  @Test func `what is under way when a computer moves is lost`() {
    let bench = GatewayBench()
    let server = bench.computer("server")
    let slow = AccessLine(name: "slow", both: LinkConditions(delay: .milliseconds(10)))
    let mover = BenchComputer(bench.network.addHost("mover", line: slow), in: bench)
    mover.send(to: server.address())
    mover.host.move(to: bench.network.nextAddresses())
    bench.world.run(for: .seconds(1))
    #expect(server.heard.isEmpty)
    server.send(to: mover.address())
    mover.host.move(to: bench.network.nextAddresses())
    bench.world.run(for: .seconds(1))
    #expect(mover.heard.isEmpty)
    mover.send(to: server.address())
    bench.world.run(for: .seconds(1))
    #expect(server.heard.map(\.from) == [mover.address()])
  }

  @Test func `a bottleneck is before gateways and not between those behind one`() throws {
    let bench = GatewayBench()
    let left = bench.gateway(filtering: .endpointIndependent) { $0.ipv6 = .open }
    let anna = bench.computer("Anna", behind: left)
    let sister = bench.computer("sister", behind: left)
    let ben = bench.computer("Ben", behind: bench.gateway(filtering: .endpointIndependent))
    let server = bench.computer("server")
    let line = bench.network.addBottleneck(
      forward: LinkConditions(), backward: LinkConditions())
    bench.network.place(anna.host, on: .left)
    bench.network.place(ben.host, on: .right)
    let outside = try #require(ben.outside(at: server))
    #expect(line.counters(.backward).offered == 0)
    #expect(anna.reaches(ben, at: outside) != nil)
    #expect(line.counters(.forward).offered == 1)
    let answer = try #require(ben.heard.last?.from)
    #expect(ben.reaches(anna, at: answer) == outside)
    #expect(line.counters(.backward).offered == 1)
    // Not even if one of them is said to be elsewhere.
    bench.network.place(sister.host, on: .right)
    for isV4 in [true, false] {
      #expect(anna.reaches(sister, at: sister.address(isV4: isV4)) != nil)
      #expect(sister.reaches(anna, at: anna.address(isV4: isV4)) != nil)
    }
    #expect(line.counters(.forward).offered == 1)
    #expect(line.counters(.backward).offered == 1)
  }

  @Test func `a partition holds through gateways`() throws {
    let bench = GatewayBench()
    let server = bench.computer("server")
    let anna = bench.computer("Anna", behind: bench.gateway(filtering: .endpointIndependent))
    let ben = bench.computer("Ben", behind: bench.gateway(filtering: .endpointIndependent))
    let outside = try #require(ben.outside(at: server))
    bench.network.partition(anna.host, ben.host)
    #expect(anna.reaches(ben, at: outside) == nil)
    #expect(server.reaches(ben, at: outside) != nil)
    bench.network.heal(anna.host, ben.host)
    #expect(anna.reaches(ben, at: outside) != nil)
  }

  @Test func `the same seed draws the same ports, and another one others`() {
    func port(_ seed: UInt64) -> UInt16? {
      let bench = GatewayBench(seed: seed)
      let server = bench.computer("server")
      return bench.computer("inside", behind: bench.gateway { $0.ports = .random })
        .outside(at: server)?.port
    }
    #expect(port(1) != nil)
    #expect(port(1) == port(1))
    #expect(port(1) != port(2))
  }
}
