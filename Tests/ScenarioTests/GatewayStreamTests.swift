import Links
import Simulation
import Testing
import Units

/// What gateways do to TCP.
@Suite struct GatewayStreamTests {
  private let call = StreamID.dialed(1)

  @Test func `a connection that is dialled from inside carries bytes both ways`() throws {
    let bench = GatewayBench()
    let server = bench.computer("server")
    let inside = bench.computer("inside", behind: bench.gateway())
    let port = server.host.listen()
    inside.host.dial(call, to: server.address(port: port))
    bench.world.run(for: .seconds(1))
    #expect(inside.dialed == [call])
    inside.host.write([1, 2, 3], on: call)
    bench.world.run(for: .seconds(1))
    let accepted = try #require(server.accepted.first)
    #expect(accepted.from.ip == .v4(203, 0, 113, 11))
    server.host.write([4, 5], on: accepted.id)
    bench.world.run(for: .seconds(1))
    #expect(server.streamed == [1, 2, 3])
    #expect(inside.streamed == [4, 5])
  }

  @Test func `a call from outside gets no answer, or a reset`() {
    for (policy, failsWithin) in [
      (GatewayBehavior.StrayPolicy.dropped, Interval?.none), (.reset, .milliseconds(10)),
    ] {
      let bench = GatewayBench()
      let server = bench.computer("server")
      // Neither may a port that is open for datagrams let it in.
      let gateway = bench.gateway(filtering: .endpointIndependent) { $0.strayStreams = policy }
      let inside = bench.computer("inside", behind: gateway, port: 7_000)
      #expect(inside.host.listen(port: 7_000) == 7_000)
      #expect(inside.outside(at: server)?.port == 7_000)
      server.host.dial(call, to: SocketAddress(.v4(203, 0, 113, 11), port: 7_000))
      bench.world.run(for: failsWithin ?? .seconds(30))
      #expect(server.failed == (failsWithin == nil ? [] : [call]))
      bench.world.run(for: .seconds(60))
      #expect(server.failed == [call])
      #expect(inside.accepted.isEmpty)
    }
  }

  @Test func `only the one who was dialled gets in at a connection's port`() throws {
    let bench = GatewayBench()
    let server = bench.computer("server")
    let stranger = bench.computer("stranger")
    let gateway = bench.gateway(filtering: .endpointIndependent) { $0.strayStreams = .reset }
    let inside = bench.computer("inside", behind: gateway)
    inside.host.dial(call, to: server.address(port: server.host.listen()))
    bench.world.run(for: .seconds(1))
    inside.host.write([1], on: call)
    bench.world.run(for: .seconds(1))
    let outside = try #require(server.accepted.first?.from)
    #expect(outside.port == inside.port + 1)
    #expect(inside.host.listen(port: outside.port) == outside.port)
    stranger.host.dial(call, to: outside)
    bench.world.run(for: .seconds(1))
    #expect(stranger.failed == [call])
    #expect(inside.accepted.isEmpty)
    #expect(inside.closed.isEmpty)
  }

  @Test func `a connection survives two hours of silence, whatever datagrams do`() {
    let bench = GatewayBench()
    let server = bench.computer("server")
    let inside = bench.computer(
      "inside", behind: bench.gateway { $0.datagramLifetime = .seconds(30) })
    inside.host.dial(call, to: server.address(port: server.host.listen()))
    bench.world.run(for: .seconds(7_200))
    inside.host.write([1], on: call)
    bench.world.run(for: .seconds(1))
    #expect(server.streamed == [1])
  }

  @Test func `after a rebinding the rest of a connection is reset, or runs into silence`() {
    for (policy, isClosed) in [(GatewayBehavior.StrayPolicy.dropped, false), (.reset, true)] {
      let bench = GatewayBench()
      let server = bench.computer("server")
      let gateway = bench.gateway { $0.strayStreams = policy }
      let inside = bench.computer("inside", behind: gateway)
      inside.host.dial(call, to: server.address(port: server.host.listen()))
      bench.world.run(for: .seconds(1))
      gateway.rebind()
      inside.host.write([1], on: call)
      bench.world.run(for: .seconds(5))
      #expect(server.streamed.isEmpty)
      #expect(inside.closed == (isClosed ? [call] : []))
    }
  }

  @Test func `a firewall lets dial certain ports only`() {
    let bench = GatewayBench()
    let server = bench.computer("server")
    let inside = bench.computer("inside", behind: bench.gateway { $0.streamPorts = [443] })
    _ = server.host.listen(port: 443)
    _ = server.host.listen(port: 7_443)
    inside.host.dial(.dialed(1), to: server.address(port: 443))
    inside.host.dial(.dialed(2), to: server.address(port: 7_443))
    bench.world.run(for: .seconds(90))
    #expect(inside.dialed == [.dialed(1)])
    #expect(inside.failed == [.dialed(2)])
  }
}
