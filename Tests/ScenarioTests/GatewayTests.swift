import Links
import Simulation
import Testing
import Units

/// What computers behind a gateway and in front of it see of each other's datagrams.
@Suite struct GatewayTests {
  private static let every: [GatewayBehavior.Dependence] = [
    .endpointIndependent, .addressDependent, .addressAndPortDependent,
  ]

  /// Asks two computers, and one of them at two ports, what the sender looks like.
  private func mappings(
    _ mapping: GatewayBehavior.Dependence, _ ports: GatewayBehavior.PortAssignment
  ) -> (own: UInt16, one: SocketAddress?, otherPort: SocketAddress?, other: SocketAddress?) {
    let bench = GatewayBench()
    let one = bench.computer("one")
    let sameHost = BenchComputer(one.host, in: bench)
    let other = bench.computer("other")
    let inside = bench.computer(
      "inside", behind: bench.gateway(mapping: mapping) { $0.ports = ports })
    inside.send(to: one.address())
    // Both sockets of a host report to the program that came last.
    let first = sameHost.heard.last?.from
    inside.send(to: sameHost.address())
    return (inside.port, first, sameHost.heard.last?.from, inside.outside(at: other))
  }

  @Test func `a mapping that depends on nothing is the same for everybody`() throws {
    let seen = mappings(.endpointIndependent, .random)
    let one = try #require(seen.one)
    #expect(one.ip == .v4(203, 0, 113, 11))
    #expect(seen.otherPort == one)
    #expect(seen.other == one)
  }

  @Test func `a mapping that depends on the address is another one for another computer`() throws {
    let seen = mappings(.addressDependent, .random)
    let one = try #require(seen.one)
    #expect(seen.otherPort == one)
    #expect(seen.other != nil && seen.other != one)
  }

  @Test func `a mapping that depends on address and port is another one for each socket`() throws {
    let seen = mappings(.addressAndPortDependent, .random)
    let all = Set([seen.one, seen.otherPort, seen.other].compactMap { $0 })
    #expect(all.count == 3)
    #expect(all.allSatisfy { $0.ip == .v4(203, 0, 113, 11) && $0.port >= 1_024 })
  }

  @Test func `a port is preserved or drawn by lot`() throws {
    let preserved = mappings(.endpointIndependent, .preserved)
    #expect(preserved.one?.port == preserved.own)
    let drawn = mappings(.endpointIndependent, .random)
    #expect(drawn.one?.port != drawn.own)
    // Each destination's mapping has a port: the first has the sender's own.
    let dependent = mappings(.addressAndPortDependent, .preserved)
    #expect(dependent.one?.port == dependent.own)
    #expect(dependent.otherPort?.port == dependent.own + 1)
    #expect(dependent.other?.port == dependent.own + 2)
  }

  @Test func `a port that another one inside has is not given twice`() throws {
    let bench = GatewayBench()
    let gateway = bench.gateway()
    let server = bench.computer("server")
    let anna = bench.computer("Anna", behind: gateway, port: 5_000)
    let ben = bench.computer("Ben", behind: gateway, port: 5_000)
    #expect(anna.outside(at: server)?.port == 5_000)
    #expect(ben.outside(at: server)?.port == 5_001)
    server.send([7], to: SocketAddress(.v4(203, 0, 113, 11), port: 5_001))
    #expect(anna.heard.isEmpty)
    #expect(ben.heard.map(\.bytes) == [[7]])
    // Those below 1024 are not for clients (RFC 4787 §4.2.1).
    let low = bench.computer("low", behind: gateway, port: 500)
    #expect(low.outside(at: server)?.port == 1_024)
  }

  /// Who gets in at a mapping that was made by sending to `known`: known, another port of known's
  /// computer, a stranger.
  private func entrants(_ filtering: GatewayBehavior.Dependence) throws -> [Bool] {
    let bench = GatewayBench()
    let inside = bench.computer("inside", behind: bench.gateway(filtering: filtering))
    let known = bench.computer("known")
    let stranger = bench.computer("stranger")
    let outside = try #require(inside.outside(at: known))
    let first = known.reaches(inside, at: outside) == known.address()
    let samePlace = BenchComputer(known.host, in: bench)
    let second = samePlace.reaches(inside, at: outside) == samePlace.address()
    return [first, second, stranger.reaches(inside, at: outside) == stranger.address()]
  }

  @Test func `a filter lets in everybody, an address, or a socket`() throws {
    #expect(try entrants(.endpointIndependent) == [true, true, true])
    #expect(try entrants(.addressDependent) == [true, true, false])
    #expect(try entrants(.addressAndPortDependent) == [true, false, false])
  }

  @Test(arguments: every)
  func `nothing gets in before something was sent`(filtering: GatewayBehavior.Dependence) {
    let bench = GatewayBench()
    let inside = bench.computer("inside", behind: bench.gateway(filtering: filtering))
    let stranger = bench.computer("stranger")
    let guess = SocketAddress(.v4(203, 0, 113, 11), port: inside.port)
    #expect(stranger.reaches(inside, at: guess) == nil)
  }

