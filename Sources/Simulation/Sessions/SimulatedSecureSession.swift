import Links
import Units
import Wire

/// TLS 1.3 or DTLS 1.2 in the shape that the rest of the program sees: flights, retransmission,
/// certificates compared, an exporter bound to the session, records that can't be altered, repeated
/// or swapped. Its own docstrings name what it takes over from the real ones.
final class SimulatedSecureSession: SecureSession {
  private enum Stage {
    case idle
    /// Client: after its hello. Server: after `start`.
    case awaitingHello
    /// Server after its flight; DTLS client after its second.
    case awaitingFinish
    case established
    case ended
  }

  private let isDatagram: Bool
  private let role: SessionRole
  private let certificate: SimulatedIdentity
  private let expectedKeyHash: [UInt8]?
  private let random: [UInt8]
  private let cookieKey: [UInt8]
  /// Of a client: the server has answered this attempt; what came before belongs to another.
  private var hasCookie = false

  private var stage = Stage.idle
  private var clientRandom: [UInt8] = []
  private var keys: SessionKeys?
  private var peerCertificate: [UInt8]? {
    didSet {
      certifiedKeyHash = peerCertificate.flatMap { SimulatedCertificate.publicKeyInfo(in: $0) }
        .map(SimulatedCipherSuite.digest)
    }
  }
  private var certifiedKeyHash: [UInt8]?
  private var incoming = RecordStream()
  private var replay = ReplayWindow()
  private var sentRecords: UInt64 = 0
  private var receivedRecords: UInt64 = 0
  private var outputs: [SecureSessionOutput] = []
  private var nextOutputIndex = 0
  private var flight: FlightTimer
  private var tap: FrameTap.Session?

  init(
    _ carrier: Carrier, role: SessionRole, certificate: SimulatedIdentity,
    expectedKeyHash: [UInt8]?, random: consuming SeededRandom, tap: FrameTap.Session?
  ) {
    self.tap = tap
    isDatagram = carrier == .datagram
    self.role = role
    self.certificate = certificate
    self.expectedKeyHash = expectedKeyHash
    self.random = random.bytes(32)
    cookieKey = random.bytes(16)
    flight = FlightTimer(isArmable: carrier == .datagram)
  }

  // MARK: Verbs

  func start(at now: Instant) {
    guard case .idle = stage else { return }
    stage = .awaitingHello
    guard role == .client else { return }
    clientRandom = random
    transmit(.clientHello(random: random, cookie: []), at: now)
  }

  func receive(_ bytes: [UInt8], at now: Instant) {
    if isDatagram {
      // Junk is dropped in silence, as DTLS does (RFC 6347 §4.1.2.7).
      guard let record = SessionRecord(datagram: bytes) else { return }
      handle(record, at: now)
      return
    }
    incoming.append(bytes)
    while !isOver {
      switch incoming.next() {
      case .record(let record): handle(record, at: now)
      case .needsMore: return
      case .broken: fail(.handshake("wrong version number"))
      }
    }
  }

  func send(_ message: [UInt8], at now: Instant) {
    guard let keys, canSend else { return }
    tap?.sent(message, to: peerKeyHash)
    // TLS cuts what is longer than a record; DTLS sends it whole or not at all.
    let limit = 16_384
    if isDatagram, message.count > limit { return }
    var rest = message[...]
    repeat {
      transmitSealed(.application, Array(rest.prefix(limit)), keys: keys)
      rest = rest.dropFirst(limit)
    } while !rest.isEmpty
  }

  func close(at now: Instant) {
    if let keys, canSend { transmitSealed(.alert, [0], keys: keys) }
    flight.disarm()
    stage = .ended
  }

  func handleTimeout(at now: Instant) {
    guard let due = flight.nextDeadline, due.at <= now else { return }
    guard let datagrams = flight.expired(at: now) else {
      fail(.timedOut)
      return
    }
    for datagram in datagrams { outputs.append(.transmit(datagram)) }
  }

  func nextOutput() -> SecureSessionOutput? {
    guard nextOutputIndex < outputs.count else {
      outputs.removeAll(keepingCapacity: true)
      nextOutputIndex = 0
      return nil
    }
    defer { nextOutputIndex += 1 }
    return outputs[nextOutputIndex]
  }

  var nextDeadline: Deadline? { flight.nextDeadline }

  // MARK: What is known once established

  var peerKeyHash: [UInt8]? { isEstablished ? certifiedKeyHash : nil }

  var peerCertificateChain: [[UInt8]] { isEstablished ? peerCertificate.map { [$0] } ?? [] : [] }

