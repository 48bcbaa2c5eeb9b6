import Links
import Simulation
import Units

/// A computer of a test with one UDP socket, and what it was told.
final class BenchComputer {
  let host: SimulatedHost
  let port: UInt16
  /// Kept alive by whoever is in it.
  private let bench: GatewayBench
  private let socket: SocketID
  private(set) var heard: [(from: SocketAddress, bytes: [UInt8])] = []
  private(set) var dialed: [StreamID] = []
  private(set) var failed: [StreamID] = []
  private(set) var closed: [StreamID] = []
  private(set) var accepted: [(id: StreamID, from: SocketAddress)] = []
  private(set) var streamed: [UInt8] = []

  init(_ host: SimulatedHost, in bench: GatewayBench, port: UInt16? = nil) {
    self.host = host
    self.bench = bench
    (socket, self.port) = host.bindDatagram(port: port)
    host.program = { [unowned self] in take($0) }
  }

  private func take(_ event: NetworkEvent) {
    switch event {
    case .datagram(let bytes, let from, _): heard.append((from, bytes))
    case .accepted(let id, let from, _): accepted.append((id, from))
    case .dialed(let id): dialed.append(id)
    case .dialFailed(let id): failed.append(id)
    case .stream(let bytes, _): streamed += bytes
    case .streamClosed(let id): closed.append(id)
    case .backlog: return
    }
  }

  func address(isV4: Bool = true, port other: UInt16? = nil) -> SocketAddress {
    let ip = host.addresses.first { $0.isV4 == isV4 } ?? .loopbackV4
    return SocketAddress(ip, port: other ?? port)
  }

  /// Sends a datagram and lets it arrive.
  func send(_ bytes: [UInt8] = [1], to: SocketAddress) {
    host.transmit(bytes, to: to, from: socket)
    bench.world.run(for: .milliseconds(1))
  }

  /// Whether a datagram reaches `other` at `address`, and as what.
  func reaches(_ other: BenchComputer, at address: SocketAddress) -> SocketAddress? {
    let before = other.heard.count
    send(to: address)
    return other.heard.count > before ? other.heard.last?.from : nil
  }

  /// As what a computer in the core sees it.
  func outside(at server: BenchComputer) -> SocketAddress? {
    reaches(server, at: server.address())
  }
}

/// A network with gateways over lines that cost nothing.
final class GatewayBench {
  let world: World
  let network: SimulatedNetwork
  private static let line = AccessLine(name: "none", both: LinkConditions())

  init(seed: UInt64 = 1) {
    world = World(seed: seed)
    network = SimulatedNetwork(world)
  }

  func computer(
    _ name: String, behind gateway: SimulatedGateway? = nil, addresses: [IPAddress]? = nil,
    port: UInt16? = nil
  ) -> BenchComputer {
    BenchComputer(
      network.addHost(name, line: Self.line, addresses: addresses, behind: gateway), in: self,
      port: port)
  }

  func gateway(
    mapping: GatewayBehavior.Dependence = .endpointIndependent,
    filtering: GatewayBehavior.Dependence = .addressAndPortDependent,
    behind outer: SimulatedGateway? = nil, over inside: PrivateNetwork = .home,
    servers: [IPAddress] = [], _ edit: (inout GatewayBehavior) -> Void = { _ in }
  ) -> SimulatedGateway {
    var behavior = GatewayBehavior(mapping: mapping, filtering: filtering)
    edit(&behavior)
    return network.addGateway(
      "gateway", behavior, behind: outer, over: inside, servers: servers)
  }
}
