import Ciphers
import Units
import Wire

/// Addresses at the relays that the server has granted: asked for, kept and offered as relayed
/// candidates (RFC 8445 §5.1.1.2), each as good as a socket to the ICE agents.
///
/// A relay over TCP is only for where UDP doesn't get through to any: it waits for those first.
struct RelayGathering: Sendable {
  enum Output: Sendable {
    case transmit([UInt8], DatagramPath)
    case dial(StreamID, SocketAddress)
    case write([UInt8], StreamID)
    case hangUp(StreamID)
    /// A peer's datagram to an address of ours at a relay.
    case received([UInt8], DatagramPath)
    /// `offered` is another.
    case changed
  }

  private let transport: Transport
  private let ways: Ways
  private let ciphers: any CipherSuite
  private let allowsLoopback: Bool
  private var grant: RelayGrant?
  private var bases: [(socket: SocketID, address: SocketAddress)] = []
  /// Those over UDP first, each kind in the order of the grant.
  private var legs: [RelayLeg] = []
  private var sockets = 0
  private var dials: UInt64 = 0
  private var outputs = OutputQueue<Output>()

  /// Of those that are granted; each is one more address for every pair of candidates.
  private static let datagramLimit = 2
  private static let streamLimit = 1
  /// How long relays over UDP have before one over TCP is asked: a round trip for the challenge and
  /// one for the answer, and one repetition.
  private static let streamPause = Interval.milliseconds(600)
  /// Before a relay that failed is asked again.
  private static let retryPause = Interval.seconds(30)
  /// Bytes: a late datagram is worth nothing, those behind it are dropped.
  private static let backlogLimit = 131_072

  init(_ configuration: LinkHubConfiguration) {
    transport = configuration.transport
    ways = configuration.ways
    ciphers = configuration.ciphers
    allowsLoopback = configuration.allowsLoopback
  }

  mutating func nextOutput() -> Output? { outputs.next() }

  /// What can be told now: the best first.
  var offered: [(SocketID, Candidate)] {
    var all: [(SocketID, Candidate)] = []
    for (index, leg) in legs.enumerated() {
      guard let offer = leg.offer else { continue }
      all.append(
        (
          offer.socket,
          Candidate(
            transport: .udp, kind: .relayed,
            foundation: CandidateRules.foundation(
              kind: .relayed, transport: leg.server.carrier == .udp ? .udp : .tcp,
              base: offer.relayed.ip, server: leg.server.address.ip),
            priority: CandidateRules.priority(
              typePreference: CandidateRules.relayedPreference, index: index),
            address: offer.relayed)
        ))
    }
    return all
  }

  // MARK: What there is to ask

  /// All sockets and their host candidates, offered or not. Relays are asked whether they know us still under what may
  /// be another address; connections may be dead without a word and are made anew.
  mutating func setLocal(_ offered: [(SocketID, Candidate)], at now: Instant) {
    bases = offered.filter { $0.1.transport == .udp }.map { ($0.0, $0.1.address) }
    for index in legs.indices {
      if let path = legs[index].path, base(for: legs[index].server) == path.socket {
        handle(.check, of: index, at: now)
      } else {
        end(index, at: now)
        legs[index].beginAt = now
      }
    }
    arrange(at: now)
  }

  /// Whether relays know us still: a NAT may have mapped us anew, and then they have nothing of ours.
  mutating func check(at now: Instant) {
    for index in legs.indices where legs[index].allocation != nil {
      handle(.check, of: index, at: now)
    }
    proceed(at: now)
  }

  /// The newest replaces all before; what was asked for with another one's credentials goes on.
  mutating func take(_ grant: RelayGrant, at now: Instant) {
    self.grant = grant
    arrange(at: now)
  }