  @Test func `a mapping ends a lifetime after the last that was sent out, whatever comes in`()
    throws
  {
    let bench = GatewayBench()
    let server = bench.computer("server")
    let inside = bench.computer(
      "inside",
      behind: bench.gateway {
        $0.ports = .random
        $0.datagramLifetime = .seconds(30)
      })
    let first = try #require(inside.outside(at: server))
    bench.world.run(for: .seconds(29))
    #expect(server.reaches(inside, at: first) != nil)
    bench.world.run(for: .seconds(2))
    #expect(server.reaches(inside, at: first) == nil, "what came in kept it open")
    let second = try #require(inside.outside(at: server))
    #expect(second != first)
    // What is sent out keeps it open.
    for _ in 0..<4 {
      bench.world.run(for: .seconds(29))
      #expect(inside.outside(at: server) == second)
    }
    #expect(server.reaches(inside, at: second) != nil)
  }

  @Test func `each filter entry ends on its own while the mapping lives`() throws {
    let bench = GatewayBench()
    let inside = bench.computer(
      "inside", behind: bench.gateway { $0.datagramLifetime = .seconds(30) })
    let one = bench.computer("one")
    let other = bench.computer("other")
    let outside = try #require(inside.outside(at: one))
    bench.world.run(for: .seconds(20))
    #expect(inside.outside(at: other) == outside)
    bench.world.run(for: .seconds(20))
    #expect(one.reaches(inside, at: outside) == nil)
    #expect(other.reaches(inside, at: outside) != nil)
    #expect(inside.outside(at: one) == outside)
  }

  @Test func `a rebinding loses every mapping, for another address or other ports`() throws {
    let bench = GatewayBench()
    let gateway = bench.gateway()
    let server = bench.computer("server")
    let inside = bench.computer("inside", behind: gateway)
    let first = try #require(inside.outside(at: server))
    gateway.rebind()
    #expect(server.reaches(inside, at: first) == nil)
    let second = try #require(inside.outside(at: server))
    #expect(second.ip != first.ip)
    #expect(second.port == first.port)
    #expect(server.reaches(inside, at: second) != nil)
    gateway.rebind(keepsAddress: true)
    #expect(server.reaches(inside, at: second) == nil)
    let third = try #require(inside.outside(at: server))
    #expect(third.ip == second.ip)
    #expect(third.port != second.port)
  }

  @Test(arguments: [true, false])
  func `two inside reach each other by their outside addresses where the gateway hairpins`(
    hairpins: Bool
  ) throws {
    let bench = GatewayBench()
    let gateway = bench.gateway(filtering: .endpointIndependent) { $0.hairpins = hairpins }
    let server = bench.computer("server")
    let anna = bench.computer("Anna", behind: gateway)
    let ben = bench.computer("Ben", behind: gateway, port: 6_000)
    let annaOutside = try #require(anna.outside(at: server))
    let benOutside = try #require(ben.outside(at: server))
    #expect(anna.reaches(ben, at: benOutside) == (hairpins ? annaOutside : nil))
    // The local way is always open.
    #expect(anna.reaches(ben, at: ben.address()) == anna.address())
  }

  @Test func `a hairpin filters as the rest does`() throws {
    let bench = GatewayBench()
    let gateway = bench.gateway { $0.hairpins = true }
    let server = bench.computer("server")
    let anna = bench.computer("Anna", behind: gateway)
    let ben = bench.computer("Ben", behind: gateway, port: 6_000)
    let annaOutside = try #require(anna.outside(at: server))
    let benOutside = try #require(ben.outside(at: server))
    #expect(anna.reaches(ben, at: benOutside) == nil)
    #expect(ben.reaches(anna, at: annaOutside) == benOutside)
    #expect(anna.reaches(ben, at: benOutside) == annaOutside)
  }

  @Test func `a gateway may block UDP, or let it pass to servers only`() {
    for (policy, reachesServer, reachesPeer) in [
      (GatewayBehavior.DatagramPolicy.pass, true, true), (.serversOnly, true, false),
      (.blocked, false, false),
    ] {
      let bench = GatewayBench()
      let server = bench.computer("server")
      let peer = bench.computer("peer")
      let gateway = bench.gateway(
        filtering: .endpointIndependent, servers: [server.address().ip]
      ) { $0.datagrams = policy }
      let inside = bench.computer("inside", behind: gateway)
      let outside = inside.outside(at: server)
      #expect((outside != nil) == reachesServer)
      #expect((inside.outside(at: peer) != nil) == reachesPeer)
      if let outside {
        #expect(server.reaches(inside, at: outside) != nil)
        #expect((peer.reaches(inside, at: outside) != nil) == reachesPeer)
      }
    }
  }
}
