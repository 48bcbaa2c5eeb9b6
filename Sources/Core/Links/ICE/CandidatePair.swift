package import Units

/// A socket of ours and an address of theirs: the way of a datagram.
package struct DatagramPath: Hashable, Sendable {
  package var socket: SocketID
  package var remote: SocketAddress

  package init(socket: SocketID, remote: SocketAddress) {
    self.socket = socket
    self.remote = remote
  }
}

/// One way that may work, and what checking it has shown so far (RFC 8445 §6.1.2.6).
package struct CandidatePair: Sendable {
  package enum State: Hashable, Sendable {
    /// Waits for another pair of its foundation to be tried first.
    case frozen
    case waiting
    case inProgress
    /// Answered: the pair is valid.
    case succeeded
    case failed
  }
  /// Which pairs are likely to fare alike.
  struct Foundation: Hashable, Sendable {
    var local: UInt32
    var remote: UInt32
  }
  package let path: DatagramPath
  let foundation: Foundation
  /// Of the local and the remote candidate.
  let localPriority: UInt32
  let remotePriority: UInt32
  package var state = State.frozen
  /// The check that is on its way.
  var check: ConnectivityCheck?
  /// When it last was shown to work in both directions.
  package var lastResponse: Instant?
  /// The controlling side asked for it, before it was valid here.
  var isNominatedByPeer = false

  /// RFC 8445 §6.1.2.3.
  func priority(isControlling: Bool) -> UInt64 {
    let controlling = UInt64(isControlling ? localPriority : remotePriority)
    let controlled = UInt64(isControlling ? remotePriority : localPriority)
    return min(controlling, controlled) << 32 + 2 * max(controlling, controlled)
      + (controlling > controlled ? 1 : 0)
  }
}

/// A binding request, and when to send it again (RFC 8489 §6.2.1).
struct ConnectivityCheck: Sendable {
  let transactionID: [UInt8]
  /// Retransmissions are byte for byte the same.
  let bytes: [UInt8]
  /// Carries USE-CANDIDATE.
  let nominates: Bool
  private(set) var sends = 0
  private var sentAt: Instant
  private(set) var dueAt: Instant

  /// RFC 8445 §14.3 wants 500 ms at first; on a call's first second a lost check must not cost
  /// that much, and one request of 100 bytes too many costs nothing.
  private static let firstWait = Interval.milliseconds(100)
  private static let longestWait = Interval.milliseconds(1_600)
  private static let sendLimit = 7

  init(transactionID: [UInt8], bytes: [UInt8], nominates: Bool, at now: Instant) {
    self.transactionID = transactionID
    self.bytes = bytes
    self.nominates = nominates
    sentAt = now
    dueAt = now
  }

  /// Whether to send now; false when it was sent often enough and nobody answered.
  mutating func send(at now: Instant) -> Bool {
    guard sends < Self.sendLimit else { return false }
    let wait = Interval(nanoseconds: Self.firstWait.nanoseconds << Int64(sends))
    dueAt = now + min(wait, Self.longestWait)
    sends += 1
    sentAt = now
    return true
  }

  /// The other side is there: ask it again at once, unless an answer may be under way.
  mutating func hasten(at now: Instant) {
    if now - sentAt >= Self.firstWait / 4 { dueAt = min(dueAt, now) }
  }
}
