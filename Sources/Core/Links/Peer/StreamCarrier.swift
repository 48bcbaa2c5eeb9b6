package import Units
package import Wire

/// TLS over TCP to one peer: connections dialled by both sides, most of which are closed again
/// when one of them is proved.
package struct StreamCarrier {
  package enum Output: Sendable {
    case dial(StreamID, SocketAddress)
    case write([UInt8], StreamID)
    case hangUp(StreamID)
    case link(LinkID, PeerLink.Output)
  }
  private struct Connection {
    let stream: StreamID
    let farEnd: SocketAddress
    let link: PeerLink
    let since: Instant
    /// Bytes written that the kernel hasn't taken yet.
    var backlog = 0
    /// The address that it was made from is gone.
    var isCut = false
    var isProved: Bool { link.state == .proved }
  }

  private let configuration: LinkHubConfiguration
  /// Tells this peer's dialled streams from those of others: the upper half of their numbers.
  private let peerNumber: UInt32
  private var dials: UInt32 = 0
  private var dialing = Dialing()
  /// Dialled connections that are made.
  private var queue = HandshakeQueue()
  private var expectation: Handshake.Expectation?
  private var connections: [Connection] = []
  private var outputs = OutputQueue<Output>()

  /// As many as both sides may dial.
  private static let connectionLimit = 2 * CandidateRules.dialLimit
  /// Bytes that wait for a peer who doesn't read.
  private static let backlogLimit = 1_048_576
  /// From the first byte to proof.
  private static let handshakeTime = Interval.seconds(10)

  package init(_ configuration: LinkHubConfiguration, peerNumber: UInt32) {
    self.configuration = configuration
    self.peerNumber = peerNumber
  }

  package mutating func nextOutput() -> Output? { outputs.next() }

  // MARK: What comes in

  package mutating func setRemote(
    _ description: LinkDescription, of session: SessionID, at now: Instant
  ) {
    expectation = Handshake.Expectation(
      session: session, certificateKeyHash: description.certificateKeyHash)
    setTargets(description.candidates.filter { $0.transport == .tcp }.map(\.address), at: now)
    advance(at: now)
  }

  /// Connections to addresses that are gone stay where they are made, and are given up where not.
  private mutating func setTargets(_ addresses: [SocketAddress], at now: Instant) {
    for stream in dialing.setTargets(addresses, at: now)
    where !connections.contains(where: { $0.stream == stream }) {
      _ = queue.remove(stream)
      outputs.append(.hangUp(stream))
    }
  }

  /// Whether this connection is this peer's, dialled or adopted.
  package func owns(_ stream: StreamID) -> Bool {
    if stream.origin == .dialed { return stream.number >> 32 == UInt64(peerNumber) }
    return connections.contains { $0.stream == stream }
  }

  package mutating func handleDialed(_ stream: StreamID, at now: Instant) {
    guard let connection = dialing.connection(stream, at: now) else {
      outputs.append(.hangUp(stream))
      return
    }
    queue.add(connection)
    advance(at: now)
  }

  package mutating func handleDialFailed(
    _ stream: StreamID, _ reason: DialFailure, at now: Instant
  ) {
    dialing.fail(stream, reason, at: now)
  }

  /// A connection whose HELLO named this peer. False when there are too many.
  package mutating func adopt(
    _ link: PeerLink, _ stream: StreamID, from farEnd: SocketAddress, at now: Instant
  ) -> Bool {
    guard connections.count < Self.connectionLimit, let expectation else { return false }
    link.admit(expectation, at: now)
    connections.append(Connection(stream: stream, farEnd: farEnd, link: link, since: now))
    advance(at: now)
    return true
  }

  package mutating func receive(_ bytes: [UInt8], on stream: StreamID, at now: Instant) {
    // Who speaks unasked speaks no TLS: its handshake fails at once, and says so.
    if let early = queue.remove(stream) { shakeHands(early, at: now) }
    guard let index = connections.firstIndex(where: { $0.stream == stream }) else { return }
    connections[index].link.receive(bytes, at: now)
    advance(at: now)
  }

  package mutating func handleClosed(_ stream: StreamID, at now: Instant) {
    if queue.remove(stream) != nil {
      dialing.note(.session, on: stream)
      dialing.end(stream, at: now)
    }
    guard let index = connections.firstIndex(where: { $0.stream == stream }) else { return }
    let wasProved = connections[index].isProved
    connections[index].link.handleClosed()
    takeLinkOutputs(index)
    connections.remove(at: index)
    if wasProved { dialing.endProved(stream, at: now) } else { dialing.end(stream, at: now) }
    advance(at: now)
  }

  /// Who reads nothing and goes on asking (pings, segments again) is hung up: what we want to send
  /// stays far below `backlogLimit`.
  package mutating func setBacklog(_ bytes: Int, of stream: StreamID, at now: Instant) {
    guard let index = connections.firstIndex(where: { $0.stream == stream }) else { return }
    connections[index].backlog = max(0, bytes)
    guard bytes > Self.backlogLimit else { return }
    outputs.append(.link(connections[index].link.id, .ended(nil)))
    hangUp(stream, at: now)
  }

  // MARK: What goes out

  /// A proved link that is silent, or will be, doesn't keep us from dialling again.
  private func hasAlive(at now: Instant) -> Bool {
    connections.contains { $0.isProved && !$0.isCut && $0.link.pulse.isAlive(at: now) }
  }

  package func link(_ id: LinkID) -> PeerLink? { connections.first { $0.link.id == id }?.link }
  package var links: [PeerLink] { connections.map(\.link) }

  /// What became of each address that is dialled.
  var dialAttempts: [Dialing.Dial] {
    dialing.dials { stream in
      queue.contains(stream) || connections.contains { $0.stream == stream }
    }
  }

  package func farEnd(of id: LinkID) -> SocketAddress? {
    connections.first { $0.link.id == id }?.farEnd
  }
  package func backlog(of id: LinkID) -> Int {
    connections.first { $0.link.id == id }?.backlog ?? 0
  }

  package mutating func send(_ frame: Frame, on id: LinkID, at now: Instant) -> Bool {
    guard let index = connections.firstIndex(where: { $0.link.id == id }) else { return false }
    let isSent = connections[index].link.send(frame, at: now)
    takeLinkOutputs(index)
    return isSent
  }

  package mutating func select(_ message: Select, on id: LinkID, at now: Instant) {
    guard let index = connections.firstIndex(where: { $0.link.id == id }) else { return }
    connections[index].link.select(message, at: now)
    takeLinkOutputs(index)
  }

  /// Closes every proved connection but this one; only the lower session may.
  package mutating func closeProved(except kept: LinkID, at now: Instant) {
    for connection in connections where connection.isProved && connection.link.id != kept {
      hangUp(connection.stream, at: now)
    }
    advance(at: now)
  }

  package mutating func closeAll(at now: Instant) {
    for connection in connections { hangUp(connection.stream, at: now) }
    setTargets([], at: now)
    expectation = nil
  }

  /// Closes in order, from our side.
  package mutating func hangUp(_ stream: StreamID, at now: Instant) {
    guard let index = connections.firstIndex(where: { $0.stream == stream }) else { return }
    connections[index].link.close(at: now)
    takeLinkOutputs(index)
    outputs.append(.hangUp(stream))
    connections.remove(at: index)
    dialing.end(stream, at: now)
  }

  /// Dials again soon: the path that carries the call is in doubt.
  package mutating func hasten(at now: Instant) {
    dialing.hasten(at: now)
    advance(at: now)
  }

  /// Addresses of ours are gone, or all that there were. What was being dialled from one of them
  /// can't come about, and its kernel would try on for a minute; which was dialled from which is not
  /// known here.
  package mutating func leaveAddresses(all: Bool, at now: Instant) {
    let proved = connections.filter(\.isProved).map(\.stream)
    for stream in dialing.abandon(where: { !proved.contains($0) }, at: now) {
      if connections.contains(where: { $0.stream == stream }) {
        hangUp(stream, at: now)
      } else {
        _ = queue.remove(stream)
        outputs.append(.hangUp(stream))
      }
    }
    if all { for index in connections.indices { connections[index].isCut = true } }
    advance(at: now)
  }

  package mutating func handleTimeout(at now: Instant) {
    for index in connections.indices { connections[index].link.handleTimeout(at: now) }
    advance(at: now)
  }

  /// Mutating, so that it is asked for in place: it would be copied out of `PeerLinks`.
  package mutating func nextDeadline(at now: Instant) -> Deadline? {
    var deadline: Deadline?
    for index in 0..<connections.count {
      deadline = .earlier(deadline, connections[index].link.nextDeadline(at: now))
      if !connections[index].isProved {
        let at = connections[index].since + Self.handshakeTime
        deadline = .earlier(deadline, Deadline("stream handshake", at: at))
      }
    }
    deadline = .earlier(deadline, queue.nextDeadline)
    if expectation != nil, !hasAlive(at: now), let dialAt = dialing.nextDial {
      deadline = .earlier(deadline, Deadline("dial", at: dialAt))
    }
    return deadline
  }

  // MARK: Turning

  private mutating func advance(at now: Instant) {
    repeat { collect(at: now) } while shakeNextHands(at: now)
    guard expectation != nil, !hasAlive(at: now) else { return }
    for connection in connections where connection.isProved {
      dialing.release(connection.stream, at: now)
    }
    while true {
      let stream = StreamID.dialed(UInt64(peerNumber) << 32 | UInt64(dials))
      guard let address = dialing.nextDial(at: now, as: stream) else { break }
      dials += 1
      outputs.append(.dial(stream, address))
    }
  }

  /// What the links have to say, and their ends.
  private mutating func collect(at now: Instant) {
    for index in connections.indices { takeLinkOutputs(index) }
    for connection in connections {
      if connection.link.state == .ended {
        outputs.append(.hangUp(connection.stream))
        dialing.end(connection.stream, at: now)
      } else if !connection.isProved, connection.since + Self.handshakeTime <= now {
        outputs.append(.link(connection.link.id, .ended(.timedOut)))
        dialing.note(.timedOut, on: connection.stream)
        hangUp(connection.stream, at: now)
      }
    }
    connections.removeAll { $0.link.state == .ended }
  }

  /// Whether another handshake began. Those of connections that the other side made don't count: they
  /// may be the ones that a firewall lets through.
  private mutating func shakeNextHands(at now: Instant) -> Bool {
    guard expectation != nil, !hasAlive(at: now) else {
      for stream in queue.removeAll() {
        dialing.end(stream, at: now)
        outputs.append(.hangUp(stream))
      }
      return false
    }
    let isBusy = connections.contains { !$0.isProved && $0.stream.origin == .dialed }
    guard let next = queue.next(isBusy: isBusy, at: now) else { return false }
    shakeHands(next, at: now)
    return true
  }

  private mutating func shakeHands(_ made: HandshakeQueue.Connection, at now: Instant) {
    guard let expectation else { return }
    connections.append(
      Connection(
        stream: made.stream, farEnd: made.farEnd,
        link: PeerLink(
          configuration, id: .stream(made.stream), role: .client, expecting: expectation, at: now),
        since: now))
  }

  private mutating func takeLinkOutputs(_ index: Int) {
    let stream = connections[index].stream
    while let output = connections[index].link.nextOutput() {
      if case .transmit(let bytes) = output {
        outputs.append(.write(bytes, stream))
      } else {
        if case .ended(let failure?) = output { dialing.note(failure, on: stream) }
        outputs.append(.link(connections[index].link.id, output))
      }
    }
  }
}
