package import Units

/// Somebody's access on the simulated network: its gateways stand, and computers can be put behind
/// them.
package struct SimulatedAccess {
  package let kind: AccessKind
  /// From the core inwards.
  package let gateways: [SimulatedGateway]
}

extension SimulatedNetwork {
  /// `shared` gateways, from the core inwards, are those of `other`. `servers` are whom a gateway
  /// knows that lets UDP pass to servers only.
  package func addAccess(
    _ kind: AccessKind, sharing shared: Int = 0, of other: SimulatedAccess? = nil,
    servers: [IPAddress] = []
  ) -> SimulatedAccess {
    var gateways = Array(other?.gateways.prefix(shared) ?? [])
    for (index, behavior) in kind.gateways.enumerated().dropFirst(gateways.count) {
      gateways.append(
        addGateway(
          "\(kind) \(index)", behavior, behind: gateways.last,
          over: .behind(gateway: index, of: kind), servers: servers))
    }
    return SimulatedAccess(kind: kind, gateways: gateways)
  }

  /// Both sides of a pair.
  package func addAccesses(
    _ pair: AccessPair, servers: [IPAddress] = []
  ) -> (first: SimulatedAccess, second: SimulatedAccess) {
    let first = addAccess(pair.first, servers: servers)
    return (first, addAccess(pair.second, sharing: pair.shared, of: first, servers: servers))
  }

  package func addHost(
    _ name: String, line: AccessLine, at access: SimulatedAccess
  ) -> SimulatedHost {
    addHost(
      name, line: line, addresses: nextAddresses(at: access), behind: access.gateways.last)
  }

  /// Of the families that the access has.
  package func nextAddresses(at access: SimulatedAccess) -> [IPAddress] {
    nextAddresses(behind: access.gateways.last).filter { access.kind.has($0) }
  }
}

extension AccessKind {
  /// Whether a computer there has addresses of this one's family.
  func has(_ address: IPAddress) -> Bool { address.isV4 ? hasIPv4 : hasIPv6 }
}

extension PrivateNetwork {
  static func behind(gateway index: Int, of kind: AccessKind) -> PrivateNetwork {
    index + 1 < kind.gateways.count ? .carrier : .home
  }
}
