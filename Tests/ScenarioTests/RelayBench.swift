import Links
import Rooms
import Simulation
import Units
import Wire

/// A simulated relay in the core, and whoever asks it.
final class RelayBench {
  let world: World
  let network: SimulatedNetwork
  let relay: SimulatedRelay
  private let ciphers = SimulatedCipherSuite(seed: 9)

  init(_ behavior: RelayBehavior = .all, seed: UInt64 = 1) {
    world = World(seed: seed)
    network = SimulatedNetwork(world)
    relay = SimulatedRelay(world, network: network, behavior: behavior)
  }

  func credentials(
    _ name: String, secret: [UInt8]? = nil, secondsLeft: Int64 = 600
  ) -> TurnCredentials {
    .minted(
      name: Array(name.utf8), expiry: 1_800_000_000 + secondsLeft,
      secret: secret ?? relay.offer.secret, ciphers: ciphers)
  }

  func guest(
    _ carrier: RelayBehavior.Carrier = .udp, _ credentials: TurnCredentials? = nil,
    family: StunFamily = .v4, kind: AccessKind = .none
  ) -> RelayGuest {
    RelayGuest(
      self, carrier, credentials ?? self.credentials("one"), family: family, kind: kind,
      ciphers: ciphers)
  }
}

/// Our client of TURN on a computer of its own, which also sends datagrams without any relay.
final class RelayGuest {
  let host: SimulatedHost
  private let bench: RelayBench
  private let carrier: RelayBehavior.Carrier
  private var allocation: TurnAllocation
  private let socket: SocketID
  private let plain: SocketID
  /// The port that datagrams come from which don't go by the relay.
  let plainPort: UInt16
  private let stream = StreamID.dialed(1)
  private var pending: [[UInt8]] = []
  private var isConnected = false
  private(set) var relayed: [SocketAddress] = []
  private(set) var mapped: SocketAddress?
  private(set) var received: [(data: [UInt8], peer: SocketAddress)] = []
  private(set) var refused: [(ip: IPAddress, code: Int)] = []
  private(set) var failure: TurnFailure?
  private(set) var isClosed = false
  /// To the relay, and from it.
  private(set) var sent: [[UInt8]] = []
  private(set) var heard: [[UInt8]] = []
  /// What came past the relay.
  private(set) var plainlyHeard: [(data: [UInt8], from: SocketAddress)] = []

  init(
    _ bench: RelayBench, _ carrier: RelayBehavior.Carrier, _ credentials: TurnCredentials,
    family: StunFamily, kind: AccessKind, ciphers: SimulatedCipherSuite
  ) {
    self.bench = bench
    self.carrier = carrier
    host = bench.network.addHost("guest", line: .local, at: bench.network.addAccess(kind))
    socket = host.bindDatagram().0
    (plain, plainPort) = host.bindDatagram()
    allocation = TurnAllocation(
      over: carrier == .udp ? .datagrams : .stream, family: family, credentials: credentials,
      ciphers: ciphers, at: bench.world.now)
    host.program = { [unowned self] in take($0) }
    if carrier != .udp { host.dial(stream, to: server) }
    settle()
  }

  private var server: SocketAddress {
    let isV4 = host.addresses[0].isV4
    let ip = bench.relay.host.addresses.first { $0.isV4 == isV4 }
    return SocketAddress(ip ?? .loopbackV4, port: carrier.port)
  }

  func handle(_ input: TurnAllocation.Input) {
    allocation.handle(input, at: bench.world.now)
    settle()
  }

  func send(_ data: [UInt8], to peer: SocketAddress) { handle(.send(data, to: peer)) }

  func sendPlainly(_ data: [UInt8], to peer: SocketAddress) {
    host.transmit(data, to: peer, from: plain)
  }

  /// To the relay, as it is.
  func transmit(_ bytes: [UInt8]) {
    sent.append(bytes)
    if carrier == .udp {
      host.transmit(bytes, to: server, from: socket)
    } else if isConnected {
      host.write(bytes, on: stream)
    } else {
      pending.append(bytes)
    }
  }

  func hangUp() { host.hangUp(stream) }

  private func take(_ event: NetworkEvent) {
    switch event {
    case .datagram(let bytes, let from, plain): plainlyHeard.append((bytes, from))
    case .datagram(let bytes, _, _), .stream(let bytes, _):
      heard.append(bytes)
      handle(.received(bytes))
    case .dialed:
      isConnected = true
      for bytes in pending { host.write(bytes, on: stream) }
    case .accepted, .dialFailed, .streamClosed, .backlog: return
    }
  }

  private func settle() {
    while let output = allocation.nextOutput() {
      switch output {
      case .transmit(let bytes): transmit(bytes)
      case .allocated(let relayed, let mapped):
        self.relayed.append(relayed)
        self.mapped = mapped
      case .received(let data, let peer): received.append((data, peer))
      case .refused(let ip, let code): refused.append((ip, code))
      case .failed(let failure): self.failure = failure
      case .closed: isClosed = true
      }
    }
    guard let deadline = allocation.nextDeadline else { return }
    bench.world.schedule(at: deadline.at) { [weak self] in
      guard let self, let due = allocation.nextDeadline, due.at <= bench.world.now else { return }
      handle(.timeout)
    }
  }
}
