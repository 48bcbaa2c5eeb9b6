import Units
import Wire

/// A request to a relay, and when to send it again.
struct TurnTransaction: Sendable {
  enum Purpose: Hashable, Sendable {
    case allocate
    /// A lifetime of zero ends the allocation.
    case refresh(ending: Bool)
    case permission(IPAddress)
    case channel(UInt16)

    var request: TurnRequest {
      switch self {
      case .allocate: .allocate
      case .refresh: .refresh
      case .permission: .createPermission
      case .channel: .channelBind
      }
    }
    var method: StunMessage.Method {
      switch self {
      case .allocate: .allocate
      case .refresh: .refresh
      case .permission: .createPermission
      case .channel: .channelBind
      }
    }
  }

  let purpose: Purpose
  let transactionID: [UInt8]
  /// Retransmissions are byte for byte the same.
  let bytes: [UInt8]
  let isSigned: Bool
  /// A 438 was answered by this one: the next is a refusal.
  let isSecondTry: Bool
  /// Whether an answer came that was not authentic.
  var hadUnauthentic = false
  private let sendLimit: Int
  private var sends = 0
  private(set) var dueAt: Instant

  /// RFC 8489 §6.2.1 (RTO, Rc, Rm), but for an RTO of 100 ms in place of 500: a call waits for it,
  /// and a copy too many is 200 bytes. All in all 7.9 s.
  private static let firstWait = Interval.milliseconds(100)
  private static let sendLimit = 7
  private static let lastWait = Interval.milliseconds(1_600)
  /// On a stream, which repeats by itself: as long as all of them.
  private static let streamWait = Interval.milliseconds(7_900)

  init(
    _ purpose: Purpose, _ message: StunMessage, isSecondTry: Bool, repeats: Bool, at now: Instant
  ) {
    self.purpose = purpose
    transactionID = message.transactionID
    bytes = message.encoded
    isSigned = message.integrity != nil
    self.isSecondTry = isSecondTry
    sendLimit = repeats ? Self.sendLimit : 1
    dueAt = now
  }

  /// Whether to send now; false when it was sent often enough and nobody answered.
  mutating func send(at now: Instant) -> Bool {
    guard sends < sendLimit else { return false }
    sends += 1
    if sendLimit == 1 {
      dueAt = now + Self.streamWait
    } else if sends == sendLimit {
      dueAt = now + Self.lastWait
    } else {
      dueAt = now + Interval(nanoseconds: Self.firstWait.nanoseconds << Int64(sends - 1))
    }
    return true
  }
}
