import Ciphers
import Links
import Units
import Wire

/// A question to a STUN server, from one socket, as often as it takes (RFC 8489 §6.2.1).
struct AddressQuestion: Sendable {
  let path: DatagramPath
  let transactionID: [UInt8]
  let request: [UInt8]
  private let askedAt: Instant
  private var sends = 0
  private(set) var dueAt: Instant
  private(set) var answer: Answer?
  /// What came back instead. It is asked on all the same: anybody can send that.
  private(set) var bounce: DialFailure?

  struct Answer: Sendable {
    var seen: SocketAddress
    var roundTrip: Interval
  }

  /// All in all 2.3 s: whom nothing reaches in that time has no call worth the name.
  private static let waits: [Interval] = [
    .milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800),
    .milliseconds(800),
  ]
  /// Makes the question no shorter than its answer with an IPv6 address, as our own server wants it.
  private static let filling = StunAttribute.software(Array("p2pcall check           ".utf8))

  init(on path: DatagramPath, ciphers: any CipherSuite, at now: Instant) {
    self.path = path
    transactionID = ciphers.randomBytes(12)
    request =
      StunMessage(
        .request, transactionID: transactionID, attributes: [Self.filling]
      ).encoded
    askedAt = now
    dueAt = now
  }

  /// Answered, or asked in vain.
  var isOver: Bool { answer != nil || sends > Self.waits.count }

  var deadline: Deadline? { isOver ? nil : Deadline("check question", at: dueAt) }

  /// Whether to send now.
  mutating func send(at now: Instant) -> Bool {
    guard !isOver, dueAt <= now else { return false }
    sends += 1
    guard sends <= Self.waits.count else { return false }
    dueAt = now + Self.waits[sends - 1]
    return true
  }

  mutating func bounced(_ failure: DialFailure) {
    if sends > 0 { bounce = bounce ?? failure }
  }

  /// A response that came on `path`; false when it is another's. It proves nothing, and is judged so.
  mutating func take(_ response: StunMessage, on path: DatagramPath, at now: Instant) -> Bool {
    guard response.transactionID == transactionID, path == self.path, sends > 0, answer == nil
    else { return false }
    for case .xorMappedAddress(let seen) in response.attributes where response.kind == .success {
      answer = Answer(seen: seen, roundTrip: now - askedAt)
    }
    return true
  }
}

/// A datagram that is sent a few times and looked for elsewhere: a question that nobody is to answer,
/// known again by its number.
struct Knock: Sendable {
  let number: [UInt8]
  let bytes: [UInt8]
  private var sends = 0
  private var dueAt: Instant
  /// When it is no longer looked for.
  private let endsAt: Instant
  private(set) var hasArrived = false
  /// It has arrived, or is no longer looked for.
  private(set) var isOver = false

  private static let copies = 6
  /// The second finds the permission granted that the first has asked the relay for.
  private static let spacing = Interval.milliseconds(120)
  /// Long enough for the last copy and a way around the world.
  private static let patience = Interval.milliseconds(1_000)

  init(ciphers: any CipherSuite, at now: Instant) {
    number = ciphers.randomBytes(12)
    bytes = StunMessage(.request, transactionID: number, attributes: []).encoded
    dueAt = now
    endsAt = now + Self.patience
  }

  /// Whether to send a copy now.
  mutating func send(at now: Instant) -> Bool {
    if endsAt <= now { isOver = true }
    guard sends < Self.copies, dueAt <= now, !isOver else { return false }
    sends += 1
    dueAt = now + Self.spacing
    return true
  }

  /// True when it is this one that has come.
  mutating func take(_ message: StunMessage) -> Bool {
    guard message.kind == .request, message.transactionID == number else { return false }
    hasArrived = true
    isOver = true
    return true
  }

  var deadline: Deadline? {
    if isOver { return nil }
    return Deadline("check knock", at: sends < Self.copies ? min(dueAt, endsAt) : endsAt)
  }
}
