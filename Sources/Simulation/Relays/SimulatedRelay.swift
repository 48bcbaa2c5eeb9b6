package import Links
package import Rooms
package import Units
import Wire

/// A relay on a simulated computer: asked over UDP, TCP or simulated TLS, with a socket of its own on
/// the network for every address that it gives away.
package final class SimulatedRelay {
  /// What a client's connection carries.
  private final class Connection {
    let client: TurnService.Client
    let stream: StreamID
    /// Of TLS; `nil` over TCP.
    let session: (any SecureSession)?
    var splitter = TurnSplitter()

    init(_ stream: StreamID, from source: SocketAddress, session: (any SecureSession)?) {
      self.stream = stream
      self.session = session
      client = .stream(stream, from: source)
    }
  }

  package let host: SimulatedHost
  package let behavior: RelayBehavior
  private let world: World
  private let secret: [UInt8]
  private let sessions: SimulatedSessionFactory
  private var random: SeededRandom
  private var service: TurnService
  /// That of UDP; `nil` where it isn't asked so.
  private var socket: SocketID?
  private var connections: [Connection] = []
  /// Datagrams that went through it to peers.
  package private(set) var forwarded = 0

  package init(
    _ world: World, network: SimulatedNetwork, behavior: RelayBehavior,
    line: AccessLine = .local
  ) {
    self.world = world
    self.behavior = behavior
    var random = world.split()
    let addresses = network.nextAddresses().filter { behavior.has($0) }
    let host = network.addHost("relay", line: line, addresses: addresses)
    self.host = host
    secret = random.bytes(32)
    sessions = SimulatedSessionFactory(seed: random.next())
    service = TurnService(
      behavior, at: addresses, secret: secret,
      clock: WallClock(unixSeconds: SimulatedServer.unixSeconds, at: .zero),
      ciphers: SimulatedCipherSuite(seed: random.next()), bind: { host.bindDatagram() })
    self.random = random
    for carrier in behavior.carriers {
      switch carrier {
      case .udp: socket = host.bindDatagram(port: carrier.port).0
      case .tcp, .tls: _ = host.listen(port: carrier.port)
      }
    }
    host.program = { [unowned self] in take($0) }
  }

  /// What the rendezvous server tells its members.
  package var offer: RelayOffer {
    RelayOffer(
      servers: behavior.carriers.flatMap { carrier in
        host.addresses.map {
          RelayServer(
            carrier.wire, SocketAddress($0, port: carrier.port), host: TurnService.realm)
        }
      }, secret: secret)
  }

  /// How a client speaks TLS with it: it knows its certificate.
  package func makeSessions() -> any RelaySessionFactory {
    Sessions(
      factory: SimulatedSessionFactory(seed: random.next()), keyHash: sessions.certificateKeyHash)
  }

  private struct Sessions: RelaySessionFactory {
    let factory: SimulatedSessionFactory
    let keyHash: [UInt8]

    func makeSession(host: String) -> any SecureSession {
      factory.makeSession(.stream, role: .client, expectedKeyHash: keyHash)
    }
  }

  /// Addresses that are given away now.
  package var allocations: [SocketAddress] { service.allocations.map(\.relayed) }

  // MARK: The network's side

  private func take(_ event: NetworkEvent) {
    switch event {
    case .datagram(let bytes, let from, let socket) where socket == self.socket:
      perform(service.receive(bytes, from: .datagrams(from), at: world.now))
    case .datagram(let bytes, let from, let socket):
      perform(service.receive(bytes, from: from, on: socket, at: world.now))
    case .accepted(let stream, let from, let own):
      let isSecured = own.port == RelayBehavior.Carrier.tls.port
      let connection = Connection(
        stream, from: from,
        session: isSecured
          ? sessions.makeSession(.stream, role: .server, expectedKeyHash: nil) : nil)
      connections.append(connection)
      connection.session?.start(at: world.now)
      advance(connection)
    case .stream(let bytes, let stream):
      guard let connection = connections.first(where: { $0.stream == stream }) else { return }
      guard let session = connection.session else { return take(bytes, on: connection) }
      session.receive(bytes, at: world.now)
      advance(connection)
    case .streamClosed(let stream): remove(stream)
    case .dialed, .dialFailed, .backlog: return
    }
  }

  private func advance(_ connection: Connection) {
    while let output = connection.session?.nextOutput() {
      switch output {
      case .transmit(let bytes): host.write(bytes, on: connection.stream)
      case .established: break
      case .received(let bytes): take(bytes, on: connection)
      case .closed, .failed: return remove(connection.stream)
      }
    }
  }

  private func take(_ bytes: [UInt8], on connection: Connection) {
    connection.splitter.push(bytes)
    do throws(WireError) {
      while let message = try connection.splitter.next() {
        perform(service.receive(message, from: connection.client, at: world.now))
      }
    } catch {
      remove(connection.stream)
    }
  }

  private func remove(_ stream: StreamID) {
    connections.removeAll { $0.stream == stream }
    service.forget(stream)
    host.hangUp(stream)
  }

  private func perform(_ outputs: [TurnService.Output]) {
    for output in outputs {
      switch output {
      case .answer(let bytes, to: .datagrams(let address)):
        if let socket { host.transmit(bytes, to: address, from: socket) }
      case .answer(let bytes, to: .stream(let stream, _)): write(bytes, on: stream)
      case .forward(let data, let peer, let socket):
        forwarded += 1
        host.transmit(data, to: peer, from: socket)
      }
    }
  }

  private func write(_ bytes: [UInt8], on stream: StreamID) {
    guard let connection = connections.first(where: { $0.stream == stream }) else { return }
    guard let session = connection.session else { return host.write(bytes, on: stream) }
    session.send(bytes, at: world.now)
    advance(connection)
  }
}

extension RelayBehavior.Carrier {
  /// As grants name it.
  fileprivate var wire: RelayServer.Carrier {
    switch self {
    case .udp: .udp
    case .tcp: .tcp
    case .tls: .tls
    }
  }
}
