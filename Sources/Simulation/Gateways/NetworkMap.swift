import Units

/// Who is where: the core, the local networks behind gateways, and the way of a packet between
/// them. It has neither lines nor a clock: `SimulatedNetwork` puts them around it, and a search
/// tries out copies of it.
struct NetworkMap {
  /// The core is network 0, what is behind gateway n is network n + 1. Addresses of IPv4 are found
  /// within one network only: two homes may both have a 192.168.1.10.
  typealias Network = Int

  enum Place: Hashable {
    case host(Int)
    case gateway(Int)
  }

  enum Progress {
    /// In a network where its destination is, or in the core.
    case standing(PacketHeader, in: Network)
    case arrived(PacketHeader, host: Int)
    /// A reset that a gateway sends, and the network where it begins.
    case refused(PacketHeader, in: Network)
    case lost
  }

  private struct Host {
    var addresses: [IPAddress]
    var network: Network
  }
  private struct LocalNetwork {
    /// The first three bytes of its IPv4 addresses.
    var prefix: [UInt8]
    /// How many addresses were given away.
    var given: UInt8
    /// Where its gateway's outside is; the core's own is never asked for.
    var outside: Network = 0
    var hasIPv6 = true
  }

  private(set) var gateways: [Gateway] = []
  private var hosts: [Host] = []
  private var networks: [LocalNetwork]
  private var owners: [[IPAddress: Place]] = [[:]]
  /// Public addresses of gateways that were given away.
  private var givenToGateways: UInt8 = 10

  /// The documentation's own addresses (RFC 5737, RFC 3849).
  init() { networks = [LocalNetwork(prefix: [198, 51, 100], given: 0)] }

  // MARK: Who is there

  /// The number of the new host; the first is 0.
  mutating func addHost(_ addresses: [IPAddress], in network: Network) -> Int {
    hosts.append(Host(addresses: addresses, network: network))
    refresh()
    return hosts.count - 1
  }

  mutating func move(_ host: Int, to addresses: [IPAddress], in network: Network) {
    hosts[host] = Host(addresses: addresses, network: network)
    refresh()
  }

  /// The network behind the new gateway.
  mutating func addGateway(
    _ behavior: GatewayBehavior, in outside: Network, over inside: PrivateNetwork,
    servers: [IPAddress], seed: UInt64
  ) -> Network {
    gateways.append(
      Gateway(behavior, address: nextGatewayAddress(in: outside), servers: servers, seed: seed))
    networks.append(
      LocalNetwork(
        prefix: inside.prefix, given: 9, outside: outside,
        hasIPv6: networks[outside].hasIPv6 && behavior.ipv6 != .none))
    owners.append([:])
    refresh()
    return gateways.count
  }

  /// The gateway of `network` forgets everything.
  mutating func rebindGateway(of network: Network, keepsAddress: Bool) {
    gateways[network - 1].rebind(
      to: keepsAddress ? nil : nextGatewayAddress(in: networks[network].outside))
    refresh()
  }

  private mutating func nextGatewayAddress(in network: Network) -> IPAddress {
    guard network == 0 else { return nextV4(in: network) }
    givenToGateways += 1
    return .v4(203, 0, 113, givenToGateways)
  }

  /// One of each family that there is.
  mutating func nextAddresses(in network: Network) -> [IPAddress] {
    let v4 = nextV4(in: network)
    guard networks[network].hasIPv6 else { return [v4] }
    let v6: [UInt8] =
      [0x20, 0x01, 0x0D, 0xB8, 0, 0, UInt8(network >> 8), UInt8(network & 0xFF)]
      + [UInt8](repeating: 0, count: 7) + [networks[network].given]
    return [v4] + (IPAddress(bytes: v6).map { [$0] } ?? [])
  }

  private mutating func nextV4(in network: Network) -> IPAddress {
    networks[network].given += 1
    let prefix = networks[network].prefix
    return .v4(prefix[0], prefix[1], prefix[2], networks[network].given)
  }

  private mutating func refresh() {
    for network in owners.indices { owners[network] = [:] }
    for (index, host) in hosts.enumerated() {
      for address in host.addresses {
        owners[host.network][address] = .host(index)
        guard !address.isV4 else { continue }
        // IPv6 is routed, not translated: every network further out knows the way.
        var network = host.network
        while network > 0 {
          let gateway = network - 1
          network = networks[network].outside
          owners[network][address] = .gateway(gateway)
        }
      }
    }
    for (index, gateway) in gateways.enumerated() {
      owners[networks[index + 1].outside][gateway.address] = .gateway(index)
    }
  }

  func network(of host: Int) -> Network { hosts[host].network }
  func addresses(of host: Int) -> [IPAddress] { hosts[host].addresses }
  func isBehind(_ host: Int, _ gateway: Int) -> Bool {
    var network = hosts[host].network
    while network > 0, network != gateway + 1 { network = networks[network].outside }
    return network > 0
  }
  func owner(of address: IPAddress, in network: Network) -> Place? { owners[network][address] }

  // MARK: The way of a packet

  /// Out of local networks, as far as it has to go.
  mutating func climb(
    _ header: PacketHeader, from start: Network, at now: Instant
  ) -> Progress {
    var header = header
    var network = start
    while network > 0, owners[network][header.to.ip] == nil {
      // A neighbour that does not exist is asked for in the local network only.
      if header.to.ip.isV4, header.to.ip.bytes.starts(with: networks[network].prefix) {
        return .lost
      }
      switch gateways[network - 1].sendOut(header, at: now) {
      case .onward(let passed): header = passed
      case .turned(let turned): return .standing(turned, in: network)
      case .refused: return .refused(header.reset, in: network)
      case .dropped: return .lost
      }
      network = networks[network].outside
    }
    return .standing(header, in: network)
  }

  /// To whom it is for.
  mutating func descend(
    _ header: PacketHeader, from start: Network, at now: Instant
  ) -> Progress {
    var header = header
    var network = start
    while true {
      switch owners[network][header.to.ip] {
      case nil: return .lost
      case .host(let host): return .arrived(header, host: host)
      case .gateway(let gateway):
        switch gateways[gateway].takeIn(header, at: now) {
        case .onward(let passed): header = passed
        case .refused: return .refused(header.reset, in: network)
        case .turned, .dropped: return .lost
        }
        network = gateway + 1
      }
    }
  }
}

/// The addresses of a local network: the first three bytes.
package struct PrivateNetwork: Hashable, Sendable {
  let prefix: [UInt8]

  package init(_ a: UInt8, _ b: UInt8, _ c: UInt8) { prefix = [a, b, c] }

  /// What most homes have (RFC 1918).
  package static let home = PrivateNetwork(192, 168, 1)
  /// Between a carrier's translator and the homes (RFC 6598).
  package static let carrier = PrivateNetwork(100, 64, 0)
}
