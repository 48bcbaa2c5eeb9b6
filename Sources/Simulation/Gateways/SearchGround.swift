import Units

/// The network of a search: two sides, a server and a relay in the core, and neither lines nor time.
/// A copy is another course that things could have taken.
struct SearchGround {
  static let datagramPort: UInt16 = 5_000
  static let listenerPort: UInt16 = 6_000
  static let dialingPort: UInt16 = 7_000
  /// Of an address that the relay has given away.
  private static let relayedPort: UInt16 = 8_000

  /// What the gateways remember, in no order: two courses that led to the same are one.
  var memory: [Set<Gateway.Session>] { map.gateways.map { Set($0.sessions) } }

  private var map = NetworkMap()
  private var sides: [Int] = []
  private let server: Int
  private let relay: Int?

  init(_ pair: AccessPair, relay behavior: RelayBehavior?) {
    server = map.addHost(map.nextAddresses(in: 0), in: 0)
    if let behavior {
      relay = map.addHost(map.nextAddresses(in: 0).filter { behavior.has($0) }, in: 0)
    } else {
      relay = nil
    }
    var addresses = map.addresses(of: server)
    if let relay { addresses += map.addresses(of: relay) }
    var networks: [NetworkMap.Network] = []
    for (kind, shared) in [(pair.first, 0), (pair.second, pair.shared)] {
      networks = Array(networks.prefix(shared))
      for (index, behavior) in kind.gateways.enumerated().dropFirst(shared) {
        networks.append(
          map.addGateway(
            behavior, in: networks.last ?? 0, over: .behind(gateway: index, of: kind),
            servers: addresses, seed: UInt64(map.gateways.count)))
      }
      let network = networks.last ?? 0
      let own = map.nextAddresses(in: network).filter { kind.has($0) }
      sides.append(map.addHost(own, in: network))
    }
  }

  /// Of side 0 or 1.
  func addresses(of side: Int) -> [IPAddress] { map.addresses(of: sides[side]) }

  /// A side's address that can send to `other`.
  func address(of side: Int, for other: IPAddress) -> IPAddress? {
    addresses(of: side).first { $0.isV4 == other.isV4 }
  }

  /// What comes out at the other side.
  mutating func carry(_ header: PacketHeader, from side: Int) -> PacketHeader? {
    carry(header, from: sides[side], to: sides[1 - side])
  }

  private mutating func carry(
    _ header: PacketHeader, from: Int, to: Int
  ) -> PacketHeader? {
    guard
      case .standing(let passed, let network) = map.climb(
        header, from: map.network(of: from), at: .zero),
      case .arrived(let arrived, to) = map.descend(passed, from: network, at: .zero)
    else { return nil }
    return arrived
  }

  /// A datagram to the server and its answer; what the side looks like there.
  mutating func ask(from own: IPAddress, of side: Int, port: UInt16) -> SocketAddress? {
    guard let there = map.addresses(of: server).first(where: { $0.isV4 == own.isV4 }) else {
      return nil
    }
    return exchange(
      from: own, of: side, with: server, at: SocketAddress(there, port: port))
  }

  private mutating func exchange(
    from own: IPAddress, of side: Int, with host: Int, at there: SocketAddress
  ) -> SocketAddress? {
    let question = PacketHeader(
      from: SocketAddress(own, port: Self.datagramPort), to: there, content: .datagram)
    guard let asked = carry(question, from: sides[side], to: host),
      carry(
        PacketHeader(from: asked.to, to: asked.from, content: .datagram), from: host,
        to: sides[side]) != nil
    else { return nil }
    return asked.from
  }

  // MARK: The relay

  /// Empty where there is none.
  var relayAddresses: [IPAddress] { relay.map { map.addresses(of: $0) } ?? [] }

  /// Whether datagrams to the relay are answered.
  func asksRelay(from side: Int, port: UInt16) -> Bool {
    relayAddresses.contains { seen(of: side, at: SocketAddress($0, port: port)) != nil }
  }

  /// Whether datagrams pass both ways between a side and an address that the relay has given to the
  /// other one, who knows from where they come.
  func isHeard(of side: Int, at given: IPAddress, by behavior: RelayBehavior) -> Bool {
    seen(of: side, at: SocketAddress(given, port: Self.relayedPort)).map {
      behavior.permits($0.ip)
    } ?? false
  }

  private func seen(of side: Int, at there: SocketAddress) -> SocketAddress? {
    guard let relay, let own = address(of: side, for: there.ip) else { return nil }
    var course = self
    return course.exchange(from: own, of: side, with: relay, at: there)
  }

  /// Whether a connection to the relay comes about.
  func reachesRelay(from side: Int, port: UInt16) -> Bool {
    guard let relay else { return false }
    return relayAddresses.contains {
      opens(from: sides[side], to: relay, at: SocketAddress($0, port: port))
    }
  }

  /// Whether a connection to where the other side listens comes about.
  func dials(from side: Int) -> Bool {
    addresses(of: 1 - side).contains {
      opens(
        from: sides[side], to: sides[1 - side], at: SocketAddress($0, port: Self.listenerPort))
    }
  }

  private func opens(from caller: Int, to callee: Int, at target: SocketAddress) -> Bool {
    guard let own = map.addresses(of: caller).first(where: { $0.isV4 == target.ip.isV4 }) else {
      return false
    }
    let local = SocketAddress(own, port: Self.dialingPort)
    var course = self
    guard
      let called = course.carry(
        PacketHeader(from: local, to: target, content: .segment(.open)), from: caller, to: callee)
    else { return false }
    // Gateways know connections by both ends: where the answer passes, all the rest does.
    return course.carry(
      PacketHeader(from: called.to, to: called.from, content: .segment(.accept)), from: callee,
      to: caller) != nil
  }
}
