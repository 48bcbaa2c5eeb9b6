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
  var remotePriority: UInt32
  /// Either end is an address at a relay.
  var isRelayed: Bool
  package var state = State.frozen
  /// Begun so far.
  var checks = 0
  /// The check that is on its way.
  var check: ConnectivityCheck?
  /// When it last was shown to work in both directions.
  package var lastResponse: Instant?
  /// Of the newest check that was answered.
  var roundTrip: Interval?
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
  /// Asks of the other side that were followed by sending it out of turn.
  private var hastened = 0
  private var isHastened = false
  let beganAt: Instant
  private var sentAt: Instant
  private(set) var dueAt: Instant
  /// When it was due before it was hastened.
  private var resumeAt = Instant.zero

  /// RFC 8445 §14.3 wants 500 ms at first; on a call's first second a lost check must not cost
  /// that much, and a few requests of 100 bytes too many cost nothing: the second follows before an
  /// answer can be known to be missing.
  private static let hasteLimit = 8
  private static let waits: [Interval] = [
    .milliseconds(15), .milliseconds(35), .milliseconds(50), .milliseconds(100),
    .milliseconds(200), .milliseconds(400), .milliseconds(800), .milliseconds(1_600),
    .milliseconds(1_600),
  ]

  init(transactionID: [UInt8], bytes: [UInt8], nominates: Bool, at now: Instant) {
    self.transactionID = transactionID
    self.bytes = bytes
    self.nominates = nominates
    beganAt = now
    sentAt = now
    dueAt = now
  }

  /// Whether to send now; false when it was sent often enough and nobody answered.
  mutating func send(at now: Instant) -> Bool {
    if isHastened {
      // Beside the others: over a long way they would be used up before the first answer comes.
      isHastened = false
      dueAt = max(now + Self.waits[0], resumeAt)
    } else {
      guard sends < Self.waits.count else { return false }
      dueAt = now + Self.waits[sends]
      sends += 1
    }
    sentAt = now
    return true
  }

  /// The other side is there: ask it again at once, unless an answer may be under way.
  mutating func hasten(at now: Instant) {
    guard now - sentAt >= .milliseconds(25), now < dueAt, hastened < Self.hasteLimit else { return }
    hastened += 1
    isHastened = true
    resumeAt = dueAt
    dueAt = now
  }
}
