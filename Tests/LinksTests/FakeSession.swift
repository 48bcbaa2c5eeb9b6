import Links
import Units
import Wire

struct FakeSessionFactory: SecureSessionFactory {
  let certificateKeyHash: [UInt8]
  let ciphers: FakeCiphers
  let made = Made()

  /// The sessions made so far.
  final class Made: @unchecked Sendable {
    var sessions: [FakeSession] = []
  }

  func makeSession(
    _ carrier: Carrier, role: SessionRole, expectedKeyHash: [UInt8]?
  ) -> any SecureSession {
    let session = FakeSession(
      carrier, role: role, ownKeyHash: certificateKeyHash, expectedKeyHash: expectedKeyHash,
      random: ciphers.randomBytes(8))
    made.sessions.append(session)
    return session
  }
}

/// Behaves like (D)TLS where links can tell: flights that are sent again, an exporter that both
/// ends share and nobody else, records that can't be replayed. Nothing is secret.
final class FakeSession: SecureSession {
  let carrier: Carrier
  /// Has forgotten its keys: takes and gives nothing any more.
  var isBroken = false
  let role: SessionRole
  private let ownKeyHash: [UInt8]
  private let expectedKeyHash: [UInt8]?
  private let random: [UInt8]
  private(set) var peerKeyHash: [UInt8]?
  private var secret: [UInt8]?
  private var isEstablished = false
  private var isOver = false
  private var flight: [UInt8]?
  private var resendAt: Instant?
  private var pause = Interval.milliseconds(50)
  private var sequence: UInt64 = 0
  private var seen: Set<UInt64> = []
  private var buffer: [UInt8] = []
  private var outputs: [SecureSessionOutput] = []

  private enum Kind {
    static let alert: UInt8 = 21
    static let hello: UInt8 = 22
    static let record: UInt8 = 23
    static let finished: UInt8 = 24
  }

  init(
    _ carrier: Carrier, role: SessionRole, ownKeyHash: [UInt8], expectedKeyHash: [UInt8]?,
    random: [UInt8]
  ) {
    self.carrier = carrier
    self.role = role
    self.ownKeyHash = ownKeyHash
    self.expectedKeyHash = expectedKeyHash
    self.random = random
  }

  var peerCertificateChain: [[UInt8]] { [] }
  var cipherName: String { "fake" }
  func exporter(label: String, count: Int) -> [UInt8]? {
    secret.map { Array(FakeCiphers.digest($0 + label.utf8).prefix(count)) }
  }
  var nextDeadline: Deadline? { resendAt.map { Deadline("flight", at: $0) } }
  func nextOutput() -> SecureSessionOutput? { outputs.isEmpty ? nil : outputs.removeFirst() }

  func start(at now: Instant) {
    if role == .client { fly([Kind.hello] + random + ownKeyHash, at: now) }
  }

  private func fly(_ bytes: [UInt8], at now: Instant) {
    flight = bytes
    transmit(bytes)
    if carrier == .datagram { resendAt = now + pause }
  }

  private func transmit(_ bytes: [UInt8]) {
    if isBroken { return }
    if carrier == .datagram { return outputs.append(.transmit(bytes)) }
    var writer = ByteWriter()
    writer.u24(UInt32(bytes.count))
    writer.append(bytes)
    outputs.append(.transmit(writer.bytes))
  }

  func handleTimeout(at now: Instant) {
    guard let flight, !isOver else {
      resendAt = nil
      return
    }
    pause = min(pause * 2, .milliseconds(400))
    resendAt = now + pause
    transmit(flight)
  }

  func receive(_ bytes: [UInt8], at now: Instant) {
    guard carrier == .stream else { return take(bytes, at: now) }
    buffer += bytes
    while buffer.count >= 3 {
      let count = Int(buffer[0]) << 16 | Int(buffer[1]) << 8 | Int(buffer[2])
      guard buffer.count >= 3 + count else { return }
      let message = Array(buffer[3..<3 + count])
      buffer.removeFirst(3 + count)
      take(message, at: now)
    }
  }

  private func take(_ bytes: [UInt8], at now: Instant) {
    guard !isOver, !isBroken, let kind = bytes.first else { return }
    let body = Array(bytes.dropFirst())
    switch kind {
    case Kind.hello where body.count == 40 && peerKeyHash == nil:
      takeHello(random: Array(body[..<8]), keyHash: Array(body[8...]), at: now)
    case Kind.finished where role == .server && !isEstablished && body == secret:
      flight = nil
      resendAt = nil
      establish()
    case Kind.record: takeRecord(body)
    case Kind.alert where body == secret:
      isOver = true
      outputs.append(.closed)
    default: break
    }
  }

  private func takeHello(random theirs: [UInt8], keyHash: [UInt8], at now: Instant) {
    guard expectedKeyHash == nil || expectedKeyHash == keyHash else {
      isOver = true
      outputs.append(.failed(.keyMismatch(expected: expectedKeyHash ?? [], found: keyHash)))
      return
    }
    peerKeyHash = keyHash
    let mine = random + ownKeyHash
    let other = theirs + keyHash
    secret = FakeCiphers.digest(role == .client ? mine + other : other + mine)
    pause = .milliseconds(50)
    if role == .server {
      fly([Kind.hello] + mine, at: now)
    } else {
      fly([Kind.finished] + (secret ?? []), at: now)
      establish()
    }
  }

  private func establish() {
    isEstablished = true
    outputs.append(.established)
  }

  private func takeRecord(_ body: [UInt8]) {
    var reader = ByteReader(body)
    guard let secret, let tag = try? reader.bytes(8), let number = try? reader.u64(),
      isEstablished
    else { return }
    let payload = reader.rest()
    guard tag == Self.tag(secret, number, payload, from: role == .client ? .server : .client),
      seen.insert(number).inserted
    else { return }
    // A record of the other side answers the last flight.
    if role == .client {
      flight = nil
      resendAt = nil
    }
    outputs.append(.received(payload))
  }

  private static func tag(
    _ secret: [UInt8], _ number: UInt64, _ payload: [UInt8], from role: SessionRole
  ) -> [UInt8] {
    var writer = ByteWriter()
    writer.u8(role == .client ? 1 : 2)
    writer.u64(number)
    return Array(FakeCiphers.digest(secret + writer.bytes + payload).prefix(8))
  }

  func send(_ message: [UInt8], at now: Instant) {
    guard let secret, !isOver, isEstablished || carrier == .stream && role == .server else {
      return
    }
    var writer = ByteWriter()
    writer.u8(Kind.record)
    writer.append(Self.tag(secret, sequence, message, from: role))
    writer.u64(sequence)
    writer.append(message)
    sequence += 1
    transmit(writer.bytes)
  }

  func close(at now: Instant) {
    if let secret, !isOver { transmit([Kind.alert] + secret) }
    isOver = true
  }
}
