import Units

/// The network of a search: two sides, a server in the core, and neither lines nor time. A copy is
/// another course that things could have taken.
struct SearchGround {
  static let datagramPort: UInt16 = 5_000
  static let listenerPort: UInt16 = 6_000
  static let dialingPort: UInt16 = 7_000

  /// What the gateways remember, in no order: two courses that led to the same are one.
  var memory: [Set<Gateway.Session>] { map.gateways.map { Set($0.sessions) } }

  private var map = NetworkMap()
  private var sides: [Int] = []
  private let server: Int

  init(_ pair: AccessPair) {
    let addresses = map.nextAddresses(in: 0)
    server = map.addHost(addresses, in: 0)
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
    let question = PacketHeader(
      from: SocketAddress(own, port: Self.datagramPort), to: SocketAddress(there, port: port),
      content: .datagram)
    guard let asked = carry(question, from: sides[side], to: server),
      carry(
        PacketHeader(from: asked.to, to: asked.from, content: .datagram), from: server,
        to: sides[side]) != nil
    else { return nil }
    return asked.from
  }

  /// Whether a connection to the server comes about.
  func reachesServer(from side: Int, port: UInt16) -> Bool {
    map.addresses(of: server).contains {
      opens(from: sides[side], to: server, at: SocketAddress($0, port: port))
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
