import Links
package import Rooms
package import Units
import Wire

/// Carries out what a rendezvous client wants: connects by simulated TLS, and knows the server by
/// its pinned key.
package final class SimulatedRegistration {
  private let host: SimulatedHost
  private let server: SocketAddress
  private let pinned: [UInt8]
  private let sessions: SimulatedSessionFactory
  private let now: () -> Instant
  private let feed: (RendezvousClient.Input) -> Void
  private var session: (any SecureSession)?
  private var stream: StreamID?
  private var dialled: UInt64 = 0
  /// Connections of which the first to stand becomes `stream`.
  private var dials: [StreamID] = []
  private var race: AddressRace?
  private var alarm: Alarm!
  /// Something came from the server on this connection.
  private var hasHeard = false

  /// Above every number that a hub gives to its dials to peers, and below those to relays.
  private static let firstStream: UInt64 = 1 << 62
  private static let streams = firstStream..<firstStream << 1

  package init(
    host: SimulatedHost, server: SocketAddress, pinned: [UInt8],
    sessions: SimulatedSessionFactory, world: World, clock: SimulatedClock,
    feed: @escaping (RendezvousClient.Input) -> Void
  ) {
    self.host = host
    self.server = server
    self.pinned = pinned
    self.sessions = sessions
    now = { clock.local(world.now) }
    self.feed = feed
    alarm = Alarm(world, clock: clock) { [unowned self] in dial() }
  }

  package func connect() {
    disconnect()
    race = AddressRace([server], at: now())
    dial()
  }

  private func dial() {
    while let address = race?.next(at: now()) {
      dialled += 1
      dials.append(StreamID.dialed(Self.firstStream + dialled))
      host.dial(dials[dials.count - 1], to: address)
    }
    alarm.set(race?.nextDeadline)
  }

  package func stopDialling() {
    for stream in dials { host.hangUp(stream) }
    dials = []
    race = nil
    alarm.set(nil)
  }

  package func disconnect() {
    stopDialling()
    session?.close(at: now())
    advance()
    if let stream { host.hangUp(stream) }
    session = nil
    stream = nil
  }

  package func send(_ bytes: [UInt8]) {
    session?.send(bytes, at: now())
    advance()
  }

  package func verify(_ facts: RendezvousClient.ServerFacts) {
    feed(facts.keyHash == pinned ? .serverAccepted : .serverRejected)
  }

  /// False for an event that concerns another connection.
  package func take(_ event: NetworkEvent) -> Bool {
    switch event {
    case .dialed(let id) where dials.contains(id):
      dials.removeAll { $0 == id }
      stopDialling()
      stream = id
      hasHeard = false
      session = sessions.makeSession(.stream, role: .client, expectedKeyHash: nil)
      session?.start(at: now())
      advance()
    case .dialFailed(let id) where dials.contains(id): fail("connection refused")
    case .stream(let bytes, let id) where id == stream:
      hasHeard = true
      session?.receive(bytes, at: now())
      advance()
    case .streamClosed(let id) where id == stream:
      fail("connection closed", isUnheard: !hasHeard)
    case .dialed(let id), .dialFailed(let id), .stream(_, let id), .streamClosed(let id),
      .backlog(let id, _):
      // Of a connection that was given up.
      return id.origin == .dialed && Self.streams.contains(id.number)
    case .datagram, .accepted: return false
    }
    return true
  }

  private func advance() {
    while let session, let stream, let output = session.nextOutput() {
      switch output {
      case .transmit(let bytes): host.write(bytes, on: stream)
      case .established:
        guard let keyHash = session.peerKeyHash,
          let exporter = session.exporter(label: AdmissionStatement.exporterLabel, count: 32)
        else { return }
        feed(
          .secured(
            RendezvousClient.ServerFacts(
              keyHash: keyHash, chain: session.peerCertificateChain, exporter: exporter)))
      case .received(let bytes): feed(.received(bytes))
      case .closed: fail("the server closed the connection")
      case .failed(let failure): fail("\(failure)")
      }
    }
  }

  private func fail(_ reason: String, isUnheard: Bool = false) {
    stopDialling()
    if let stream { host.hangUp(stream) }
    session = nil
    stream = nil
    feed(isUnheard ? .unheard(reason) : .disconnected(reason))
  }
}
