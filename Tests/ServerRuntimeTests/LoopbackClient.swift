import Encryption
import Links
import Rooms
import Runtime
import Testing
import Units
import Wire

/// A real client over TCP and TLS, driven by `RendezvousClient` on the test's own loop.
final class LoopbackClient {
  private let loop: EventLoop
  private let address: SocketAddress
  private let sessions: RendezvousClientSessions
  private var client: RendezvousClient
  private var stream: TCPStream?
  private var session: (any SecureSession)?
  private var token: EventLoop.Token?
  let member: RoomMember
  private(set) var outputs: [RendezvousClient.Output] = []

  init(
    _ loop: EventLoop, _ address: SocketAddress, room seed: UInt8,
    isOwner: Bool, number: UInt8
  ) {
    self.loop = loop
    self.address = address
    let identity = P256Identity.generate()
    sessions = RendezvousClientSessions(identity)
    member = RoomMember(
      session: SessionID(bytes: [UInt8](repeating: number, count: 16))!, peerID: identity.keyHash)
    let record =
      isOwner ? RoomRecord(terms: RoomTerms(owner: identity.keyHash), sealed: [1, 2]) : nil
    client = RendezvousClient(
      .init(
        admissionSeed: [UInt8](repeating: seed, count: 32), session: member.session,
        peerID: member.peerID, record: record, seed: UInt64(number)),
      ciphers: OpenSSLCipherSuite())
    feed(.start)
  }

  deinit { disconnect() }

  func feed(_ input: RendezvousClient.Input) {
    client.handle(input, at: Clock.now)
    perform()
  }

  func handleTimeout() {
    if let due = client.nextDeadline, due.at <= Clock.now { client.handleTimeout(at: Clock.now) }
    perform()
  }

  var nextDeadline: Instant? { client.nextDeadline?.at }

  private func perform() {
    while let output = client.nextOutput() {
      outputs.append(output)
      switch output {
      case .connect: connect()
      case .disconnect: disconnect()
      case .verify: client.handle(.serverAccepted, at: Clock.now)
      case .send(let bytes):
        session?.send(bytes, at: Clock.now)
        drain()
      default: break
      }
    }
  }

  private func connect() {
    do {
      let stream = try TCPStream(connectingTo: address)
      self.stream = stream
      token = try loop.watch(stream.fileDescriptor, for: .writable) { [unowned self] in
        serve($0)
      }
    } catch {
      client.handle(.disconnected(error.reason), at: Clock.now)
    }
  }

  private func disconnect() {
    if let token { loop.unwatch(token) }
    token = nil
    stream?.flush()
    stream = nil
    session = nil
  }

  private func serve(_ ready: Readiness) {
    guard let stream, let token else { return }
    if !stream.isConnected {
      if let failure = stream.finishConnecting() { return lose(failure.reason) }
      let session = sessions.makeSession(host: "localhost")
      self.session = session
      session.start(at: Clock.now)
    }
    if ready.isReadable || ready.isClosed {
      switch stream.read() {
      case .bytes(let bytes): session?.receive(bytes, at: Clock.now)
      case .blocked: break
      case .ended: return lose("closed")
      case .failed(let error): return lose(error.reason)
      }
    }
    stream.flush()
    drain()
    if self.stream === stream {
      loop.change(token, to: stream.queuedByteCount > 0 ? [.readable, .writable] : .readable)
    }
  }

  private func lose(_ reason: String) {
    disconnect()
    feed(.disconnected(reason))
  }

  private func drain() {
    while let output = session?.nextOutput() {
      switch output {
      case .transmit(let bytes): stream?.write(bytes)
      case .established:
        feed(
          .secured(
            .init(
              keyHash: session?.peerKeyHash ?? [], chain: session?.peerCertificateChain ?? [],
              exporter: session?.exporter(
                label: AdmissionStatement.exporterLabel,
                count: AdmissionStatement.exporterCount) ?? [])))
      case .received(let bytes): feed(.received(bytes))
      case .closed, .failed: return lose("\(output)")
      }
    }
  }
}

/// Turns the loop until `isDone`; a test that waits in vain fails.
func turn(
  _ loop: EventLoop, _ clients: [LoopbackClient], until isDone: () -> Bool,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let end = Clock.now + patience
  while !isDone() {
    let deadline = clients.compactMap(\.nextDeadline).min() ?? end
    loop.turn(until: min(deadline, end, Clock.now + .milliseconds(50)))
    for client in clients { client.handleTimeout() }
    try #require(Clock.now < end, "waited in vain", sourceLocation: sourceLocation)
  }
}
