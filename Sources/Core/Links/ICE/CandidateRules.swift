package import Units
package import Wire

/// Which candidates are offered and accepted, and how they rank.
package enum CandidateRules {
  /// TCP candidates of one peer that are dialled.
  package static let dialLimit = 8

  /// Addresses that no peer can mean in earnest are refused: a box must not be able to aim our
  /// packets at a neighbour's multicast group or our own loopback services.
  package static func accepts(_ address: SocketAddress, allowsLoopback: Bool) -> Bool {
    address.port != 0 && accepts(address.ip, allowsLoopback: allowsLoopback)
  }

  /// The same of an address without a port.
  package static func accepts(_ ip: IPAddress, allowsLoopback: Bool) -> Bool {
    guard !ip.isUnspecified, !ip.isMulticast, !ip.isLinkLocal else { return false }
    if ip.isV4, ip.bytes[0] == 0 || ip.bytes == [255, 255, 255, 255] { return false }
    return allowsLoopback || !ip.isLoopback
  }

  /// Whether a peer's candidate is of any use to us. With `.tcp` its UDP addresses are for our relays
  /// over TCP.
  static func mayReach(_ candidate: Candidate, over transport: Transport, ways: Ways) -> Bool {
    switch candidate.transport {
    case .tcp: transport != .udp && ways != .relayed
    case .udp where ways == .direct: transport != .tcp && candidate.kind != .relayed
    case .udp: true
    }
  }

  /// Whether a relay at a public address has a way to this one: it refuses the peer where it is
  /// configured as ours is, and else coturn ends an allocation that sends where no route leads.
  static func mayReach(_ remote: IPAddress, fromRelayAt relayed: IPAddress) -> Bool {
    relayed.isInternal || !remote.isInternal
  }

  /// RFC 8445 §5.1.2.1 with component 1; `index` is the endpoint's place in the runtime's order
  /// of preference.
  package static func priority(typePreference: UInt32, index: Int) -> UInt32 {
    let localPreference = UInt32(65_535 - min(index, 65_535))
    return typePreference << 24 | localPreference << 8 | 255
  }
  package static let hostPreference: UInt32 = 126
  package static let peerReflexivePreference: UInt32 = 110
  package static let reflexivePreference: UInt32 = 100
  /// RFC 8445 §5.1.2.2: below all others.
  package static let relayedPreference: UInt32 = 0

  /// Equal for the same kind, transport, base address and server that told it (RFC 8445 §5.1.1.3): FNV-1a.
  package static func foundation(
    kind: Candidate.Kind, transport: Candidate.Transport, base: IPAddress,
    server: IPAddress? = nil
  ) -> UInt32 {
    let words = [kind.rawValue, transport.rawValue] + base.bytes + (server?.bytes ?? [])
    return words.reduce(0x811C_9DC5) { hash, byte in (hash ^ UInt32(byte)) &* 0x0100_0193 }
  }

  /// Places in a description that host candidates leave to others.
  private static let reserved = 8

  /// These endpoints with their candidates, in their order.
  package static func hostCandidates(
    of endpoints: [LocalEndpoint], transport: Transport, allowsLoopback: Bool
  ) -> [(LocalEndpoint, Candidate)] {
    var candidates: [(LocalEndpoint, Candidate)] = []
    for (index, endpoint) in endpoints.enumerated() {
      let kind: Candidate.Transport
      let address: SocketAddress
      switch endpoint {
      case .datagram(_, let bound): (kind, address) = (.udp, bound)
      case .listener(let listening): (kind, address) = (.tcp, listening)
      }
      guard accepts(address, allowsLoopback: allowsLoopback),
        transport == .auto || (transport == .udp) == (kind == .udp),
        candidates.count < LinkDescription.candidateLimit - reserved
      else { continue }
      candidates.append(
        (
          endpoint,
          Candidate(
            transport: kind, kind: .host,
            foundation: foundation(kind: .host, transport: kind, base: address.ip),
            priority: priority(typePreference: hostPreference, index: index), address: address)
        ))
    }
    return candidates
  }
}
