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
    /// Two of each family that there is, the first of which asks relays too.
    package var sockets: [Socket]
    package var ownAddresses: [IPAddress]
    package var servers: [SocketAddress]
    package var choices: CallChoices
    package var ciphers: any CipherSuite
    package var relaySessions: any RelaySessionFactory

    package init(
      sockets: [Socket], ownAddresses: [IPAddress], servers: [SocketAddress],
      choices: CallChoices, ciphers: any CipherSuite, relaySessions: any RelaySessionFactory
    ) {
      self.sockets = sockets
      self.ownAddresses = ownAddresses
      self.servers = servers
      self.choices = choices
      self.ciphers = ciphers
      self.relaySessions = relaySessions
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
    /// What the socket sent there was not delivered, as the network says, or whoever speaks for it.
    case bounced(DialFailure, DatagramPath)
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

  let configuration: Configuration
  private var rendezvous: RendezvousClient
  private var startedAt = Instant.zero
  private(set) var server: ServerOutcome?
  private(set) var serverTime: NetworkFindings.ServerTime?
  /// Until then relays may be told; `nil` when they are not waited for.
  private var relaysDueAt: Instant?
  private var hasGrant = false
  private(set) var questions: [AddressQuestion] = []
  private(set) var relays: RelayTrials
  private(set) var hairpins: [Family: HairpinTrial] = [:]
  private(set) var ways: [Family: WayTrial] = [:]
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
    relays = RelayTrials(
      configuration.choices, sessions: configuration.relaySessions,
      ciphers: configuration.ciphers)
  }

  package mutating func nextOutput() -> Output? { outputs.next() }

  package mutating func handle(_ input: Input, at now: Instant) {
    guard !isOver else { return }
    switch input {
    case .start: start(at: now)
    case .server(let input): rendezvous.handle(input, at: now)
    case .datagram(let bytes, let source, let socket):
      receive(bytes, on: DatagramPath(socket: socket, remote: source), at: now)
    case .bounced(let failure, let path):
      relays.bounced(failure, on: path)
      for index in questions.indices where questions[index].path == path {
        questions[index].bounced(failure)
      }
    case .dialed(let stream): relays.dialed(stream, at: now)
    case .dialFailed(let stream, let reason): relays.closed(stream, reason)
    case .streamClosed(let stream): relays.closed(stream, "the connection was closed")
    case .stream(let bytes, let stream): relays.receive(bytes, on: stream, at: now)
    case .timeout: timeout(at: now)
    }
    proceed(at: now)
  }

  private mutating func start(at now: Instant) {
    startedAt = now
    rendezvous.handle(.start, at: now)
    guard configuration.choices.transport != .tcp else { return }
    var asked: [Family: Int] = [:]
    for address in configuration.servers {
      let family = Family(address.ip)
      guard asked[family, default: 0] < Self.serverLimit else { continue }
      asked[family, default: 0] += 1
      for socket in sockets(of: family) {
        let path = DatagramPath(socket: socket.id, remote: address)
        questions.append(AddressQuestion(on: path, ciphers: configuration.ciphers, at: now))
      }
    }
  }

  func sockets(of family: Family) -> [Socket] {
    configuration.sockets.filter { $0.isV4 == (family == .v4) }
  }

  private mutating func timeout(at now: Instant) {
    if let due = rendezvous.nextDeadline, due.at <= now { rendezvous.handleTimeout(at: now) }
    relays.handleTimeout(at: now)
  }

  package var nextDeadline: Deadline? {
    guard !isOver else { return nil }
    var deadline: Deadline? = Deadline("check limit", at: startedAt + Self.timeLimit)
    deadline = .earlier(deadline, rendezvous.nextDeadline)
    deadline = .earlier(deadline, relaysDueAt.map { Deadline("check relays", at: $0) })
    for question in questions { deadline = .earlier(deadline, question.deadline) }
    deadline = .earlier(deadline, relays.nextDeadline)
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
    guard !hasGrant else { return }
    hasGrant = true
    relaysDueAt = nil
    serverTime = Self.time(of: grant, at: now)
    let sockets = configuration.sockets
    let allowsLoopback = configuration.servers.allSatisfy(\.ip.isLoopback)
    let own = configuration.ownAddresses.filter {
      CandidateRules.accepts($0, allowsLoopback: allowsLoopback)
    }
    relays.begin(
      grant, allowsLoopback: allowsLoopback, families: RelayFamilies(of: own),
      socket: { ip in sockets.first { $0.isV4 == ip.isV4 }?.id }, at: now)
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

  // MARK: Datagrams

  private mutating func receive(_ bytes: [UInt8], on path: DatagramPath, at now: Instant) {
    if relays.owns(path) { return relays.receive(bytes, on: path, at: now) }
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
    takeRelays()
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
      let index = relays.first(of: sockets[0].id),
      let relayed = relays.all[index].relayed
    else { return }
    let known = questions.filter { $0.path.socket == sockets[1].id }.map(\.path.remote.ip)
    ways[family] = WayTrial(
      socket: sockets[1].id, outside: second, relay: index, relayed: relayed,
      knowsAddress: known.contains(relayed.ip), ciphers: configuration.ciphers, at: now)
  }

  private mutating func advanceWay(of family: Family, at now: Instant) {
    guard var way = ways[family] else { return }
    for (bytes, peer) in relays.takeReceived(of: way.relay) {
      guard let message = try? StunMessage.Received(bytes).message else { continue }
      way.receive(message, atRelayFrom: peer)
    }
    let orders = way.proceed(
      isRefused: relays.all[way.relay].isRefusingPeers, ciphers: configuration.ciphers, at: now)
    for order in orders {
      switch order {
      case .throughRelay(let bytes, let peer):
        relays.send(bytes, to: peer, through: way.relay, at: now)
      case .direct(let bytes, let address):
        outputs.append(.transmit(bytes, DatagramPath(socket: way.socket, remote: address)))
      }
    }
    relays.note(carries: way.carries, of: way.relay)
    ways[family] = way
  }

  private mutating func takeRelays() {
    while let output = relays.nextOutput() {
      switch output {
      case .transmit(let bytes, let path): outputs.append(.transmit(bytes, path))
      case .dial(let stream, let address): outputs.append(.dial(stream, address))
      case .write(let bytes, let stream): outputs.append(.write(bytes, stream))
      case .hangUp(let stream): outputs.append(.hangUp(stream))
      }
    }
  }

  // MARK: The end

  private var isSettled: Bool {
    server != nil && relaysDueAt == nil && questions.allSatisfy(\.isOver)
      && relays.isSettled
      && Family.allCases.allSatisfy {
        hairpins[$0]?.isOver != false && ways[$0]?.isOver != false
      }
  }

  private mutating func finish(at now: Instant) {
    isOver = true
    server = server ?? .silent
    relays.close(at: now)
    takeRelays()
    rendezvous.handle(.leave, at: now)
    takeServer(at: now)
    outputs.append(.finished)
  }
}

extension NetworkCheck.Family {
  init(_ ip: IPAddress) { self = ip.isV4 ? .v4 : .v6 }
}
