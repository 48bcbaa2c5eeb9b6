package import Call

/// Which ways between two accesses can work at all, found by trying everything on copies of their
/// gateways. It is the judge of whoever looks for such a way in a call, and shares nothing with it
/// but the gateways.
package struct PathSearch {
  /// What there is in the core besides the rendezvous server.
  package struct Servers: Hashable, Sendable {
    /// How a relay (TURN, RFC 8656) can be asked.
    package enum Carrier: Hashable, Sendable, CaseIterable {
      case udp
      case tcp
      /// At port 443, which firewalls leave open.
      case tls

      var port: UInt16 { self == .tls ? 443 : 3_478 }
    }
    package var hasStun: Bool
    package var relay: [Carrier]

    package init(hasStun: Bool = true, relay: [Carrier] = []) {
      self.hasStun = hasStun
      self.relay = relay
    }
  }

  private let ground: SearchGround
  private let servers: Servers

  package init(_ pair: AccessPair, servers: Servers = Servers()) {
    ground = SearchGround(pair)
    self.servers = servers
  }

  /// In the order of preference.
  package var paths: [PathKind] {
    var paths: [PathKind] = []
    if DatagramSearch(ground, hasStun: servers.hasStun).succeeds() { paths.append(.udpDirect) }
    // A call stands alone: what lets its answer in is the caller's own port, which is new.
    if (0...1).contains(where: { ground.dials(from: $0) }) { paths.append(.tcpDirect) }
    if isRelayed(overStreams: false) { paths.append(.udpRelay) }
    if isRelayed(overStreams: true) { paths.append(.tcpRelay) }
    return paths
  }

  /// One side has the relay give it an address, over TCP or TLS or not; the other one sends there,
  /// or by an address of its own at the relay. A way that is over TCP anywhere is so as a whole.
  private func isRelayed(overStreams: Bool) -> Bool {
    (0...1).contains { side in
      let carriers = carriers(of: side).filter { ($0 != .udp) == overStreams }
      guard !carriers.isEmpty else { return false }
      return sendsDatagrams(1 - side) || (overStreams && !self.carriers(of: 1 - side).isEmpty)
    }
  }

  private func carriers(of side: Int) -> [Servers.Carrier] {
    servers.relay.filter {
      $0 == .udp ? sendsDatagrams(side) : ground.reachesServer(from: side, port: $0.port)
    }
  }

  private func sendsDatagrams(_ side: Int) -> Bool {
    ground.addresses(of: side).contains {
      var course = ground
      return course.ask(from: $0, of: side, port: Servers.Carrier.udp.port) != nil
    }
  }
}