  /// Makes the legs those of the grant and of the sockets.
  private mutating func arrange(at now: Instant) {
    let usable = usable
    let datagrams = usable.filter { $0.carrier == .udp && base(for: $0) != nil }
    let streams = bases.isEmpty ? [] : usable.filter { $0.carrier == .tcp }
    let chosen = datagrams.prefix(Self.datagramLimit) + streams.prefix(Self.streamLimit)
    for index in legs.indices where !chosen.contains(legs[index].server) {
      end(index, at: now)
    }
    let known = legs
    legs = chosen.map { server in
      if let leg = known.first(where: { $0.server == server }) { return leg }
      let waits = server.carrier == .tcp && !datagrams.isEmpty
      return RelayLeg(server, beginAt: waits ? now + Self.streamPause : now)
    }
    proceed(at: now)
  }

  /// Those that were granted and may be asked.
  private var usable: [RelayServer] {
    guard let grant, ways != .direct else { return [] }
    return grant.servers.filter { server in
      let carriers: [RelayServer.Carrier] =
        switch transport {
        case .auto: [.udp, .tcp]
        case .udp: [.udp]
        case .tcp: [.tcp]
        }
      return carriers.contains(server.carrier)
        && CandidateRules.accepts(server.address, allowsLoopback: allowsLoopback)
    }
  }
  /// None was granted that may be asked.
  var isVain: Bool { usable.isEmpty }

  /// The socket that reaches this server.
  private func base(for server: RelayServer) -> SocketID? {
    bases.first {
      $0.address.ip.isV4 == server.address.ip.isV4
        && $0.address.ip.isLoopback == server.address.ip.isLoopback
    }?.socket
  }

  // MARK: What comes in

  /// Whether datagrams on this path are a relay's: all that it says to that socket.
  func owns(_ path: DatagramPath) -> Bool { leg(on: path) != nil }

  private func leg(on path: DatagramPath) -> Int? {
    legs.firstIndex { $0.allocation != nil && $0.path == path }
  }

  mutating func receive(_ bytes: [UInt8], on path: DatagramPath, at now: Instant) {
    guard let index = leg(on: path) else { return }
    handle(.received(bytes), of: index, at: now)
    proceed(at: now)
  }

  func owns(_ stream: StreamID) -> Bool {
    stream.isToRelay
  }

  private func leg(on stream: StreamID) -> Int? {
    legs.firstIndex { $0.stream == stream }
  }

  mutating func handleDialed(_ stream: StreamID, at now: Instant) {
    guard let index = leg(on: stream), let grant else { return outputs.append(.hangUp(stream)) }
    allocate(index, with: grant, at: now)
    proceed(at: now)
  }

  /// It failed, or ended.
  mutating func handleClosed(_ stream: StreamID, at now: Instant) {
    guard let index = leg(on: stream) else { return }
    legs[index].stream = nil
    fail(index, at: now)
  }

  mutating func receive(_ bytes: [UInt8], on stream: StreamID, at now: Instant) {
    guard let index = leg(on: stream) else { return }
    handle(.received(bytes), of: index, at: now)
    proceed(at: now)
  }

  mutating func setBacklog(_ bytes: Int, of stream: StreamID) {
    guard let index = leg(on: stream) else { return }
    legs[index].backlog = bytes
  }

  // MARK: What goes out

  /// From an address of ours at a relay.
  mutating func send(
    _ bytes: [UInt8], to peer: SocketAddress, from socket: SocketID, at now: Instant
  ) {
    guard let index = legs.firstIndex(where: { $0.offer?.socket == socket }),
      legs[index].backlog <= Self.backlogLimit
    else { return }
    handle(.send(bytes, to: peer), of: index, at: now)
  }

  /// Gives everything back; nobody waits for the answers.
  mutating func close(at now: Instant) {
    for index in legs.indices { end(index, at: now) }
    legs = []
    grant = nil
  }

  // MARK: Allocations

  private mutating func handle(_ input: TurnAllocation.Input, of index: Int, at now: Instant) {
    legs[index].allocation?.handle(input, at: now)
    drain(index, at: now)
  }

