import Units
import Wire

/// Who is in the room, as the server claims.
struct ClaimedRoster {
  private var members: [RoomMember] = []
  /// Those who were not there when we registered again, whom a restarted server may only not know
  /// yet: when each is given up.
  private var missing: [Absence] = []

  private struct Absence {
    var session: SessionID
    var until: Instant
  }

  private static let missingTime = Interval.seconds(30)
  /// A server that invents members without end is not followed.
  private static let limit = 4 * RoomSnapshot.memberLimit

  /// Came, or registered again; false when there are too many.
  mutating func insert(_ member: RoomMember) -> Bool {
    missing.removeAll { $0.session == member.session }
    if members.contains(member) { return true }
    members.removeAll { $0.session == member.session }
    guard members.count < Self.limit else { return false }
    members.append(member)
    return true
  }

  /// False when it was not there.
  mutating func remove(_ session: SessionID) -> Bool {
    missing.removeAll { $0.session == session }
    let before = members.count
    members.removeAll { $0.session == session }
    return members.count < before
  }

  func lists(_ session: SessionID) -> Bool { members.contains { $0.session == session } }

  /// Those whom a new registration does not show are given time to register too.
  mutating func compare(with shown: [RoomMember], at now: Instant) {
    for member in members
    where !shown.contains(where: { $0.session == member.session })
      && !missing.contains(where: { $0.session == member.session })
    {
      missing.append(Absence(session: member.session, until: now + Self.missingTime))
    }
  }

  var nextDeadline: Instant? { missing.map(\.until).min() }

  /// Who did not come back in time; each once.
  mutating func givenUp(at now: Instant) -> [SessionID] {
    let due = missing.filter { $0.until <= now }.map(\.session)
    return due.filter { remove($0) }
  }
}
