import COpenSSL
package import Links
package import Units

/// TLS over any byte stream: 1.3, to relays 1.2 too. Belongs to one thread.
///
/// On a peer link the server's first message goes out with its first flight: `send` before
/// establishment keeps the message until the ClientHello has come.
package final class TLSSession: SecureSession {
  private let connection: SSLConnection
  /// Whether the server writes before the client is known (peer links only).
  private let sendsEarly: Bool
  private var outputs = SessionOutputs()
  private var isFirstFlightWritten = false
  private var early: [[UInt8]] = []
  private var earlyBytes = 0

  init(_ connection: SSLConnection, sendsEarly: Bool) {
    self.connection = connection
    self.sendsEarly = sendsEarly && connection.role == .server
  }

  package func start(at now: Instant) {
    guard outputs.phase == .fresh else { return }
    outputs.phase = .handshaking
    if connection.role == .client { advance() }
  }

  package func receive(_ bytes: [UInt8], at now: Instant) {
    guard outputs.phase == .handshaking || outputs.phase == .established else { return }
    connection.feed(bytes)
    advance()
  }

  package func send(_ message: [UInt8], at now: Instant) {
    guard !message.isEmpty else { return }
    switch outputs.phase {
    case .established:
      if case .failed(let failure) = connection.write(message) { outputs.end(.failed(failure)) }
      outputs.transmit(from: connection)
    case .fresh, .handshaking:
      // What is said to a client not yet proved is little.
      guard sendsEarly, earlyBytes + message.count <= 16_384 else { return }
      earlyBytes += message.count
      early.append(message)
      if isFirstFlightWritten {
        flushEarly()
        outputs.transmit(from: connection)
      }
    case .over: break
    }
  }

  package func close(at now: Instant) {
    guard outputs.phase == .established else {
      outputs.phase = .over
      return
    }
    connection.shutdown()
    outputs.transmit(from: connection)
    outputs.phase = .over
  }

  package func handleTimeout(at now: Instant) {}
  package var nextDeadline: Deadline? { nil }
  package func nextOutput() -> SecureSessionOutput? { outputs.next() }

  private func advance() {
    if outputs.phase == .handshaking { shakeHands() }
    var isReading = outputs.phase == .established
    while isReading {
      switch connection.read() {
      case .bytes(let bytes): outputs.append(.received(bytes))
      case .nothing: isReading = false
      case .closed:
        isReading = false
        outputs.transmit(from: connection)
        outputs.end(.closed)
      case .failed(let failure):
        isReading = false
        outputs.transmit(from: connection)
        outputs.end(.failed(failure))
      }
    }
    outputs.transmit(from: connection)
  }

  private func shakeHands() {
    if sendsEarly, !isFirstFlightWritten {
      switch connection.writeFirstFlight() {
      case .done:
        isFirstFlightWritten = true
        flushEarly()
      case .waiting: return
      case .failed(let failure): return fail(failure)
      }
    }
    guard outputs.phase == .handshaking else { return }
    switch connection.handshake() {
    case .done:
      outputs.phase = .established
      outputs.transmit(from: connection)
      outputs.append(.established)
    case .waiting: break
    case .failed(let failure): fail(failure)
    }
  }

  private func flushEarly() {
    for message in early {
      if case .failed(let failure) = connection.writeEarly(message) { return fail(failure) }
    }
    early = []
  }

  /// The alert goes out before the failure is told.
  private func fail(_ failure: SecureSessionFailure) {
    outputs.transmit(from: connection)
    outputs.end(.failed(failure))
  }

  package var peerKeyHash: [UInt8]? { connection.peerChain.first?.keyHash }
  package var peerCertificateChain: [[UInt8]] { connection.peerChain.map(\.der) }
  package func exporter(label: String, count: Int) -> [UInt8]? {
    outputs.phase == .established ? connection.exporter(label: label, count: count) : nil
  }
  package var cipherName: String { connection.cipherName }
}