  private mutating func allocate(_ index: Int, with grant: RelayGrant, at now: Instant) {
    legs[index].credentials = grant.credentials
    legs[index].allocation = TurnAllocation(
      over: legs[index].carrier == .datagram ? .datagrams : .stream,
      family: legs[index].server.address.ip.isV4 ? .v4 : .v6,
      credentials: grant.credentials, ciphers: ciphers, at: now)
    drain(index, at: now)
  }

  private mutating func drain(_ index: Int, at now: Instant) {
    while let output = legs[index].allocation?.nextOutput() {
      switch output {
      case .transmit(let bytes):
        if let path = legs[index].path { outputs.append(.transmit(bytes, path)) }
        if let stream = legs[index].stream { outputs.append(.write(bytes, stream)) }
      case .allocated(let relayed, _):
        // Another name for another address: nothing that was found out about the one before is true
        // of it.
        guard CandidateRules.accepts(relayed, allowsLoopback: allowsLoopback) else {
          return fail(index, at: now)
        }
        sockets += 1
        let socket = SocketID.relayed(sockets, over: legs[index].carrier)
        legs[index].offer = (socket, relayed)
        outputs.append(.changed)
      case .received(let bytes, let peer):
        guard let socket = legs[index].offer?.socket else { break }
        outputs.append(.received(bytes, DatagramPath(socket: socket, remote: peer)))
      case .refused: break
      case .failed, .closed: return fail(index, at: now)
      }
    }
  }

  /// Asks again, at once where a newer grant may help. What waited for it to succeed waits no more.
  private mutating func fail(_ index: Int, at now: Instant) {
    let isOutdated = legs[index].credentials.map { $0 != grant?.credentials } ?? false
    end(index, at: now)
    legs[index].beginAt = isOutdated ? now : now + Self.retryPause
    guard legs[index].carrier == .datagram else { return }
    for other in legs.indices where legs[other].carrier == .stream && legs[other].beginAt != nil {
      legs[other].beginAt = now
    }
  }

  private mutating func end(_ index: Int, at now: Instant) {
    legs[index].allocation?.handle(.close, at: now)
    while case .transmit(let bytes)? = legs[index].allocation?.nextOutput() {
      if let path = legs[index].path { outputs.append(.transmit(bytes, path)) }
      if let stream = legs[index].stream { outputs.append(.write(bytes, stream)) }
    }
    if let stream = legs[index].stream { outputs.append(.hangUp(stream)) }
    if legs[index].offer != nil { outputs.append(.changed) }
    legs[index].allocation = nil
    legs[index].offer = nil
    legs[index].stream = nil
    legs[index].backlog = 0
    legs[index].beginAt = nil
  }

  // MARK: Time

  mutating func handleTimeout(at now: Instant) {
    for index in legs.indices {
      guard let due = legs[index].allocation?.nextDeadline, due.at <= now else { continue }
      handle(.timeout, of: index, at: now)
    }
    proceed(at: now)
  }

  var nextDeadline: Deadline? {
    var deadline: Deadline?
    for index in 0..<legs.count {
      deadline = .earlier(deadline, legs[index].allocation?.nextDeadline)
      deadline = .earlier(deadline, legs[index].beginAt.map { Deadline("relay", at: $0) })
    }
    return deadline
  }

  /// Asks where it is time to.
  private mutating func proceed(at now: Instant) {
    guard let grant else { return }
    for index in legs.indices {
      guard let beginAt = legs[index].beginAt, beginAt <= now else { continue }
      legs[index].beginAt = nil
      let server = legs[index].server
      if legs[index].carrier == .datagram {
        guard let socket = base(for: server) else { continue }
        legs[index].path = DatagramPath(socket: socket, remote: server.address)
        allocate(index, with: grant, at: now)
      } else if legs.contains(where: { $0.carrier == .datagram && $0.offer != nil }) {
        legs[index].beginAt = now + Self.retryPause
      } else {
        let stream = StreamID.toRelay(dials)
        dials += 1
        legs[index].stream = stream
        outputs.append(.dial(stream, server.address))
      }
    }
  }
}
