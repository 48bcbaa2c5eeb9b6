import Units
import Wire

/// When a call that never came to be ends, and with which exit code (DESIGN: 5 and 6).
///
/// Alone in the room one waits for ever. With members present, one of them must be proved within
/// 30 s of the last arrival: beside one who is long out of reach, who comes late has his own time.
/// The last who goes shortly before that was not reached either: his program may only have been the
/// first to say so, and who stays is not left waiting for nobody.
/// Once anyone was proved, nothing that others do ends the process.
struct Departure: Sendable {
  private var memberCount = 0
  /// When the last of those who came appeared; `nil` alone, unless the time was almost over.
  private var arrivedAt: Instant?
  /// Somebody was reached.
  private(set) var wasProved = false
  /// Members whose certificate matched and whose proof then failed.
  private var proofFailures: [SessionID] = []

  private static let patience = Interval.seconds(30)
  /// How much later than the other side one may have learned of it: TCP sends again after 1 s, then
  /// after 2 s and 4 s more (RFC 6298 §2 and §5.5), and this is all three with a slow path.
  private static let lag = Interval.seconds(10)

  enum Verdict: Hashable, Sendable {
    /// Exit 6: members are present and none could be reached.
    case noPath
    /// Exit 5: the sole member holds the announced certificate but not the room's secret.
    case proofRefused
  }

  mutating func membersChanged(count: Int, at now: Instant) {
    if count == 0 {
      if let since = arrivedAt, now < since + Self.patience - Self.lag { arrivedAt = nil }
    } else if count > memberCount {
      arrivedAt = now
    }
    memberCount = count
  }

  mutating func proved() { wasProved = true }

  mutating func proofFailed(_ session: SessionID) {
    if !proofFailures.contains(session), proofFailures.count < 64 {
      proofFailures.append(session)
    }
  }

  var deadline: Deadline? {
    guard !wasProved, let arrivedAt else { return nil }
    return Deadline("no path", at: arrivedAt + Self.patience)
  }

  /// To be asked at the deadline, with those who are in the room.
  func verdict(members: [SessionID], at now: Instant) -> Verdict? {
    guard let deadline, now >= deadline.at else { return nil }
    if members.count == 1, proofFailures.contains(members[0]) { return .proofRefused }
    return .noPath
  }
}
