import Ciphers
import Units
import Wire

/// Addresses at the relays that the server has granted: asked for, kept and offered as relayed
/// candidates (RFC 8445 §5.1.1.2), each as good as a socket to the ICE agents.
///
/// A relay over TCP is only for where UDP doesn't get through to any: it waits for those first. One
/// over TLS waits for both.
struct RelayGathering {
  enum Output: Sendable {
    case transmit([UInt8], DatagramPath)
    case dial(StreamID, SocketAddress)
    case write([UInt8], StreamID)
    case hangUp(StreamID)
    /// A peer's datagram to an address of ours at a relay.
    case received([UInt8], DatagramPath)
    /// `offered` is another.
    case changed
    case refused(RelayServer, SecureSessionFailure)
  }

  private let transport: Transport
  private let ways: Ways
  private let ciphers: any CipherSuite
  private let sessions: (any RelaySessionFactory)?
  private let allowsLoopback: Bool
  private var grant: RelayGrant?
  private var bases: [(socket: SocketID, address: SocketAddress)] = []
  private var families: RelayFamilies { RelayFamilies(of: bases.map(\.address.ip)) }
  /// Those over UDP first, each kind in the order of the grant.
  private var legs: [RelayLeg] = []
  private var sockets = 0
  private var dials: UInt64 = 0
  /// What was told of relays over TLS.
  private var refusals: [(server: RelayServer, failure: SecureSessionFailure)] = []
  private var outputs = OutputQueue<Output>()

  /// Of those that are granted; each is one more address for every pair of candidates.
  private static let datagramLimit = 2
  private static let streamLimit = 1
  /// How long relays over UDP have before one over TCP is asked: a round trip for the challenge and
  /// one for the answer, and one repetition. As long has that over TCP before one over TLS is.
  private static let streamPause = Interval.milliseconds(600)
  /// For a connection, and TLS on it, to come about.
  private static let connectTime = Interval.seconds(10)
  /// Until a connection that does not come about is dialled anew, then twice as long: the kernel repeats a
  /// lost SYN after 1, 3 and 7 s, and nobody else may be there to relay.
  private static let redialPause = Interval.seconds(1)
  private static let refusalLimit = 16
  /// Before a relay that failed is asked again.
  private static let retryPause = Interval.seconds(30)
  /// Bytes: a late datagram is worth nothing, those behind it are dropped.
  private static let backlogLimit = 131_072