  func exporter(label: String, count: Int) -> [UInt8]? {
    isEstablished ? keys?.exporter(label: label, count: count) : nil
  }

  var cipherName: String { isDatagram ? "DTLSv1.2 simulated" : "TLSv1.3 simulated" }

  private var hasBeenEstablished = false
  private var isEstablished: Bool { hasBeenEstablished }
  private var isOver: Bool { if case .ended = stage { true } else { false } }

  /// RFC 8446 §2: a server may send application data after its first flight.
  private var canSend: Bool {
    switch stage {
    case .established: true
    case .awaitingFinish: role == .server && !isDatagram
    case .idle, .awaitingHello, .ended: false
    }
  }

  // MARK: Records

  private func handle(_ record: SessionRecord, at now: Instant) {
    switch record.kind {
    case .handshake:
      guard let message = try? HandshakeMessage(decoding: record.body) else {
        if !hasBeenEstablished { refuse("decode error") }
        return
      }
      handle(message, at: now)
    case .alert where !hasBeenEstablished && record.body.first == 1:
      // Nothing protects an alert before the keys: any injector can send one.
      fail(.handshake("alert from the peer: " + Self.text(record.body)))
    case .alert, .application:
      handleSealed(record)
    }
  }

  private func handleSealed(_ record: SessionRecord) {
    if case .ended = stage { return }
    guard let keys, hasBeenEstablished else { return }
    let sequence = isDatagram ? record.sequence : receivedRecords
    guard !isDatagram || replay.admits(sequence) else { return }
    guard
      let plain = SimulatedSeal.open(
        record.body.dropFirst(isDatagram ? 8 : 1),
        key: role == .client ? keys.serverSealingKey : keys.clientSealingKey,
        nonce: Self.nonce(sequence), associatedData: [record.kind.rawValue])
    else {
      if !isDatagram { refuse("bad record mac") }
      return
    }
    replay.take(sequence)
    receivedRecords += 1
    guard record.kind == .alert else {
      outputs.append(.received(plain))
      return
    }
    stage = .ended
    flight.disarm()
    if plain == [0] {
      outputs.append(.closed)
    } else {
      outputs.append(.failed(.handshake("alert from the peer: " + Self.text(plain))))
    }
  }

  private func transmitSealed(_ kind: RecordKind, _ plain: [UInt8], keys: SessionKeys) {
    let sealed = SimulatedSeal.seal(
      plain, key: role == .client ? keys.clientSealingKey : keys.serverSealingKey,
      nonce: Self.nonce(sentRecords), associatedData: [kind.rawValue])
    // The explicit nonce of AES-GCM in DTLS 1.2, the inner content type of TLS 1.3.
    let body = [UInt8](repeating: 0, count: isDatagram ? 8 : 1) + sealed
    let record = SessionRecord(kind: kind, sequence: sentRecords, body: body)
    sentRecords += 1
    outputs.append(.transmit(record.written(toDatagram: isDatagram)))
  }

  private static func nonce(_ sequence: UInt64) -> [UInt8] {
    withUnsafeBytes(of: sequence.littleEndian) { Array($0) }
  }

  // MARK: Handshake

  private func handle(_ message: HandshakeMessage, at now: Instant) {
    switch (role, stage, message) {
    case (.client, .awaitingHello, .cookieRequest(let cookie)):
      hasCookie = true
      transmit(.clientHello(random: clientRandom, cookie: cookie), at: now)
    case (.client, .awaitingHello, .serverHello(let random, let certificate, let signature))
    where hasCookie || !isDatagram:
      handleServerHello(random, certificate, signature, at: now)
    case (.client, .awaitingFinish, .serverFinish(let check)):
      guard check == keys?.check(by: "server", certificate: certificate.certificateChain[0]) else {
        refuse("decrypt error")
        return
      }
      flight.disarm()
      establish()
    case (.server, .awaitingHello, .clientHello(let random, let cookie)):
      handleClientHello(random, cookie, at: now)
    case (.server, .awaitingFinish, .clientHello(let random, _)) where random == clientRandom:
      repeatFlight()
    case (.server, .awaitingFinish, .clientHello(let random, let cookie)) where isDatagram:
      // A client that gave up and begins anew.
      handleClientHello(random, cookie, at: now)
    case (.server, .awaitingFinish, .clientFinish(let certificate, let signature, let check)):
      handleClientFinish(certificate, signature, check, at: now)
    case (.server, .established, .clientFinish):
      // Our last flight was lost (RFC 6347 §4.2.4).
      repeatFlight()
    default:
      // Repeated or out of turn: DTLS drops it, TLS gives up.
      if !isDatagram { refuse("unexpected message") }
    }
  }

