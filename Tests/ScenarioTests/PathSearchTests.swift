import Call
import Simulation
import Testing
import Units

/// Which ways there are between two accesses, row by row, as the literature has it (RFC 5128 §3.3
/// and §3.4, and the matrix of hole punching that everybody draws).
@Suite struct PathSearchTests {
  private static let servers = PathSearch.Servers(relay: .all)

  private func paths(
    _ first: AccessKind, _ second: AccessKind, shared: Int = 0,
    servers: PathSearch.Servers = servers
  ) -> [PathKind] {
    let found = PathSearch(
      AccessPair(first, second, shared: shared), servers: servers
    ).paths
    let mirrored = PathSearch(
      AccessPair(second, first, shared: shared), servers: servers
    ).paths
    #expect(found == mirrored, "\(first) and \(second)")
    return found
  }

  private func hasDirectUDP(_ first: AccessKind, _ second: AccessKind) -> Bool {
    paths(first, second).contains(.udpDirect)
  }

  @Test func `holes can be punched but between symmetric and port-restricted or symmetric`() {
    let kinds: [AccessKind] = [.none, .fullCone, .address, .port, .symmetric]
    let rows: [[Bool]] = [
      [true, true, true, true, true],
      [true, true, true, true, true],
      [true, true, true, true, true],
      [true, true, true, true, false],
      [true, true, true, false, false],
    ]
    for (first, row) in zip(kinds, rows) {
      for (second, expected) in zip(kinds, row) {
        #expect(hasDirectUDP(first, second) == expected, "\(first) and \(second)")
      }
    }
  }

  @Test func `a drawn port alone is no hindrance, a mapping by address is one for strict filters`()
  {
    for kind in [AccessKind.none, .fullCone, .address, .port] {
      #expect(hasDirectUDP(.drawnPort, kind), "\(kind)")
    }
    #expect(!hasDirectUDP(.drawnPort, .symmetric))
    for kind in [AccessKind.none, .fullCone, .address] {
      #expect(hasDirectUDP(.addressMapped, kind), "\(kind)")
    }
    for kind in [AccessKind.port, .symmetric, .addressMapped] {
      #expect(!hasDirectUDP(.addressMapped, kind), "\(kind)")
    }
  }

  @Test func `who cannot send UDP meets only those whom TCP can call`() {
    for kind in [AccessKind.noUDP, .silent] {
      #expect(paths(kind, .none).contains(.tcpDirect))
      #expect(!paths(kind, .none).contains(.udpDirect))
    }
    for kind in [AccessKind.fullCone, .port, .symmetric, .noUDP, .silent, .tcp443] {
      #expect(paths(.noUDP, kind) == [.tcpRelay], "\(kind)")
    }
    // A listener's port is not 443.
    #expect(paths(.tcp443, .none) == [.tcpRelay])
    #expect(paths(.tcp443, .tcp443) == [.tcpRelay])
    for kind in [AccessKind.fullCone, .port, .symmetric, .silent] {
      #expect(paths(.silent, kind) == [.udpRelay, .tcpRelay], "\(kind)")
    }
  }

  @Test func `TCP gets in where nothing filters, and nowhere else`() {
    #expect(paths(.none, .none).contains(.tcpDirect))
    #expect(paths(.none, .symmetric).contains(.tcpDirect))
    #expect(!paths(.fullCone, .fullCone).contains(.tcpDirect))
    #expect(paths(.v6Only, .v6Filtered).contains(.tcpDirect))
    #expect(!paths(.v6Filtered, .v6Filtered).contains(.tcpDirect))
  }

  @Test func `neighbours in one network reach each other, whatever their gateway does`() {
    for kind in AccessKind.presets where !kind.gateways.isEmpty {
      let found = paths(kind, kind, shared: kind.gateways.count)
      #expect(found.starts(with: [.udpDirect, .tcpDirect]), "\(kind)")
    }
  }

  @Test func `two homes of one carrier meet where the carrier hairpins`() {
    #expect(paths(.cgnat, .cgnat, shared: 1).contains(.udpDirect))
    #expect(!paths(.cgnatWithoutHairpin, .cgnatWithoutHairpin, shared: 1).contains(.udpDirect))
    #expect(!paths(.cgnatSymmetric, .cgnatSymmetric, shared: 1).contains(.udpDirect))
    // With carriers of their own, or with a home that has none, it makes no difference.
    for kind in [AccessKind.cgnat, .cgnatWithoutHairpin, .port] {
      #expect(hasDirectUDP(.cgnatWithoutHairpin, kind), "\(kind)")
    }
    #expect(!hasDirectUDP(.cgnatSymmetric, .port))
    #expect(hasDirectUDP(.cgnatSymmetric, .address))
  }

