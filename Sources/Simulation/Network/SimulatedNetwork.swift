package import Units

/// Computers, each behind its own access line, local networks behind gateways, and a core between
/// them; the core and the gateways cost nothing.
package final class SimulatedNetwork {
  private let world: World
  private var hosts: [SimulatedHost] = []
  private var map = NetworkMap()
  /// Pairs that don't hear each other, whatever their lines do.
  private var partitions: [(Int, Int)] = []
  private var bottleneck: Bottleneck?
  private var sides: [Int: Bottleneck.Side] = [:]

  package init(_ world: World) { self.world = world }

  /// `addresses` defaults to one of each family that there is; without a gateway it is in the core.
  package func addHost(
    _ name: String, line: AccessLine, addresses: [IPAddress]? = nil,
    behind gateway: SimulatedGateway? = nil
  ) -> SimulatedHost {
    let addresses = addresses ?? nextAddresses(behind: gateway)
    let index = map.addHost(addresses, in: gateway?.network ?? 0)
    let host = SimulatedHost(
      name, index: index, addresses: addresses, line: line, network: self, world: world)
    hosts.append(host)
    return host
  }

  /// Behind another one, or between the core and a network of its own. `servers` are whom
  /// `DatagramPolicy.serversOnly` lets through.
  package func addGateway(
    _ name: String, _ behavior: GatewayBehavior, behind outer: SimulatedGateway? = nil,
    over inside: PrivateNetwork = .home, servers: [IPAddress] = []
  ) -> SimulatedGateway {
    var random = world.split()
    let network = map.addGateway(
      behavior, in: outer?.network ?? 0, over: inside, servers: servers, seed: random.next())
    return SimulatedGateway(name, network: network, simulated: self)
  }

  func rebind(_ gateway: SimulatedGateway, keepsAddress: Bool) {
    map.rebindGateway(of: gateway.network, keepsAddress: keepsAddress)
  }

  /// A line that left and right share; there is at most one.
  package func addBottleneck(forward: LinkConditions, backward: LinkConditions) -> Bottleneck {
    func line(_ conditions: LinkConditions) -> Line {
      Line(world, conditions) { [unowned self] in arrive($0, in: 0) }
    }
    let made = Bottleneck(forward: line(forward), backward: line(backward))
    bottleneck = made
    return made
  }

  /// Who is on neither side passes by the bottleneck. It stands in the core: those behind the same
  /// gateway reach each other without it.
  package func place(_ host: SimulatedHost, on side: Bottleneck.Side) {
    sides[host.index] = side
  }

  /// One of each family that there is.
  package func nextAddresses(behind gateway: SimulatedGateway? = nil) -> [IPAddress] {
    map.nextAddresses(in: gateway?.network ?? 0)
  }

  package func partition(_ left: SimulatedHost, _ right: SimulatedHost) {
    partitions.append(pair(left.index, right.index))
  }

  package func heal(_ left: SimulatedHost, _ right: SimulatedHost) {
    let pair = pair(left.index, right.index)
    partitions.removeAll { $0 == pair }
  }

  private func pair(_ left: Int, _ right: Int) -> (Int, Int) {
    (min(left, right), max(left, right))
  }

  func moved(_ host: SimulatedHost, behind gateway: SimulatedGateway?) {
    map.move(host.index, to: host.addresses, in: gateway?.network ?? 0)
  }

  /// Out of one computer's line, into another's.
  func route(_ packet: Packet, from host: Int) {
    // What was under way from an address that is gone is lost.
    guard map.addresses(of: host).contains(packet.from.ip) else { return }
    var packet = packet
    packet.sender = host
    forward(packet, from: map.network(of: host))
  }

  private func forward(_ packet: Packet, from network: NetworkMap.Network) {
    guard let header = packet.header else { return }
    switch map.climb(header, from: network, at: world.now) {
    case .standing(let header, let network):
      let packet = packet.readdressed(header)
      if let line = bottleneck(for: packet, in: network) {
        line.offer(packet)
      } else {
        arrive(packet, in: network)
      }
    case .refused(let reset, let network): refuse(reset, in: network)
    case .arrived, .lost: return
    }
  }

  /// The line that a packet has to take from one side to the other.
  private func bottleneck(for packet: Packet, in network: NetworkMap.Network) -> Line? {
    guard let bottleneck, network == 0, let sender = packet.sender, let left = sides[sender],
      let right = side(of: packet.to.ip), left != right
    else { return nil }
    return bottleneck.line(left == .left ? .forward : .backward)
  }

  /// A gateway is where the first host behind it is.
  private func side(of address: IPAddress) -> Bottleneck.Side? {
    switch map.owner(of: address, in: 0) {
    case .host(let host): sides[host]
    case .gateway(let gateway):
      hosts.indices.first { map.isBehind($0, gateway) && sides[$0] != nil }.flatMap { sides[$0] }
    case nil: nil
    }
  }

  /// Out of the core or the local network where its destination is.
  private func arrive(_ packet: Packet, in network: NetworkMap.Network) {
    guard let header = packet.header else { return }
    switch map.descend(header, from: network, at: world.now) {
    case .arrived(let header, let host):
      if let sender = packet.sender {
        let pair = pair(sender, host)
        guard !partitions.contains(where: { $0 == pair }) else { return }
      }
      hosts[host].takeIn(packet.readdressed(header))
    case .refused(let reset, let network): refuse(reset, in: network)
    case .standing, .lost: return
    }
  }

  private func refuse(_ reset: PacketHeader, in network: NetworkMap.Network) {
    forward(
      Packet(from: reset.from, to: reset.to, payload: .segment(StreamSegment(kind: .reset))),
      from: network)
  }

  /// Length and ends: whatever is sealed ends with a tag over all of it.
  private func add(_ bytes: [UInt8]) {
    world.trace.add(bytes.count)
    world.trace.add(Array(bytes.suffix(24)))
  }

  /// Out of the receiver's line.
  func deliver(_ packet: Packet, to: Int) {
    guard map.addresses(of: to).contains(packet.to.ip) else { return }
    world.trace.add("packet", at: world.now)
    world.trace.add(to)
    switch packet.payload {
    case .datagram(let bytes): add(bytes)
    case .segment(let segment):
      world.trace.add(Int(segment.offset))
      add(segment.bytes)
    case .carried: return
    }
    hosts[to].receive(packet)
  }
}