  private func handleClientHello(_ random: [UInt8], _ cookie: [UInt8], at now: Instant) {
    if isDatagram, cookie != self.cookie(for: random) { return requestCookie(for: random) }
    clientRandom = random
    let own = certificate.certificateChain[0]
    let keys = SessionKeys(
      clientRandom: random, serverRandom: self.random, serverCertificate: own)
    self.keys = keys
    stage = .awaitingFinish
    transmit(
      .serverHello(
        random: self.random, certificate: own,
        signature: certificate.signature(of: keys.serverTranscript)), at: now)
  }

  /// Without state and without a timer: the client repeats.
  private func requestCookie(for random: [UInt8]) {
    let body = HandshakeMessage.cookieRequest(cookie: cookie(for: random)).encoded
    let record = SessionRecord(kind: .handshake, sequence: 0, body: body)
    outputs.append(.transmit(record.written(toDatagram: true)))
  }

  private func cookie(for random: [UInt8]) -> [UInt8] {
    MixingHash.digest(0x434F_4F4B, cookieKey, random, count: 20)
  }

  private func handleServerHello(
    _ random: [UInt8], _ peer: [UInt8], _ signature: [UInt8], at now: Instant
  ) {
    let keys = SessionKeys(
      clientRandom: clientRandom, serverRandom: random, serverCertificate: peer)
    guard accept(peer, signature: signature, of: keys.serverTranscript) else { return }
    self.keys = keys
    let own = certificate.certificateChain[0]
    stage = .awaitingFinish
    transmit(
      .clientFinish(
        certificate: own,
        signature: certificate.signature(of: keys.clientTranscript(certificate: own)),
        check: keys.check(by: "client", certificate: own)), at: now)
    if !isDatagram { establish() }
  }

  private func handleClientFinish(
    _ peer: [UInt8], _ signature: [UInt8], _ check: [UInt8], at now: Instant
  ) {
    guard let keys, check == keys.check(by: "client", certificate: peer) else {
      refuse("decrypt error")
      return
    }
    guard accept(peer, signature: signature, of: keys.clientTranscript(certificate: peer)) else {
      return
    }
    if isDatagram {
      transmit(.serverFinish(check: keys.check(by: "server", certificate: peer)), at: now)
      flight.disarm()
    }
    establish()
  }

  /// The certificate's key must be the expected one and must have signed the transcript.
  private func accept(_ peer: [UInt8], signature: [UInt8], of transcript: [UInt8]) -> Bool {
    guard let info = SimulatedCertificate.publicKeyInfo(in: peer),
      let publicKey = SimulatedKeyInfo.publicKey(in: info)
    else {
      refuse("bad certificate")
      return false
    }
    let found = SimulatedCipherSuite.digest(info)
    if let expectedKeyHash, expectedKeyHash != found {
      sendAlert("bad certificate")
      fail(.keyMismatch(expected: expectedKeyHash, found: found))
      return false
    }
    guard SimulatedSignature.verify(signature, of: transcript, publicKey: publicKey) else {
      refuse("decrypt error")
      return false
    }
    peerCertificate = peer
    return true
  }

  private func establish() {
    stage = .established
    hasBeenEstablished = true
    outputs.append(.established)
  }

  private func transmit(_ message: HandshakeMessage, at now: Instant) {
    let record = SessionRecord(kind: .handshake, sequence: 0, body: message.encoded)
    let bytes = record.written(toDatagram: isDatagram)
    outputs.append(.transmit(bytes))
    flight.sent([bytes], at: now)
  }

  private func repeatFlight() {
    for datagram in flight.datagrams { outputs.append(.transmit(datagram)) }
  }

  // MARK: Failure

  private func refuse(_ reason: String) {
    sendAlert(reason)
    fail(.handshake(reason))
  }

  private func sendAlert(_ reason: String) {
    if let keys, hasBeenEstablished {
      transmitSealed(.alert, [1] + Array(reason.utf8), keys: keys)
    } else {
      let record = SessionRecord(kind: .alert, sequence: 0, body: [1] + Array(reason.utf8))
      outputs.append(.transmit(record.written(toDatagram: isDatagram)))
    }
  }

  private func fail(_ failure: SecureSessionFailure) {
    guard !isOver else { return }
    stage = .ended
    flight.disarm()
    outputs.append(.failed(failure))
  }

  private static func text(_ alert: [UInt8]) -> String {
    String(decoding: alert.dropFirst(), as: UTF8.self)
  }
}
