import Units
import Wire

/// Under which addresses peers may reach us (RFC 8445 §5.1.1): those of our own sockets as the runtime
/// tells them, the same as STUN servers see them, and those at relays. All that is said to those
/// servers passes through here.
struct CandidateGathering {
  enum Output: Sendable {
    /// `.transmit`, `.dial`, `.write`, `.hangUp`, `.relayRefused` or `.remapped`.
    case hub(LinkHubOutput)
    /// A peer's datagram to an address of ours at a relay.
    case received([UInt8], DatagramPath)
    /// `candidates` are others, of the same sockets.
    case changed
  }

  private let configuration: LinkHubConfiguration
  /// `nil` until the runtime told them.
  private var endpoints: [(LocalEndpoint, Candidate)]?
  private var reflexive: ReflexiveGathering
  private var relays: RelayGathering
  /// The UDP sockets that may be asked from, those whose own addresses nobody is told too.
  private var askingSockets: [(SocketID, Candidate)] = []
  private var outputs = OutputQueue<Output>()

  init(_ configuration: LinkHubConfiguration) {
    self.configuration = configuration
    reflexive = ReflexiveGathering(configuration)
    relays = RelayGathering(configuration)
  }

  mutating func nextOutput() -> Output? {
    while let (bytes, path) = reflexive.nextOutput() {
      outputs.append(.hub(.transmit(bytes, to: path.remote, from: path.socket)))
    }
    takeRelayOutputs()
    return outputs.next()
  }

  // MARK: What there is

  /// The runtime has told them.
  var isKnown: Bool { endpoints != nil }
  /// What peers are told (trickled as it comes, RFC 8838).
  var candidates: [Candidate] {
    (endpoints ?? []).map(\.1) + reflexive.candidates + relays.offered.map(\.1)
  }
  /// The UDP sockets that peers are spoken with, and what is as good as one at a relay.
  var bases: [(SocketID, Candidate)] { sockets(of: endpoints ?? []) + relays.offered }

  /// False when these are those that there were.
  mutating func set(_ all: [LocalEndpoint], at now: Instant) -> Bool {
    let isHidden = configuration.ways == .relayed
    let offered = isHidden ? [] : hosts(among: all, transport: configuration.transport)
    let asking = sockets(of: hosts(among: all, transport: .udp))
    let isSame = askingSockets.elementsEqual(asking, by: ==)
    if let endpoints, endpoints.map(\.0) == offered.map(\.0), isSame { return false }
    endpoints = offered
    askingSockets = asking
    // What the server would tell must not be told on, or is of no use.
    reflexive.setLocal(isHidden ? [] : sockets(of: offered), at: now)
    relays.setLocal(asking, at: now)
    return true
  }

  private func hosts(
    among all: [LocalEndpoint], transport: Transport
  ) -> [(LocalEndpoint, Candidate)] {
    CandidateRules.hostCandidates(
      of: all, transport: transport, allowsLoopback: configuration.allowsLoopback)
  }

  private func sockets(of offered: [(LocalEndpoint, Candidate)]) -> [(SocketID, Candidate)] {
    offered.compactMap { endpoint, candidate in
      if case .datagram(let socket, _) = endpoint { (socket, candidate) } else { nil }
    }
  }

  mutating func take(_ grant: RelayGrant, at now: Instant) { relays.take(grant, at: now) }

  /// Under which addresses we are seen, whatever has changed.
  mutating func askAgain(at now: Instant) {
    reflexive.askAgain(at: now)
    relays.check(at: now)
  }

  // MARK: Servers' answers

  /// Takes what is a relay's, and says whether it was.
  mutating func receiveFromRelay(_ input: LinkHubInput, at now: Instant) -> Bool {
    switch input {
    case .datagram(let bytes, let source, let socket):
      let path = DatagramPath(socket: socket, remote: source)
      guard relays.owns(path) else { return false }
      relays.receive(bytes, on: path, at: now)
    case .dialed(let stream) where stream.isToRelay: relays.handleDialed(stream, at: now)
    case .dialFailed(let stream, _) where stream.isToRelay,
      .streamClosed(let stream) where stream.isToRelay:
      relays.handleClosed(stream, at: now)
    case .stream(let bytes, let stream) where stream.isToRelay:
      relays.receive(bytes, on: stream, at: now)
    case .backlog(let stream, let bytes) where stream.isToRelay:
      relays.setBacklog(bytes, of: stream)
    default: return false
    }
    return true
  }

  /// An answer of a STUN server. False when it is none that is waited for, or came another way.
  mutating func receiveAnswer(
    _ received: StunMessage.Received, on path: DatagramPath, at now: Instant
  ) -> Bool {
    guard reflexive.expects(received.message.transactionID) else { return false }
    let known = reflexive.candidates
    let isOurs = reflexive.handleResponse(received, on: path, at: now)
    if reflexive.candidates != known { outputs.append(.changed) }
    let lost = known.filter { !reflexive.candidates.contains($0) }
    if !lost.isEmpty {
      let isElsewhere = lost.contains { lost in
        !reflexive.candidates.contains { $0.address.ip == lost.address.ip }
      }
      outputs.append(.hub(.remapped(isElsewhere: isElsewhere)))
    }
    return isOurs
  }

  private mutating func takeRelayOutputs() {
    while let output = relays.nextOutput() {
      switch output {
      case .transmit(let bytes, let path):
        outputs.append(.hub(.transmit(bytes, to: path.remote, from: path.socket)))
      case .dial(let stream, let address): outputs.append(.hub(.dial(stream, address)))
      case .write(let bytes, let stream): outputs.append(.hub(.write(bytes, stream)))
      case .hangUp(let stream): outputs.append(.hub(.hangUp(stream)))
      case .received(let bytes, let path): outputs.append(.received(bytes, path))
      case .changed: outputs.append(.changed)
      case .refused(let server, let failure):
        outputs.append(.hub(.relayRefused(server, failure)))
      }
    }
  }

  // MARK: What goes out

  /// From an address of ours at a relay.
  mutating func send(
    _ bytes: [UInt8], to peer: SocketAddress, from socket: SocketID, at now: Instant
  ) {
    relays.send(bytes, to: peer, from: socket, at: now)
  }

  /// Gives addresses at relays back.
  mutating func close(at now: Instant) { relays.close(at: now) }

  // MARK: Time

  mutating func handleTimeout(at now: Instant) {
    reflexive.handleTimeout(at: now)
    relays.handleTimeout(at: now)
  }

  var nextDeadline: Deadline? { .earlier(reflexive.nextDeadline, relays.nextDeadline) }

  // MARK: Questions

  /// Only relays may be used, and none was granted that could be.
  var lacksRelays: Bool { configuration.ways == .relayed && relays.isVain }

  /// Whether any server has told how we are seen; `nil` where none is asked.
  var isSeenOverUDP: Bool? { reflexive.isAnswered }
  var relayAttempts: [RelayAttempt] { relays.attempts }
  /// See `RelayGathering.refusal`.
  func refusal(of ip: IPAddress, from socket: SocketID) -> Int? {
    relays.refusal(of: ip, from: socket)
  }
}
