import COpenSSL
package import Links
package import Units

/// DTLS 1.2 over datagrams of at most 1 200 bytes in the handshake. Belongs to one thread.
///
/// A sent message grows by 37 bytes on the wire (record header 13, nonce 8, tag 16; ChaCha20 has
/// no explicit nonce). Datagrams that are not ours are dropped without a word.
package final class DTLSSession: SecureSession {
  /// UDP payload that every path carries (DESIGN section 4).
  package static let datagramSize = 1_200
  /// What a message grows by at most.
  package static let overhead = 37

  private var connection: SSLConnection
  private var gate: RecordGate
  private var outputs = SessionOutputs()
  private var deadline: Deadline?

  init(_ connection: SSLConnection) {
    self.connection = connection
    gate = RecordGate(role: connection.role, cookie: connection.cookie)
    setUp()
  }

  private func setUp() {
    connection.setDatagramSize(Self.datagramSize)
    connection.setQuickRetransmission()
  }

  package func start(at now: Instant) {
    guard outputs.phase == .fresh else { return }
    outputs.phase = .handshaking
    if connection.role == .client { advance() }
    schedule(at: now)
  }

  package func receive(_ bytes: [UInt8], at now: Instant) {
    guard outputs.phase == .handshaking || outputs.phase == .established else { return }
    let admitted = gate.admitted(bytes)
    if let answer = gate.answerToNewHello() { outputs.append(.transmit(answer)) }
    if let hello = gate.newBeginning() { beginAnew(with: hello) }
    guard !admitted.isEmpty else { return }
    connection.feed(admitted)
    advance()
    schedule(at: now)
  }

  package func send(_ message: [UInt8], at now: Instant) {
    // A record holds at most 2^14 bytes (RFC 6347 §4.1.1).
    guard outputs.phase == .established, !message.isEmpty, message.count <= 16_384 else { return }
    if case .failed(let failure) = connection.write(message) { outputs.end(.failed(failure)) }
    outputs.transmit(from: connection)
  }

  package func close(at now: Instant) {
    if outputs.phase == .established {
      connection.shutdown()
      outputs.transmit(from: connection)
    }
    outputs.phase = .over
    deadline = nil
  }

  package func handleTimeout(at now: Instant) {
    guard let due = deadline, now >= due.at else { return }
    if !connection.retransmit() { outputs.end(.failed(.timedOut)) }
    outputs.transmit(from: connection)
    schedule(at: now)
  }

  package var nextDeadline: Deadline? { deadline }
  package func nextOutput() -> SecureSessionOutput? { outputs.next() }

  /// The client has given up the handshake under way; its first hello was answered already.
  private func beginAnew(with hello: [UInt8]) {
    connection = connection.afresh()
    setUp()
    connection.feed(hello)
    _ = connection.handshake()
    while connection.nextOutbound() != nil {}
  }

  private func advance() {
    if outputs.phase == .handshaking {
      switch connection.handshake() {
      case .done:
        outputs.phase = .established
        gate.establish(cipherName: connection.cipherName)
        outputs.transmit(from: connection)
        outputs.append(.established)
      case .waiting: break
      case .failed(let failure): fail(failure)
      }
    }
    while outputs.phase == .established {
      switch connection.read() {
      case .bytes(let bytes):
        outputs.append(.received(bytes))
        guard connection.hasMore else {
          outputs.transmit(from: connection)
          return
        }
      case .nothing:
        outputs.transmit(from: connection)
        return
      case .closed:
        outputs.transmit(from: connection)
        outputs.end(.closed)
      case .failed(let failure): fail(failure)
      }
    }
    outputs.transmit(from: connection)
  }

  private func fail(_ failure: SecureSessionFailure) {
    outputs.transmit(from: connection)
    outputs.end(.failed(failure))
  }

  /// OpenSSL measures the wait with the wall clock; within one call that is at most 400 ms, so a
  /// clock that was set back can delay a flight no longer than that.
  private func schedule(at now: Instant) {
    guard outputs.phase != .over, let wait = connection.retransmissionWait else {
      deadline = nil
      return
    }
    let bounded = min(max(wait, 1_000), 400_000)
    deadline = Deadline("dtls-retransmission", at: now + .microseconds(Int64(bounded)))
  }

  package var peerKeyHash: [UInt8]? { connection.peerChain.first?.keyHash }
  package var peerCertificateChain: [[UInt8]] { connection.peerChain.map(\.der) }
  package func exporter(label: String, count: Int) -> [UInt8]? {
    outputs.phase == .established ? connection.exporter(label: label, count: count) : nil
  }
  package var cipherName: String { connection.cipherName }
}
