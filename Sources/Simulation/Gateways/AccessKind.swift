import Units

/// How somebody is connected: what stands between a computer and the core. The line's delay and
/// loss are `AccessLine`'s.
package struct AccessKind: Hashable, Sendable {
  package var name: String
  /// From the core inwards: a carrier's, then the home's.
  package var gateways: [GatewayBehavior] = []
  package var hasIPv4 = true
  package var hasIPv6 = false

  package init(name: String, gateways: [GatewayBehavior] = []) {
    self.name = name
    self.gateways = gateways
  }

  fileprivate init(
    name: String, _ gateway: GatewayBehavior, _ edit: (inout GatewayBehavior) -> Void = { _ in }
  ) {
    var behavior = gateway
    edit(&behavior)
    self.init(name: name, gateways: [behavior])
  }
}

extension AccessKind: CustomStringConvertible {
  package var description: String { name }
}

extension GatewayBehavior {
  /// What most homes have: Linux's masquerade, as a socket in a call sees it.
  package static let portRestricted = GatewayBehavior()
  package static let symmetric: GatewayBehavior = {
    var behavior = GatewayBehavior(mapping: .addressAndPortDependent)
    behavior.ports = .random
    return behavior
  }()
}

/// The first eight have the names that the laboratory of real namespaces gives them.
extension AccessKind {
  /// An address of its own, and nothing in between.
  package static let none = AccessKind(name: "none")
  package static let fullCone = AccessKind(
    name: "fullcone", GatewayBehavior(filtering: .endpointIndependent))
  package static let address = AccessKind(
    name: "addr", GatewayBehavior(filtering: .addressDependent))
  package static let port = AccessKind(name: "port", .portRestricted)
  package static let symmetric = AccessKind(name: "symmetric", .symmetric)
  package static let noUDP = AccessKind(name: "noudp", .portRestricted) {
    $0.datagrams = .blocked
  }
  package static let tcp443 = AccessKind(name: "tcp443", .portRestricted) {
    $0.datagrams = .blocked
    $0.streamPorts = [443]
  }
  package static let silent = AccessKind(name: "silent", .portRestricted) {
    $0.datagrams = .serversOnly
  }

  /// Mappings by address, and drawn ports: not all that are hard are symmetric.
  package static let addressMapped = AccessKind(
    name: "addr-mapped", GatewayBehavior(mapping: .addressDependent)
  ) { $0.ports = .random }
  /// Only a mapping's port is drawn: nothing is hard about it.
  package static let drawnPort = AccessKind(name: "drawn-port", .portRestricted) {
    $0.ports = .random
  }
  package static let hairpin = AccessKind(name: "hairpin", .portRestricted) {
    $0.hairpins = true
  }
  /// Half a minute is what the hastiest routers give; keepalives must come sooner.
  package static let hasty = AccessKind(name: "hasty", .portRestricted) {
    $0.datagramLifetime = .seconds(30)
  }
  /// A home behind a carrier's translator, that is as RFC 6888 wants it, or does not hairpin, or
  /// is symmetric.
  package static let cgnat = AccessKind(
    name: "cgnat+port", gateways: [hairpin.gateways[0], .portRestricted])
  package static let cgnatWithoutHairpin = AccessKind(
    name: "cgnat-nohairpin+port", gateways: [.portRestricted, .portRestricted])
  package static let cgnatSymmetric = AccessKind(
    name: "cgnat-symmetric+port", gateways: [.symmetric, .portRestricted])

  /// An address of either family, and nothing in between.
  package static let dualStack = {
    var kind = AccessKind(name: "dual")
    kind.hasIPv6 = true
    return kind
  }()
  package static let v6Only = {
    var kind = AccessKind(name: "v6")
    kind.hasIPv4 = false
    kind.hasIPv6 = true
    return kind
  }()
  package static let v6Filtered = {
    var kind = v6Only
    kind.name = "v6-filtered"
    kind.gateways = [filter]
    return kind
  }()
  /// IPv6 behind a filter, and IPv4 behind a translator that is hard to pass.
  package static let dualFiltered = {
    var kind = AccessKind(name: "dual-filtered", .symmetric) { $0.ipv6 = filter.ipv6 }
    kind.hasIPv6 = true
    return kind
  }()
  private static let filter = {
    var behavior = GatewayBehavior()
    behavior.ipv6 = .filtered(.addressAndPortDependent)
    return behavior
  }()

  package static let presets = [
    none, fullCone, address, port, symmetric, noUDP, tcp443, silent, addressMapped, drawnPort,
    hairpin, hasty, cgnat, cgnatWithoutHairpin, cgnatSymmetric, dualStack, v6Only, v6Filtered,
    dualFiltered,
  ]
}

/// Two who want to meet, and how many of their gateways they share, from the core inwards.
package struct AccessPair: Hashable, Sendable {
  package var first: AccessKind
  package var second: AccessKind
  /// 0: apart. All: neighbours in one network. 1 of 2: homes of one carrier.
  package var shared = 0

  /// Traps unless both have the shared gateways alike.
  package init(_ first: AccessKind, _ second: AccessKind, shared: Int = 0) {
    precondition(first.gateways.prefix(shared) == second.gateways.prefix(shared))
    self.first = first
    self.second = second
    self.shared = shared
  }

  /// Every two presets apart, and every place that two of one kind can share.
  package static let all: [AccessPair] = {
    var pairs: [AccessPair] = []
    for (index, first) in AccessKind.presets.enumerated() {
      for second in AccessKind.presets[index...] { pairs.append(AccessPair(first, second)) }
      for shared in first.gateways.indices {
        pairs.append(AccessPair(first, first, shared: shared + 1))
      }
    }
    return pairs
  }()
}

extension AccessPair: CustomStringConvertible {
  package var description: String {
    let between =
      switch shared {
      case 0: "and"
      case first.gateways.count: "beside"
      default: "under one carrier with"
      }
    return "\(first) \(between) \(second)"
  }
}
