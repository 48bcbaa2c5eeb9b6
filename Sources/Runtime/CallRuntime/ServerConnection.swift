import CLinux
import Links
package import Rooms
import Runtime
import Units

/// The one TCP and TLS connection to the rendezvous server: it is opened, secured, fed and closed
/// as `RendezvousClient` says. Only the network thread uses it, and calls `handleTimeout` once
/// `nextDeadline` has come.
package final class ServerConnection {
  /// Whether this is the server that is meant. Where it may, it asks the user, who may take his time;
  /// `nil` when a signal came instead of an answer.
  package typealias Decision = (RendezvousClient.ServerFacts, _ mayAsk: Bool) -> Bool?

  private let loop: EventLoop
  private let addresses: [SocketAddress]
  private let makeSession: () -> any SecureSession
  private let decide: Decision
  private let log: (CallNotice) -> Void
  private let feed: (RendezvousClient.Input) -> Void

  private var stream: TCPStream?
  private var token: EventLoop.Token?
  private var session: (any SecureSession)?
  /// Something came from the server on this connection.
  private var hasHeard = false
  /// Bytes that wait for a server that asks and does not read.
  private static let queueLimit = 1_048_576
  /// Addresses that are dialled, of which the first to answer becomes `stream`.
  private var dials: [(stream: TCPStream, token: EventLoop.Token)] = []
  private var race: AddressRace?

  init(
    loop: EventLoop, addresses: [SocketAddress],
    makeSession: @escaping () -> any SecureSession, decide: @escaping Decision,
    log: @escaping (CallNotice) -> Void = { _ in },
    feed: @escaping (RendezvousClient.Input) -> Void
  ) {
    self.loop = loop
    self.addresses = addresses
    self.makeSession = makeSession
    self.decide = decide
    self.log = log
    self.feed = feed
  }

  func perform(_ output: RendezvousClient.Output) {
    switch output {
    case .connect:
      close()
      race = AddressRace(addresses, at: loop.now)
      dial(after: "no address")
    case .disconnect: close()
    case .verify(let facts, let mayAsk):
      if let isRight = decide(facts, mayAsk) {
        feed(isRight ? .serverAccepted : .serverRejected)
      }
    case .send(let bytes):
      session?.send(bytes, at: loop.now)
      drain()
    default: break
    }
  }

  /// True while bytes for the server have not left this process.
  var hasBacklog: Bool { (stream?.queuedByteCount ?? 0) > 0 }

  var nextDeadline: Deadline? { race?.nextDeadline }

  func handleTimeout(at now: Instant) {
    if let due = nextDeadline, due.at <= now { dial(after: "no address") }
  }

  /// Dials what is due; `failure` is the last one's.
  private func dial(after failure: String) {
    var failure = failure
    while let address = race?.next(at: loop.now) {
      log(.serverConnecting(address))
      do {
        let stream = try TCPStream(connectingTo: address)
        let token = try loop.watch(stream.fileDescriptor, for: .writable) {
          [unowned self, unowned stream] ready in
          answered(stream, ready)
        }
        dials.append((stream, token))
      } catch {
        failure = "\(address): \(error.reason)"
        race?.failed(address, at: loop.now)
      }
    }
    guard dials.isEmpty, race?.isOver == true else { return }
    race = nil
    feed(.disconnected(failure))
  }

  private func answered(_ stream: TCPStream, _ ready: Readiness) {
    guard let index = dials.firstIndex(where: { $0.stream === stream }) else {
      return serve(ready)
    }
    guard ready.isWritable || ready.isClosed else { return }
    let token = dials.remove(at: index).token
    if let failure = stream.finishConnecting() {
      loop.unwatch(token)
      // What was dialled there beside it would hear the same, or nothing.
      for other in dials where other.stream.remoteAddress == stream.remoteAddress {
        loop.unwatch(other.token)
      }
      dials.removeAll { $0.stream.remoteAddress == stream.remoteAddress }
      race?.failed(stream.remoteAddress, at: loop.now)
      return dial(after: "\(stream.remoteAddress): \(failure.reason)")
    }
    endRace()
    (self.stream, self.token) = (stream, token)
    loop.change(token, to: .readable)
    hasHeard = false
    let session = makeSession()
    self.session = session
    session.start(at: loop.now)
    drain()
  }

  private func endRace() {
    for (_, token) in dials { loop.unwatch(token) }
    dials = []
    race = nil
  }

  private func serve(_ ready: Readiness) {
    if ready.isWritable { flush() }
    if ready.isReadable || ready.isClosed { read() }
  }

  private func read() {
    for _ in 0..<16 {
      guard let stream, let session else { return }
      switch stream.read() {
      case .bytes(let bytes):
        hasHeard = true
        session.receive(bytes, at: loop.now)
        drain()
      case .blocked: return
      case .ended: return lost("the server closed the connection", isUnheard: !hasHeard)
      case .failed(let error): return lost(error.reason, isUnheard: !hasHeard)
      }
    }
  }

  private func drain() {
    while let session, let output = session.nextOutput() {
      switch output {
      case .transmit(let bytes):
        if let failure = stream?.write(bytes) { return lost(failure.reason) }
      case .established: established(session)
      case .received(let bytes): feed(.received(bytes))
      case .closed: return lost("the server closed the connection")
      case .failed(.keyMismatch(_, let found)):
        // Another server, not an unreachable one: who decides about servers says so.
        return feed(
          .secured(RendezvousClient.ServerFacts(keyHash: found, chain: [], exporter: [])))
      case .failed(.certificateRefused):
        close()
        return feed(.certificateRefused)
      case .failed(let failure): return lost("TLS failed: \(failure)")
      }
    }
    flush()
  }

  private func established(_ session: any SecureSession) {
    guard let keyHash = session.peerKeyHash,
      let exporter = session.exporter(
        label: AdmissionStatement.exporterLabel, count: AdmissionStatement.exporterCount)
    else { return lost("TLS failed: no exporter") }
    log(.serverSecured(session.cipherName))
    feed(
      .secured(
        RendezvousClient.ServerFacts(
          keyHash: keyHash, chain: session.peerCertificateChain, exporter: exporter)))
  }

  private func flush() {
    guard let stream, let token, stream.isConnected else { return }
    if let failure = stream.flush() { return lost(failure.reason) }
    guard stream.queuedByteCount <= Self.queueLimit else {
      return lost("the server does not read what is sent to it")
    }
    loop.change(token, to: stream.queuedByteCount > 0 ? [.readable, .writable] : .readable)
  }

  private func lost(_ reason: String, isUnheard: Bool = false) {
    log(.serverLost(reason))
    close()
    feed(isUnheard ? .unheard(reason) : .disconnected(reason))
  }

  private func close() {
    session?.close(at: loop.now)
    if let session, let stream {
      while case .transmit(let bytes)? = session.nextOutput() { stream.write(bytes) }
    }
    session = nil
    endRace()
    if let token { loop.unwatch(token) }
    token = nil
    stream = nil
  }
}
