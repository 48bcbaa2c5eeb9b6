package import Call

/// Which ways between two accesses can work at all, found by trying everything on copies of their
/// gateways. It is the judge of whoever looks for such a way in a call, and shares nothing with it
/// but the gateways.
package struct PathSearch {
  /// What there is in the core besides the rendezvous server.
  package struct Servers: Hashable, Sendable {
    package var hasStun: Bool
    package var relay: RelayBehavior?

    package init(hasStun: Bool = true, relay: RelayBehavior? = nil) {
      self.hasStun = hasStun
      self.relay = relay
    }
  }

  private let ground: SearchGround
  private let servers: Servers

  package init(_ pair: AccessPair, servers: Servers = Servers()) {
    ground = SearchGround(pair, relay: servers.relay)
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
  ///
  /// Of an address that is given away the client says which family it is to be of (RFC 8656 §7.1),
  /// however it asks; and from whom datagrams get in there, by their IP address (§9).
  private func isRelayed(overStreams: Bool) -> Bool {
    guard let relay = servers.relay else { return false }
    return (0...1).contains { side in
      guard carriers(of: side).contains(where: { ($0 != .udp) == overStreams }) else {
        return false
      }
      let others = carriers(of: 1 - side).filter { $0 == .udp || overStreams }
      return ground.relayAddresses.contains { given in
        ground.isHeard(of: 1 - side, at: given, by: relay)
          || !others.isEmpty && relay.permits(given)
      }
    }
  }

  private func carriers(of side: Int) -> [RelayBehavior.Carrier] {
    (servers.relay?.carriers ?? []).filter {
      $0 == .udp
        ? ground.asksRelay(from: side, port: $0.port)
        : ground.reachesRelay(from: side, port: $0.port)
    }
  }
}
