package import Units

/// Computers, each behind its own access line, and a core between the lines that costs nothing.
package final class SimulatedNetwork {
  private let world: World
  private var hosts: [SimulatedHost] = []
  private var owners: [IPAddress: Int] = [:]
  /// Pairs that don't hear each other, whatever their lines do.
  private var partitions: [(Int, Int)] = []
  private var bottleneck: Bottleneck?
  private var sides: [Int: Bottleneck.Side] = [:]

  package init(_ world: World) { self.world = world }

  /// `addresses` defaults to one of each family.
  package func addHost(
    _ name: String, line: AccessLine, addresses: [IPAddress]? = nil
  ) -> SimulatedHost {
    let host = SimulatedHost(
      name, addresses: addresses ?? nextAddresses(), line: line, network: self, world: world)
    hosts.append(host)
    moved()
    return host
  }

  /// A line that left and right share; there is at most one.
  package func addBottleneck(forward: LinkConditions, backward: LinkConditions) -> Bottleneck {
    func line(_ conditions: LinkConditions) -> Line {
      Line(world, conditions) { [unowned self] in arrive($0) }
    }
    let made = Bottleneck(forward: line(forward), backward: line(backward))
    bottleneck = made
    return made
  }

  /// Who is on neither side passes by the bottleneck.
  package func place(_ host: SimulatedHost, on side: Bottleneck.Side) {
    guard let index = hosts.firstIndex(where: { $0 === host }) else { return }
    sides[index] = side
  }

  /// From 198.51.100.0/24 and 2001:db8::/32, the documentation's own (RFC 5737, RFC 3849).
  package func nextAddresses() -> [IPAddress] {
    given += 1
    let v6 = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [given]
    return [.v4(198, 51, 100, given)] + (IPAddress(bytes: v6).map { [$0] } ?? [])
  }
  private var given: UInt8 = 0

  package func partition(_ left: SimulatedHost, _ right: SimulatedHost) {
    guard let pair = pair(left, right) else { return }
    partitions.append(pair)
  }

  package func heal(_ left: SimulatedHost, _ right: SimulatedHost) {
    guard let pair = pair(left, right) else { return }
    partitions.removeAll { $0 == pair }
  }

  private func pair(_ left: SimulatedHost, _ right: SimulatedHost) -> (Int, Int)? {
    guard let a = hosts.firstIndex(where: { $0 === left }),
      let b = hosts.firstIndex(where: { $0 === right })
    else { return nil }
    return (min(a, b), max(a, b))
  }

  func moved() {
    owners = [:]
    for (index, host) in hosts.enumerated() {
      for address in host.addresses { owners[address] = index }
    }
  }

  /// Out of one computer's line, into another's.
  func route(_ packet: Packet) {
    guard let from = owners[packet.from.ip], let to = owners[packet.to.ip] else { return }
    let pair = (min(from, to), max(from, to))
    guard !partitions.contains(where: { $0 == pair }) else { return }
    if let bottleneck, let left = sides[from], let right = sides[to], left != right {
      bottleneck.line(left == .left ? .forward : .backward).offer(packet)
    } else {
      hosts[to].takeIn(packet)
    }
  }

  /// Out of the bottleneck.
  private func arrive(_ packet: Packet) {
    guard let to = owners[packet.to.ip] else { return }
    hosts[to].takeIn(packet)
  }

  /// Length and ends: whatever is sealed ends with a tag over all of it.
  private func add(_ bytes: [UInt8]) {
    world.trace.add(bytes.count)
    world.trace.add(Array(bytes.suffix(24)))
  }

  /// Out of the receiver's line.
  func deliver(_ packet: Packet) {
    guard let to = owners[packet.to.ip] else { return }
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
