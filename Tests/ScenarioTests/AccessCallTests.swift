import Call
import Links
import Simulation
import Testing
import Units
import Wire

/// Whole calls between two accesses.
@Suite struct AccessCallTests {
  /// Who saw whom within the time that there is, and the path that was told last.
  private func result(
    _ pair: AccessPair, relay: RelayBehavior? = nil, serverPort: UInt16 = SimulatedServer.port
  ) throws -> (isSeen: Bool, path: PathKind?) {
    let call = try SimulatedCall(seed: 1, relay: relay)
    let access = call.network.addAccesses(
      pair, servers: call.server.host.addresses + (call.relay?.host.addresses ?? []))
    var options = SimulatedMember.Options()
    options.serverPort = serverPort
    let anna = call.add("Anna", at: access.first, options: options)
    let ben = call.add("Ben", at: access.second, options: options, after: .seconds(1))
    call.run(for: .seconds(8))
    var path: PathKind?
    for case (_, .link(_, let report)) in ben.events { path = report.path }
    #expect(call.findings.isEmpty, "\(pair): \(call.findings.summary)")
    let shown = [call.figures(of: anna, at: ben), call.figures(of: ben, at: anna)]
    return (shown.allSatisfy { $0.firstShownAt != nil }, path)
  }

  /// What no server need help with.
  @Test(arguments: [
    AccessPair(.none, .port), AccessPair(.none, .symmetric), AccessPair(.none, .cgnat),
    AccessPair(.port, .port, shared: 1), AccessPair(.symmetric, .symmetric, shared: 1),
    AccessPair(.v6Only, .v6Filtered), AccessPair(.dualFiltered, .v6Filtered),
  ])
  func `a call comes about by UDP where own addresses are enough`(pair: AccessPair) throws {
    #expect(
      PathSearch(pair, servers: PathSearch.Servers(hasStun: false)).paths.contains(.udpDirect))
    let result = try result(pair)
    #expect(result.isSeen, "\(pair)")
    #expect(result.path == .udpDirect, "\(pair)")
  }

  @Test func `a call comes about by TCP where UDP does not pass`() throws {
    let result = try result(AccessPair(.none, .noUDP))
    #expect(result.isSeen)
    #expect(result.path == .tcpDirect)
  }

  /// Ben is the second, and is told how he speaks with his own relay.
  @Test(arguments: [
    (AccessPair(.symmetric, .symmetric), RelayBehavior.udp, PathKind.udpRelay),
    (AccessPair(.symmetric, .port), .all, .udpRelay),
    (AccessPair(.symmetric, .port), .tcp, .tcpRelay),
    (AccessPair(.port, .noUDP), .all, .tcpRelay), (AccessPair(.noUDP, .noUDP), .tcp, .tcpRelay),
    (AccessPair(.noUDP, .noUDP), .tls, .tcpRelay), (AccessPair(.silent, .silent), .udp, .udpRelay),
  ])
  func `a call comes about over a relay where nothing else passes`(
    pair: AccessPair, relay: RelayBehavior, path: PathKind
  ) throws {
    let result = try result(pair, relay: relay)
    #expect(result.isSeen, "\(pair)")
    #expect(result.path == path, "\(pair)")
  }

  @Test func `where there is no way both are told which ways were tried, and how each ended`()
    throws
  {
    let pair = AccessPair(.symmetric, .symmetric)
    let call = try SimulatedCall(seed: 1)
    let access = call.network.addAccesses(pair, servers: call.server.host.addresses)
    let anna = call.add("Anna", at: access.first)
    let ben = call.add("Ben", at: access.second, after: .seconds(1))
    call.run(for: .seconds(40))
    for member in [anna, ben] {
      #expect(member.exitCode == 6)
      var reports: [AttemptReport] = []
      for case (_, .noPath(_, let report)) in member.events { reports.append(report) }
      let report = try #require(reports.first)
      #expect(reports.count == 1)
      #expect(report.isDescribed)
      #expect(report.isSeenOverUDP == true)
      #expect(report.relays.isEmpty)
      // At the other's own address and at the one that the server told.
      let datagrams = report.ways.filter { $0.carrier == .datagram }
      #expect(Set(datagrams.map(\.remoteKind)) == [.host, .serverReflexive])
      #expect(datagrams.allSatisfy { $0.end == .unanswered })
      #expect(report.ways.contains { $0.carrier == .stream })
      var messages: [String] = []
      for case (_, .failure(6, let message, _)) in member.events { messages.append(message) }
      #expect(messages.count == 1)
      #expect(messages[0].contains("over UDP were tried: unanswered"))
    }
  }

  @Test func `behind a firewall the server is reached at port 443 only`() throws {
    let pair = AccessPair(.none, .tcp443)
    func isMet(_ port: UInt16) throws -> Bool {
      let call = try SimulatedCall(seed: 1)
      let access = call.network.addAccesses(pair, servers: call.server.host.addresses)
      var options = SimulatedMember.Options()
      options.serverPort = port
      call.add("Ben", at: access.second, options: options)
      call.run(for: .seconds(8))
      return call.server.census.members == 1
    }
    #expect(try isMet(SimulatedServer.firewallPort))
    #expect(try !isMet(SimulatedServer.port))
  }
}
