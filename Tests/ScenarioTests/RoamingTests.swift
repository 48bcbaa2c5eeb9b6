import Call
import Simulation
import Testing
import Units

/// Networks that change under a call, until pictures come again.
@Suite struct RoamingTests {
  /// The longest that either showed nothing new of the other, from 7 s on.
  private func gap(
    _ pair: AccessPair, seed: UInt64, times: Int = 1,
    _ change: @escaping (SimulatedCall, SimulatedAccess) -> Void
  ) throws -> Interval {
    let call = try SimulatedCall(seed: seed)
    let access = call.network.addAccesses(pair, servers: call.server.host.addresses)
    let anna = call.add("Anna", at: access.first)
    let ben = call.add("Ben", at: access.second, after: .milliseconds(500))
    for time in 0..<times {
      call.at(.seconds(7) + .seconds(3) * Double(time)) { change(call, access.first) }
    }
    call.run(for: .seconds(11) + .seconds(3) * Double(times))
    let shown = [call.figures(of: anna, at: ben), call.figures(of: ben, at: anna)]
    #expect(shown.allSatisfy { $0.shown > 250 })
    #expect(anna.departures.isEmpty && ben.departures.isEmpty)
    #expect(call.findings.isEmpty, "\(pair): \(call.findings.summary)")
    return shown.map(\.longestGap).max() ?? .zero
  }

  private func gaps(
    _ pair: AccessPair, _ change: @escaping (SimulatedCall, SimulatedAccess) -> Void
  ) throws -> [Interval] {
    try (1...10).map { try gap(pair, seed: $0, change) }.sorted()
  }

  @Test(arguments: [
    AccessPair(.port, .none), AccessPair(.port, .fullCone), AccessPair(.port, .port),
    AccessPair(.cgnat, .port),
  ])
  func `R5: media come again within a second when a NAT maps a peer anew`(pair: AccessPair) throws {
    for keeps in [false, true] {
      let gaps = try gaps(pair) { _, access in access.gateways[0].rebind(keepsAddress: keeps) }
      #expect(gaps.last! < .seconds(1), "\(gaps)")
    }
  }

  @Test func `R5: the fortieth mapping in one call is followed as fast as the first`() throws {
    for keeps in [false, true] {
      let gap = try gap(AccessPair(.port, .port), seed: 1, times: 40) { _, access in
        access.gateways[0].rebind(keepsAddress: keeps)
      }
      #expect(gap < .seconds(1))
    }
  }

  @Test(arguments: [
    AccessPair(.none, .none), AccessPair(.none, .port), AccessPair(.port, .port),
  ])
  func `R4: media come again within a second under another address`(pair: AccessPair) throws {
    let gaps = try gaps(pair) { call, access in
      call.members[0].move(
        to: call.network.nextAddresses(at: access), behind: access.gateways.last)
    }
    #expect(gaps.last! < .seconds(1), "\(gaps)")
  }
}
