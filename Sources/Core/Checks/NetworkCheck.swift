package import Ciphers
package import Links
package import Rooms
package import Units
import Wire

/// Finds out what the network between this computer, its server and the server's relays lets through:
/// enters a room of its own, asks how its sockets are seen, makes and gives back an allocation at each
/// relay, and sends itself datagrams. No socket, no clock; it finds, and `Findings` judges.
///
/// Call `handle`, drain `nextOutput()` until `nil`, and call `handle(.timeout, …)` when `nextDeadline`
/// has come. It ends within `timeLimit`, whoever answers or doesn't.
package struct NetworkCheck {
  package struct Configuration: Sendable {
    /// Two of each family that there is, the first of which asks everybody.
    package var sockets: [Socket]
    package var ownAddresses: [IPAddress]
    package var servers: [SocketAddress]
    package var ciphers: any CipherSuite

    package init(
      sockets: [Socket], ownAddresses: [IPAddress], servers: [SocketAddress],
      ciphers: any CipherSuite
    ) {
      self.sockets = sockets
      self.ownAddresses = ownAddresses
      self.servers = servers
      self.ciphers = ciphers
    }
  }
  package struct Socket: Hashable, Sendable {
    package var id: SocketID
    package var isV4: Bool
    package var port: UInt16

    package init(_ id: SocketID, isV4: Bool, port: UInt16) {
      self.id = id
      self.isV4 = isV4
      self.port = port
    }
  }
  package enum Input: Sendable {
    case start
    case server(RendezvousClient.Input)
    case datagram([UInt8], from: SocketAddress, on: SocketID)
    case dialed(StreamID)
    /// It could not be made; why.
    case dialFailed(StreamID, String)
    case stream([UInt8], on: StreamID)
    case streamClosed(StreamID)
    case timeout
  }
  package enum Output: Sendable {
    case rendezvous(RendezvousClient.Output)
    case transmit([UInt8], DatagramPath)
    case dial(StreamID, SocketAddress)
    case write([UInt8], StreamID)
    case hangUp(StreamID)
    /// `findings` will not change any more; what was transmitted and written before should leave.
    case finished
  }

  private let configuration: Configuration
  private var rendezvous: RendezvousClient
  private var startedAt = Instant.zero
  private var server: ServerOutcome?
  private var serverTime: NetworkFindings.ServerTime?
  /// Until then relays may be told; `nil` when they are not waited for.
  private var relaysDueAt: Instant?
  private var credentials: TurnCredentials?
  private var questions: [AddressQuestion] = []
  private var relays: [RelayTrial] = []
  private var hairpins: [Family: HairpinTrial] = [:]
  private var ways: [Family: WayTrial] = [:]
  private var isOver = false
  private var outputs = OutputQueue<Output>()

  enum Family: CaseIterable { case v4, v6 }

  /// Of everything that goes over the network.
  package static let timeLimit = Interval.seconds(5)
  /// A server with relays tells them right after its first word.
  private static let relayPatience = Interval.milliseconds(400)
  /// Of each family.
  private static let serverLimit = 2

  package init(_ configuration: Configuration, rendezvous: RendezvousClient) {
    self.configuration = configuration
    self.rendezvous = rendezvous
  }

  package mutating func nextOutput() -> Output? { outputs.next() }

  package mutating func handle(_ input: Input, at now: Instant) {
    guard !isOver else { return }
    switch input {
    case .start: start(at: now)
    case .server(let input): rendezvous.handle(input, at: now)
    case .datagram(let bytes, let source, let socket):
      receive(bytes, on: DatagramPath(socket: socket, remote: source), at: now)
    case .dialed(let stream):
      if let index = relay(on: stream), let credentials {
        relays[index].begin(credentials, ciphers: configuration.ciphers, at: now)
      }
    case .dialFailed(let stream, let reason): fail(stream, reason)
    case .streamClosed(let stream): fail(stream, "the connection was closed")
    case .stream(let bytes, let stream):
      if let index = relay(on: stream) { relays[index].handle(.received(bytes), at: now) }
    case .timeout: timeout(at: now)
    }
    proceed(at: now)
  }

  private mutating func start(at now: Instant) {
    startedAt = now
    rendezvous.handle(.start, at: now)
    var asked: [Family: Int] = [:]
    for address in configuration.servers {
      let family = Family(address.ip)
      guard asked[family, default: 0] < Self.serverLimit else { continue }
      asked[family, default: 0] += 1
      for (place, socket) in sockets(of: family).enumerated()
      where place == 0 || asked[family] == 1 {
        let path = DatagramPath(socket: socket.id, remote: address)
        questions.append(AddressQuestion(on: path, ciphers: configuration.ciphers, at: now))
      }
    }
  }

  private func sockets(of family: Family) -> [Socket] {
    configuration.sockets.filter { $0.isV4 == (family == .v4) }
  }

  private mutating func timeout(at now: Instant) {
    if let due = rendezvous.nextDeadline, due.at <= now { rendezvous.handleTimeout(at: now) }
    for index in relays.indices {
      if let due = relays[index].deadline, due.at <= now {
        relays[index].handle(.timeout, at: now)
      }
    }
  }

  package var nextDeadline: Deadline? {
    guard !isOver else { return nil }
    var deadline: Deadline? = Deadline("check limit", at: startedAt + Self.timeLimit)
    deadline = .earlier(deadline, rendezvous.nextDeadline)
    deadline = .earlier(deadline, relaysDueAt.map { Deadline("check relays", at: $0) })
    for question in questions { deadline = .earlier(deadline, question.deadline) }
    for trial in relays { deadline = .earlier(deadline, trial.deadline) }
    for family in Family.allCases {
      deadline = .earlier(deadline, hairpins[family]?.deadline)
      deadline = .earlier(deadline, ways[family]?.deadline)
    }
    return deadline
  }

  // MARK: The server

  private mutating func takeServer(at now: Instant) {
    while let output = rendezvous.nextOutput() {
      switch output {
      case .connect, .disconnect, .verify, .send: outputs.append(.rendezvous(output))
      case .joined:
        server = .entered(after: now - startedAt)
        relaysDueAt = now + Self.relayPatience
      case .relays(let grant): take(grant, at: now)
      case .ended(.unreachable(let reason)): server = server ?? .unreachable(reason)
      case .ended(.refused): server = server ?? .refused
      case .ended(.certificateRefused): server = server ?? .certificateRefused
      case .ended(.serverRejected): server = server ?? .rejected
      case .ended(.left), .lost, .registeredAgain, .record, .box, .memberJoined, .memberLeft: break
      }
    }
  }

  private mutating func take(_ grant: RelayGrant, at now: Instant) {
    guard credentials == nil else { return }
    relaysDueAt = nil
    credentials = grant.credentials
    serverTime = Self.time(of: grant, at: now)
    let allowsLoopback = configuration.servers.allSatisfy(\.ip.isLoopback)
    for server in grant.servers {
      let socket = sockets(of: Family(server.address.ip)).first
      let isUsable = CandidateRules.accepts(server.address, allowsLoopback: allowsLoopback)
      guard server.carrier != .tls else {
        relays.append(RelayTrial(server, untried: .overTLS, at: now))
        continue
      }
      guard isUsable, let socket else {
        relays.append(RelayTrial(server, untried: .address, at: now))
        continue
      }
      if server.carrier == .udp {
        let path = DatagramPath(socket: socket.id, remote: server.address)
        relays.append(RelayTrial(server, path: path, at: now))
        relays[relays.count - 1].begin(
          grant.credentials, ciphers: configuration.ciphers, at: now)
      } else {
        let stream = StreamID.dialed(UInt64(relays.count))
        relays.append(RelayTrial(server, stream: stream, at: now))
        outputs.append(.dial(stream, server.address))
      }
    }
  }

  /// Names of such credentials begin with the second at which they end (`TurnCredentials.minted`).
  private static func time(
    of grant: RelayGrant, at now: Instant
  ) -> NetworkFindings.ServerTime? {
    let digits = grant.credentials.username.prefix { $0 != UInt8(ascii: ":") }
    guard digits.count <= 15, let expiry = Int64(String(decoding: digits, as: UTF8.self)) else {
      return nil
    }
    return NetworkFindings.ServerTime(seconds: expiry - Int64(grant.lifetime), at: now)
  }

  private func relay(on stream: StreamID) -> Int? {
    relays.firstIndex { $0.stream == stream }
  }

  private mutating func fail(_ stream: StreamID, _ reason: String) {
    if let index = relay(on: stream) { relays[index].fail(reason) }
  }

  // MARK: Datagrams

  private mutating func receive(_ bytes: [UInt8], on path: DatagramPath, at now: Instant) {
    if let index = relays.firstIndex(where: { $0.path == path }) {
      return relays[index].handle(.received(bytes), at: now)
    }
    guard StunMessage.isStun(bytes), let received = try? StunMessage.Received(bytes) else {
      return
    }
    if received.message.kind == .request {
      receiveKnock(received.message, on: path)
    } else {
      for index in questions.indices
      where questions[index].take(received.message, on: path, at: now) { return }
    }
  }

  private mutating func receiveKnock(_ message: StunMessage, on path: DatagramPath) {
    let family = Family(path.remote.ip)
    hairpins[family]?.receive(message, on: path.socket)
    if let way = ways[family], way.socket == path.socket {
      ways[family]?.receive(message)
    }
  }

  // MARK: What there is to do next

  private mutating func proceed(at now: Instant) {
    takeServer(at: now)
    if let due = relaysDueAt, due <= now { relaysDueAt = nil }
    for index in relays.indices { drain(index, at: now) }
    for index in questions.indices where questions[index].send(at: now) {
      outputs.append(.transmit(questions[index].request, questions[index].path))
    }
    for family in Family.allCases {
      beginTrials(of: family, at: now)
      for (bytes, path) in hairpins[family]?.proceed(at: now) ?? [] {
        outputs.append(.transmit(bytes, path))
      }
      advanceWay(of: family, at: now)
    }
    for index in relays.indices { drain(index, at: now) }
    let isLate = startedAt + Self.timeLimit <= now
    if isLate || isSettled { finish(at: now) }
  }

  private func outside(_ socket: Socket?) -> SocketAddress? {
    questions.first { $0.path.socket == socket?.id && $0.answer != nil }?.answer?.seen
  }

  private mutating func beginTrials(of family: Family, at now: Instant) {
    let sockets = sockets(of: family)
    guard sockets.count > 1, let first = outside(sockets[0]), let second = outside(sockets[1])
    else { return }
    let isTranslated = !configuration.ownAddresses.contains(first.ip)
    if hairpins[family] == nil, isTranslated {
      hairpins[family] = HairpinTrial(
        (sockets[0].id, first), (sockets[1].id, second), ciphers: configuration.ciphers, at: now)
    }
    guard ways[family] == nil,
      let index = relays.firstIndex(where: {
        $0.path?.socket == sockets[0].id && $0.relayed.map { Family($0.ip) } == family
      }), let relayed = relays[index].relayed
    else { return }
    let known = questions.filter { $0.path.socket == sockets[1].id }.map(\.path.remote.ip)
    ways[family] = WayTrial(
      socket: sockets[1].id, outside: second, relay: index, relayed: relayed,
      knowsAddress: known.contains(relayed.ip), ciphers: configuration.ciphers, at: now)
  }

  private mutating func advanceWay(of family: Family, at now: Instant) {
    guard var way = ways[family] else { return }
    for (bytes, peer) in relays[way.relay].received {
      guard let message = try? StunMessage.Received(bytes).message else { continue }
      way.receive(message, atRelayFrom: peer)
    }
    relays[way.relay].received = []
    let orders = way.proceed(
      isRefused: relays[way.relay].isRefusingPeers, ciphers: configuration.ciphers, at: now)
    for order in orders {
      switch order {
      case .throughRelay(let bytes, let peer):
        relays[way.relay].handle(.send(bytes, to: peer), at: now)
      case .direct(let bytes, let address):
        outputs.append(.transmit(bytes, DatagramPath(socket: way.socket, remote: address)))
      }
    }
    relays[way.relay].carries = way.carries
    ways[family] = way
  }

  private mutating func drain(_ index: Int, at now: Instant) {
    while let bytes = relays[index].nextTransmit(at: now) {
      if let path = relays[index].path { outputs.append(.transmit(bytes, path)) }
      if let stream = relays[index].stream { outputs.append(.write(bytes, stream)) }
    }
  }

  // MARK: The end

  private var isSettled: Bool {
    server != nil && relaysDueAt == nil && questions.allSatisfy(\.isOver)
      && relays.allSatisfy { $0.outcome != nil }
      && Family.allCases.allSatisfy {
        hairpins[$0]?.isOver != false && ways[$0]?.isOver != false
      }
  }

  private mutating func finish(at now: Instant) {
    isOver = true
    server = server ?? .silent
    for index in relays.indices {
      relays[index].handle(.close, at: now)
      drain(index, at: now)
      if let stream = relays[index].stream { outputs.append(.hangUp(stream)) }
    }
    rendezvous.handle(.leave, at: now)
    takeServer(at: now)
    outputs.append(.finished)
  }

  /// Whole once `.finished` was told.
  package var findings: NetworkFindings {
    var found = NetworkFindings()
    found.server = server ?? .silent
    found.serverTime = serverTime
    found.relays = relays.map(\.finding)
    found.v4 = findings(of: .v4)
    found.v6 = findings(of: .v6)
    return found
  }

  private func findings(of family: Family) -> FamilyFindings {
    var found = FamilyFindings()
    found.ownAddresses = configuration.ownAddresses.filter {
      Family($0) == family && !$0.isLoopback && !$0.isLinkLocal
    }
    let servers = configuration.servers.filter { Family($0.ip) == family }
    found.isServed = !servers.isEmpty
    found.isLoopback = found.isServed && servers.allSatisfy(\.ip.isLoopback)
    for socket in sockets(of: family) {
      func note(_ asked: SocketAddress, _ seen: SocketAddress) {
        found.sightings.append(
          .init(socket: socket.id, port: socket.port, asked: asked, seen: seen))
      }
      for question in questions where question.path.socket == socket.id {
        guard let answer = question.answer else { continue }
        note(question.path.remote, answer.seen)
        found.roundTrip = min(found.roundTrip ?? answer.roundTrip, answer.roundTrip)
      }
      for trial in relays where trial.path?.socket == socket.id {
        if let mapped = trial.mapped { note(trial.server.address, mapped) }
      }
      if let way = ways[family], way.socket == socket.id, let seen = way.seen {
        note(way.relayed, seen)
      }
    }
    found.hairpins = hairpins[family]?.hasSucceeded
    found.filtering = ways[family]?.filtering ?? .unknown
    return found
  }
}

extension NetworkCheck.Family {
  init(_ ip: IPAddress) { self = ip.isV4 ? .v4 : .v6 }
}