  @Test func `IPv6 is a way of its own, and filters on it can be opened`() {
    #expect(paths(.v6Filtered, .v6Filtered).contains(.udpDirect))
    #expect(hasDirectUDP(.dualFiltered, .dualFiltered))
    #expect(hasDirectUDP(.dualFiltered, .v6Filtered))
    #expect(hasDirectUDP(.dualStack, .v6Only))
    // By IPv4 alone it would be two symmetric ones.
    #expect(!hasDirectUDP(.dualFiltered, .symmetric))
    #expect(paths(.v6Only, .none) == [.udpRelay, .tcpRelay])
  }

  @Test func `nobody meets on one pair of sockets where each answer comes from somewhere new`() {
    var behavior = GatewayBehavior.symmetric
    behavior.filtering = .endpointIndependent
    let kind = AccessKind(name: "symmetric, unfiltered", gateways: [behavior])
    #expect(!hasDirectUDP(kind, kind))
    #expect(!hasDirectUDP(kind, .port))
    #expect(hasDirectUDP(kind, .fullCone))
  }

  @Test func `who gets no answers has no way over UDP`() {
    var behavior = GatewayBehavior.portRestricted
    behavior.datagramLifetime = .seconds(-1)
    let kind = AccessKind(name: "forgets at once", gateways: [behavior])
    #expect(paths(kind, .fullCone) == [.tcpRelay])
    #expect(paths(kind, .none) == [.tcpDirect, .tcpRelay])
  }

  @Test func `without a STUN server only who can be called is found`() {
    let blind = PathSearch.Servers(hasStun: false)
    #expect(!paths(.port, .port, servers: blind).contains(.udpDirect))
    #expect(!paths(.fullCone, .fullCone, servers: blind).contains(.udpDirect))
    #expect(paths(.none, .symmetric, servers: blind).contains(.udpDirect))
    #expect(paths(.v6Filtered, .v6Filtered, servers: blind).contains(.udpDirect))
  }

  @Test func `a relay helps over what carriers it is asked by`() {
    func relayed(
      _ first: AccessKind, _ second: AccessKind, _ carriers: RelayBehavior.Carrier...
    ) -> [PathKind] {
      let relay = RelayBehavior(name: "relay", carriers)
      return paths(first, second, servers: PathSearch.Servers(relay: relay))
        .filter { $0 == .udpRelay || $0 == .tcpRelay }
    }
    #expect(relayed(.symmetric, .port).isEmpty)
    #expect(relayed(.symmetric, .port, .udp) == [.udpRelay])
    #expect(relayed(.symmetric, .port, .tcp) == [.tcpRelay])
    #expect(relayed(.symmetric, .port, .udp, .tcp) == [.udpRelay, .tcpRelay])
    #expect(relayed(.noUDP, .port, .udp).isEmpty)
    #expect(relayed(.noUDP, .port, .tcp) == [.tcpRelay])
    #expect(relayed(.tcp443, .port, .udp, .tcp).isEmpty)
    #expect(relayed(.tcp443, .port, .tls) == [.tcpRelay])
    // One asks over TCP, the other one over TLS.
    #expect(relayed(.tcp443, .noUDP, .tcp).isEmpty)
    #expect(relayed(.tcp443, .noUDP, .tcp, .tls) == [.tcpRelay])
  }

  @Test func `a relay of both families joins them, one of IPv4 helps nobody who has none`() {
    func relayed(_ first: AccessKind, _ second: AccessKind, _ relay: RelayBehavior) -> Bool {
      paths(first, second, servers: PathSearch.Servers(relay: relay)).contains(.tcpRelay)
    }
    #expect(relayed(.v6Only, .port, .all))
    #expect(!relayed(.v6Only, .port, .v4))
    #expect(relayed(.dualStack, .port, .v4))
    #expect(!relayed(.v6Only, .v6Filtered, .v4))
  }

  @Test func `a relay denies private peers where it is configured to`() {
    var behavior = RelayBehavior.all
    #expect(behavior.permits(.v4(203, 0, 113, 11)))
    for denied in [IPAddress.v4(10, 0, 0, 1), .v4(192, 168, 1, 10), .v4(100, 64, 0, 1)] {
      #expect(!behavior.permits(denied))
    }
    behavior.deniesPrivatePeers = false
    #expect(behavior.permits(.v4(10, 0, 0, 1)))
    #expect(!behavior.permits(.v4(224, 0, 0, 1)))
  }
}