  init(_ configuration: LinkHubConfiguration) {
    transport = configuration.transport
    ways = configuration.ways
    ciphers = configuration.ciphers
    sessions = configuration.relaySessions
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

  /// What became of each relay that is granted.
  var attempts: [RelayAttempt] {
    (grant?.servers ?? []).map { server in
      guard let leg = legs.first(where: { $0.server == server }) else {
        return RelayAttempt(server: server, end: .untried)
      }
      if leg.offer != nil { return RelayAttempt(server: server, end: .allocated) }
      let isAsking = leg.exchange != nil || leg.stream != nil
      return RelayAttempt(server: server, end: leg.failure ?? (isAsking ? .asking : .untried))
    }
  }

  /// The code with which the relay behind this address of ours refuses a peer's; `nil` where it
  /// doesn't.
  func refusal(of ip: IPAddress, from socket: SocketID) -> Int? {
    guard let leg = legs.first(where: { $0.offer?.socket == socket }) else { return nil }
    return leg.refusals.first { $0.ip == ip }?.code
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
    for index in legs.indices where legs[index].exchange != nil {
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
    let families = families
    let usable = usable.filter { families.reach($0) }
    let datagrams = usable.filter { $0.carrier == .udp && base(for: $0) != nil }
    let streams = usable.filter { $0.carrier == .tcp }
    let secured = usable.filter { $0.carrier == .tls }
    let chosen =
      datagrams.prefix(Self.datagramLimit) + streams.prefix(Self.streamLimit)
      + secured.prefix(Self.streamLimit)
    for index in legs.indices where !chosen.contains(legs[index].server) {
      end(index, at: now)
    }
    let known = legs
    legs = chosen.map { server in
      if let leg = known.first(where: { $0.server == server }) { return leg }
      let better = Set(chosen.map(\.carrier.rawValue)).count { $0 < server.carrier.rawValue }
      return RelayLeg(server, beginAt: now + Self.streamPause * Double(better))
    }
    proceed(at: now)
  }

  /// Those that were granted and may be asked.
  private var usable: [RelayServer] {
    guard let grant, ways != .direct else { return [] }
    return grant.servers.filter { server in
      transport.relayCarriers.contains(server.carrier)
        && (server.carrier != .tls || sessions != nil)
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
    legs.firstIndex { $0.exchange != nil && $0.path == path }
  }

  mutating func receive(_ bytes: [UInt8], on path: DatagramPath, at now: Instant) {
    guard let index = leg(on: path) else { return }
    handle(.received(bytes), of: index, at: now)
    proceed(at: now)
  }

  private func leg(on stream: StreamID) -> Int? {
    legs.firstIndex { $0.stream == stream }
  }

  mutating func handleDialed(_ stream: StreamID, at now: Instant) {
    guard let index = leg(on: stream), let grant else { return outputs.append(.hangUp(stream)) }
    legs[index].redialAt = nil
    ask(index, with: grant, at: now)
    proceed(at: now)
  }

  /// It failed, or ended.
  mutating func handleClosed(_ stream: StreamID, at now: Instant) {
    guard let index = leg(on: stream) else { return }
    legs[index].stream = nil
    legs[index].failure = .unconnected
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
    legs[index].exchange?.handle(input, at: now)
    drain(index, at: now)
  }

  private mutating func ask(_ index: Int, with grant: RelayGrant, at now: Instant) {
    let server = legs[index].server
    var asked = families.asked(of: server)
    if legs[index].lacksV4, asked.count > 1 { asked.removeAll { $0 == .v4 } }
    legs[index].exchange = RelayExchange(
      with: server, for: asked, credentials: grant.credentials, ciphers: ciphers,
      sessions: sessions, at: now)
    drain(index, at: now)
  }

  private mutating func drain(_ index: Int, at now: Instant) {
    while let output = legs[index].exchange?.nextOutput() {
      if legs[index].exchange?.lacksV4 == true { legs[index].lacksV4 = true }
      switch output {
      case .transmit(let bytes): transmit(bytes, of: index)
      case .allocation(let output): take(output, of: index, at: now)
      case .insecure(let failure): refuse(index, failure, at: now)
      case .closed: fail(index, at: now)
      }
    }
    if legs[index].exchange?.isUp == true { legs[index].connectBy = nil }
  }

  private mutating func take(_ output: TurnAllocation.Output, of index: Int, at now: Instant) {
    switch output {
    case .transmit: break
    case .allocated(let relayed, _):
      // Another name for another address: nothing that was found out about the one before is true of
      // it.
      guard CandidateRules.accepts(relayed, allowsLoopback: allowsLoopback) else {
        return fail(index, at: now)
      }
      sockets += 1
      let socket = SocketID.relayed(sockets, over: legs[index].carrier)
      legs[index].offer = (socket, relayed)
      legs[index].failure = nil
      legs[index].refusals = []
      outputs.append(.changed)
    case .received(let bytes, let peer):
      guard let socket = legs[index].offer?.socket else { break }
      outputs.append(.received(bytes, DatagramPath(socket: socket, remote: peer)))
    case .refused(let ip, let code): legs[index].note(refusal: code, of: ip)
    case .failed(let failure):
      legs[index].failure = .failed(failure)
      fail(index, at: now)
    case .closed: fail(index, at: now)
    }
  }

  /// Asks again, at once where a newer grant may help. What waited for it to succeed waits no more.
  private mutating func fail(_ index: Int, at now: Instant) {
    let isOutdated = legs[index].exchange.map { $0.credentials != grant?.credentials } ?? false
    end(index, at: now)
    legs[index].beginAt = isOutdated ? now : now + Self.retryPause
    let waiting = legs.filter { $0.rank > legs[index].rank && $0.beginAt != nil }
    guard let next = waiting.map(\.rank).min() else { return }
    for other in legs.indices where legs[other].rank == next && legs[other].beginAt != nil {
      legs[other].beginAt = now
    }
  }

  private mutating func end(_ index: Int, at now: Instant) {
    legs[index].exchange?.handle(.close, at: now)
    while let output = legs[index].exchange?.nextOutput() {
      if case .transmit(let bytes) = output { transmit(bytes, of: index) }
    }
    if let stream = legs[index].stream { outputs.append(.hangUp(stream)) }
    if legs[index].offer != nil { outputs.append(.changed) }
    legs[index].exchange = nil
    legs[index].offer = nil
    legs[index].stream = nil
    legs[index].connectBy = nil
    legs[index].redialAt = nil
    legs[index].backlog = 0
    legs[index].beginAt = nil
  }

  /// Asked again like any that failed: certificates are renewed.
  private mutating func refuse(
    _ index: Int, _ failure: SecureSessionFailure, at now: Instant
  ) {
    let server = legs[index].server
    if !refusals.contains(where: { $0.server == server && $0.failure == failure }) {
      refusals = refusals.suffix(Self.refusalLimit - 1) + [(server, failure)]
      outputs.append(.refused(server, failure))
    }
    fail(index, at: now)
  }

  private mutating func giveUp(_ index: Int, at now: Instant) {
    if legs[index].exchange == nil {
      fail(index, at: now)
    } else {
      refuse(index, .timedOut, at: now)
    }
  }

  private mutating func transmit(_ bytes: [UInt8], of index: Int) {
    if let path = legs[index].path {
      outputs.append(.transmit(bytes, path))
    } else if let stream = legs[index].stream {
      outputs.append(.write(bytes, stream))
    }
  }

  // MARK: Time

  mutating func handleTimeout(at now: Instant) {
    for index in legs.indices {
      if let due = legs[index].connectBy, due <= now { giveUp(index, at: now) }
      if let due = legs[index].redialAt, due <= now { redial(index, at: now) }
      guard let due = legs[index].exchange?.nextDeadline, due.at <= now else { continue }
      handle(.timeout, of: index, at: now)
    }
    proceed(at: now)
  }

  var nextDeadline: Deadline? {
    var deadline: Deadline?
    for index in 0..<legs.count {
      deadline = .earlier(deadline, legs[index].exchange?.nextDeadline)
      deadline = .earlier(
        deadline, legs[index].connectBy.map { Deadline("relay connection", at: $0) })
      deadline = .earlier(deadline, legs[index].redialAt.map { Deadline("relay dial", at: $0) })
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
        ask(index, with: grant, at: now)
      } else if legs.contains(where: { $0.rank < legs[index].rank && $0.offer != nil }) {
        legs[index].beginAt = now + Self.retryPause
      } else {
        legs[index].connectBy = now + Self.connectTime
        legs[index].redialAt = now + Self.redialPause
        dial(index)
      }
    }
  }

  private mutating func dial(_ index: Int) {
    let stream = StreamID.toRelay(dials)
    dials += 1
    legs[index].stream = stream
    outputs.append(.dial(stream, legs[index].server.address))
  }

  private mutating func redial(_ index: Int, at now: Instant) {
    legs[index].redialAt = nil
    guard let stream = legs[index].stream, let connectBy = legs[index].connectBy,
      // Where another relays already, there is no hurry.
      !legs.contains(where: { $0.offer != nil })
    else { return }
    // After 1, 3 and 7 s: as long again as it took until now, and as it is dialled for at all.
    let next = now + (now - (connectBy - Self.connectTime)) + Self.redialPause
    if next < connectBy { legs[index].redialAt = next }
    outputs.append(.hangUp(stream))
    dial(index)
  }
}
