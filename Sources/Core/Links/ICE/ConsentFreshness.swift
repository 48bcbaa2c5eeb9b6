import Ciphers
import Units

/// Whether the peer still wants our datagrams at the selected address (RFC 7675 §5.1).
struct ConsentFreshness: Sendable {
  /// When the last answer came.
  private(set) var confirmedAt: Instant
  /// When to ask again.
  private(set) var askAt: Instant
  /// Transactions not answered, the oldest first.
  private var outstanding: [[UInt8]] = []

  private static let period = Interval.seconds(5)
  static let lifetime = Interval.seconds(30)
  /// More than fit `lifetime`.
  private static let outstandingLimit = 8

  init(at now: Instant, ciphers: any CipherSuite) {
    confirmedAt = now
    askAt = Self.nextAsk(after: now, ciphers: ciphers)
  }

  var expiresAt: Instant { confirmedAt + Self.lifetime }

  mutating func ask(transactionID: [UInt8], at now: Instant, ciphers: any CipherSuite) {
    outstanding.append(transactionID)
    if outstanding.count > Self.outstandingLimit { outstanding.removeFirst() }
    askAt = Self.nextAsk(after: now, ciphers: ciphers)
  }

  func isOutstanding(_ transactionID: [UInt8]) -> Bool { outstanding.contains(transactionID) }

  mutating func confirm(at now: Instant) {
    confirmedAt = now
    outstanding.removeAll()
  }

  /// 4…6 s, so that many calls don't ask in step.
  private static func nextAsk(after now: Instant, ciphers: any CipherSuite) -> Instant {
    now + period * (0.8 + 0.4 * Double(ciphers.randomBytes(1)[0]) / 255)
  }
}
