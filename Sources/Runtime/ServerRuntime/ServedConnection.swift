import Links
import Rooms
import Runtime
import Units
import Wire

/// One client's TCP connection and TLS session, on its worker's loop.
final class ServedConnection {
  private let stream: TCPStream
  private let session: any SecureSession
  private let loop: EventLoop
  private let tell: (Event) -> Void
  private var token: EventLoop.Token?
  private var splitter = FrameSplitter(limit: RendezvousFrame.serverLimit)
  private var stage = Stage.securing(bytes: 0)

  enum Event {
    case secured(peerID: [UInt8], exporter: [UInt8])
    case received(kind: UInt8, body: [UInt8])
    /// Nothing more comes; the owner lets go.
    case ended
  }

  private enum Stage {
    /// Bytes received so far.
    case securing(bytes: Int)
    case secured
    /// All was said; waiting for the client to take it.
    case closing
    case ended
  }

  /// Of a handshake; a certificate chain of an organisation included.
  private static let handshakeLimit = 32 << 10
  /// Bytes that wait for a client that does not read.
  private static let queueLimit = 256 << 10
  /// At once, so that one client does not keep the others waiting.
  private static let readLimit = 16 << 10

  /// `tell` is not called before `start`.
  init(
    _ stream: TCPStream, _ session: any SecureSession, on loop: EventLoop,
    tell: @escaping (Event) -> Void
  ) {
    self.stream = stream
    self.session = session
    self.loop = loop
    self.tell = tell
  }

  deinit { if let token { loop.unwatch(token) } }

  func start() {
    do {
      token = try loop.watch(stream.fileDescriptor, for: .readable) { [unowned self] in serve($0) }
    } catch {
      return end()
    }
    session.start(at: loop.now)
    drain()
  }

  func send(_ bytes: [UInt8]) {
    guard case .secured = stage else { return }
    session.send(bytes, at: loop.now)
    drain()
  }

  /// After the last byte has gone; the owner sets a limit to that.
  func close() {
    switch stage {
    case .securing: end()
    case .secured:
      session.close(at: loop.now)
      drain()
      if case .secured = stage {
        stage = .closing
        flush()
      }
    case .closing, .ended: break
    }
  }

  /// At once; the kernel keeps nothing of it.
  func reset() {
    stream.resetOnClose()
    end()
  }

  private func serve(_ ready: Readiness) {
    if ready.isWritable { flush() }
    if ready.isReadable || ready.isClosed { read() }
  }

  private func read() {
    switch (stream.read(limit: Self.readLimit), stage) {
    case (.blocked, _), (_, .ended): break
    case (.failed, _), (.ended, _): end()
    // What a client says after its connection was closed concerns nobody.
    case (.bytes, .closing): break
    case (.bytes(let bytes), .securing(let before)):
      let count = before + bytes.count
      stage = .securing(bytes: count)
      if count > Self.handshakeLimit { return reset() }
      session.receive(bytes, at: loop.now)
      drain()
    case (.bytes(let bytes), .secured):
      session.receive(bytes, at: loop.now)
      drain()
    }
  }

  private func drain() {
    while let output = session.nextOutput() {
      if case .ended = stage { return }
      switch output {
      case .transmit(let bytes):
        if stream.write(bytes) != nil { return end() }
      case .established: established()
      case .received(let bytes): received(bytes)
      case .closed: return end()
      case .failed: return fail()
      }
    }
    guard stream.queuedByteCount <= Self.queueLimit else { return reset() }
    watch()
  }

  private func established() {
    guard case .securing = stage, let peerID = session.peerKeyHash,
      let exporter = session.exporter(
        label: AdmissionStatement.exporterLabel, count: AdmissionStatement.exporterCount)
    else { return reset() }
    stage = .secured
    tell(.secured(peerID: peerID, exporter: exporter))
  }

  private func received(_ bytes: [UInt8]) {
    guard case .secured = stage else { return }
    splitter.push(bytes)
    do {
      while case .secured = stage, let frame = try splitter.next() {
        tell(.received(kind: frame[0], body: Array(frame[1...])))
      }
    } catch {
      reset()
    }
  }

  /// The alert that says why is sent if there is room for it.
  private func fail() {
    while case .transmit(let bytes)? = session.nextOutput() { stream.write(bytes) }
    end()
  }

  private func flush() {
    if stream.flush() != nil { return end() }
    if case .closing = stage, stream.queuedByteCount == 0 {
      // Closing for good would throw away what the client has not read yet, if it has sent
      // something more: it closes when it has read all, or the owner's limit comes.
      stream.shutdownWriting()
    }
    watch()
  }

  private func watch() {
    guard let token else { return }
    loop.change(token, to: stream.queuedByteCount > 0 ? [.readable, .writable] : .readable)
  }

  private func end() {
    if case .ended = stage { return }
    stage = .ended
    if let token { loop.unwatch(token) }
    token = nil
    tell(.ended)
  }
}
