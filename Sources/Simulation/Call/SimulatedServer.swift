import Links
package import Rooms
package import Units
package import Wire

/// The real rendezvous server's state machine on a simulated computer, with simulated TLS and an
/// archive that survives the process.
package final class SimulatedServer {
  package let host: SimulatedHost
  package static let port: UInt16 = 7_443
  /// It listens here too: some firewalls let nothing else be dialled.
  package static let firewallPort: UInt16 = 443
  /// Of TCP and, for STUN questions, of UDP.
  private static let ports = [port, firewallPort]
  /// Wall time at the beginning of every simulation.
  static let unixSeconds: Int64 = 1_800_000_000

  /// One client's connection: TLS, and the frames cut out of it.
  private final class Connection {
    let id: ConnectionID
    let stream: StreamID
    let session: any SecureSession
    var splitter = FrameSplitter(limit: RendezvousFrame.serverLimit)

    init(_ id: ConnectionID, stream: StreamID, session: any SecureSession) {
      self.id = id
      self.stream = stream
      self.session = session
    }
  }

  private let world: World
  private let clock: SimulatedClock
  private let ciphers: SimulatedCipherSuite
  private let sessions: SimulatedSessionFactory
  private let limits: RendezvousLimits
  private let relays: RelayOffer?
  private var random: SeededRandom
  private var machine: RendezvousServer?
  private var archive: [StoredRoom] = []
  private var connections: [Connection] = []
  private var nextConnection: UInt64 = 0
  private var alarm: Alarm?
  private var turns: TurnChecker
  /// Everything that the server got to read or sent, for a search for secrets.
  package private(set) var plaintext: [[UInt8]] = []
  package var keepsPlaintext = false
  /// With whom it shares what its clients say.
  package var confidant: ((RendezvousKind, [UInt8]) -> Void)?

  package init(
    _ world: World, network: SimulatedNetwork, line: AccessLine = .cable,
    limits: RendezvousLimits = RendezvousLimits(), relays: RelayOffer? = nil,
    findings: Findings
  ) {
    self.world = world
    self.limits = limits
    self.relays = relays
    random = world.split()
    clock = SimulatedClock(epoch: .seconds(50_000))
    ciphers = SimulatedCipherSuite(seed: random.next())
    let identity = SimulatedIdentity(seed: random.next())
    sessions = SimulatedSessionFactory(certificate: identity, seed: random.next())
    host = network.addHost("server", line: line)
    turns = TurnChecker("server", findings: findings)
    alarm = Alarm(world, clock: clock) { [unowned self] in wake() }
  }

  /// The SHA-256 of the server's key: what clients pin.
  package var keyHash: [UInt8] { sessions.certificateKeyHash }
  package var address: SocketAddress { SocketAddress(host.addresses[0], port: Self.port) }
  /// Where it tells whoever asks how he is seen.
  var stunAddresses: [SocketAddress] {
    host.addresses.map { SocketAddress($0, port: Self.port) }
  }
  /// Where `client` calls: at an address of a family that it has.
  func address(for client: SimulatedHost, port: UInt16) -> SocketAddress {
    let ip = host.addresses.first { own in client.addresses.contains { $0.isV4 == own.isV4 } }
    return SocketAddress(ip ?? host.addresses[0], port: port)
  }
  package var census: (members: Int, rooms: Int) { machine?.census ?? (0, 0) }

  // MARK: The process

  /// Does nothing while it runs.
  package func start() {
    guard machine == nil else { return }
    machine = RendezvousServer(
      limits: limits, relays: relays, ciphers: ciphers,
      clock: WallClock(unixSeconds: Self.unixSeconds, at: now),
      rooms: archive, seed: random.next(), at: now)
    for port in Self.ports {
      _ = host.listen(port: port)
      _ = host.bindDatagram(port: port)
    }
    host.program = { [unowned self] in take($0) }
    drain(byTimer: false)
  }

  /// As by SIGKILL; the archive stays.
  package func kill() {
    machine = nil
    connections = []
    alarm?.set(nil)
    host.killProgram()
  }

  /// A room that is there when the process starts.
  package func keep(_ room: StoredRoom) { archive.append(room) }

  package func loseArchive() { archive = [] }

  /// As by SIGTERM.
  package func end() { feed(.drain) }

  private var now: Instant { clock.local(world.now) }

  // MARK: Turns

  private func wake() {
    guard machine != nil else { return }
    machine?.handleTimeout(at: now)
    drain(byTimer: true)
  }

  private func feed(_ input: RendezvousServer.Input) {
    machine?.handle(input, at: now)
    drain(byTimer: false)
  }

  private func drain(byTimer: Bool) {
    var count = 0
    while let output = machine?.nextOutput() {
      count += 1
      perform(output)
    }
    guard let machine else { return }
    turns.turned(byTimer: byTimer, outputs: count, at: now, deadline: machine.nextDeadline)
    alarm?.set(machine.nextDeadline)
  }

  private func perform(_ output: RendezvousServer.Output) {
    switch output {
    case .serve(let id):
      guard let connection = connection(id) else { return }
      connection.session.start(at: now)
      advance(connection)
    case .send(let id, let bytes):
      guard let connection = connection(id) else { return }
      if keepsPlaintext { plaintext.append(bytes) }
      connection.session.send(bytes, at: now)
      advance(connection)
    case .close(let id), .reset(let id):
      guard let connection = connection(id) else { return }
      connection.session.close(at: now)
      advance(connection)
      remove(connection)
    case .store(let room):
      archive.removeAll { $0.rid == room.rid }
      archive.append(room)
    case .forget(let rid): archive.removeAll { $0.rid == rid }
    case .drained: kill()
    }
  }

  // MARK: Connections

  private func take(_ event: NetworkEvent) {
    switch event {
    case .accepted(let stream, let from, _):
      nextConnection += 1
      let connection = Connection(
        ConnectionID(nextConnection), stream: stream,
        session: sessions.makeSession(.stream, role: .server, expectedKeyHash: nil))
      connections.append(connection)
      feed(.arrived(connection.id, from: from.ip))
    case .stream(let bytes, let stream):
      guard let connection = connections.first(where: { $0.stream == stream }) else { return }
      connection.session.receive(bytes, at: now)
      advance(connection)
    case .streamClosed(let stream):
      guard let connection = connections.first(where: { $0.stream == stream }) else { return }
      remove(connection)
    case .datagram(let question, let from, let socket):
      guard let answer = StunResponder.answer(to: question, from: from) else { return }
      host.transmit(answer, to: from, from: socket)
    case .dialed, .dialFailed, .backlog: return
    }
  }

  private func advance(_ connection: Connection) {
    while let output = connection.session.nextOutput() {
      switch output {
      case .transmit(let bytes): host.write(bytes, on: connection.stream)
      case .established:
        guard let peerID = connection.session.peerKeyHash,
          let exporter = connection.session.exporter(
            label: AdmissionStatement.exporterLabel, count: 32)
        else { return }
        feed(.secured(connection.id, peerID: peerID, exporter: exporter))
      case .received(let bytes):
        if keepsPlaintext { plaintext.append(bytes) }
        connection.splitter.push(bytes)
        do throws(WireError) {
          while let frame = try connection.splitter.next() {
            let body = Array(frame[1...])
            if let kind = RendezvousKind(rawValue: frame[0]) { confidant?(kind, body) }
            feed(.received(connection.id, kind: frame[0], body: body))
          }
        } catch {
          remove(connection)
          return
        }
      case .closed, .failed:
        remove(connection)
        return
      }
    }
  }

  private func remove(_ connection: Connection) {
    guard self.connection(connection.id) != nil else { return }
    connections.removeAll { $0.id == connection.id }
    host.hangUp(connection.stream)
    feed(.closed(connection.id))
  }

  private func connection(_ id: ConnectionID) -> Connection? {
    connections.first { $0.id == id }
  }
}
