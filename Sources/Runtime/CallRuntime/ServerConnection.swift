import CLinux
import Links
package import Rooms
import Runtime
import Units

/// The one TCP and TLS connection to the rendezvous server: it is opened, secured, fed and closed
/// as `RendezvousClient` says. Only the network thread uses it.
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
  /// The addresses of this attempt that were not tried yet.
  private var untried: [SocketAddress] = []

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
      untried = addresses
      connect(after: "no address")
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

  private func connect(after failure: String) {
    guard !untried.isEmpty else {
      feed(.disconnected(failure))
      return
    }
    let address = untried.removeFirst()
    log(.serverConnecting(address))
    do {
      let stream = try TCPStream(connectingTo: address)
      token = try loop.watch(stream.fileDescriptor, for: .writable) { [unowned self] ready in
        serve(ready)
      }
      self.stream = stream
    } catch {
      connect(after: "\(address): \(error.reason)")
    }
  }

  private func serve(_ ready: Readiness) {
    guard let stream, let token else { return }
    if !stream.isConnected {
      guard ready.isWritable || ready.isClosed else { return }
      if let failure = stream.finishConnecting() {
        let address = stream.remoteAddress
        closeStream()
        connect(after: "\(address): \(failure.reason)")
        return
      }
      loop.change(token, to: .readable)
      hasHeard = false
      let session = makeSession()
      self.session = session
      session.start(at: loop.now)
      drain()
    }
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
    untried = []
    closeStream()
  }

  private func closeStream() {
    if let token { loop.unwatch(token) }
    token = nil
    stream = nil
  }
}
