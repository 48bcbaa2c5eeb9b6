import Units
import Wire

/// A living room at the server: its record, and who is in it.
struct HostedRoom {
  var record: RoomRecord
  /// In the order of their coming.
  private(set) var members: [Member] = []
  /// The PeerID that used a session id first keeps it; the oldest are forgotten.
  private var sessionOwners: [(session: SessionID, peerID: [UInt8])] = []
  /// When somebody was last in it.
  var usedAt: Instant
  /// Of the owner's new records.
  var stores: TokenBucket
  /// The room's entry in the server's deadline queue.
  var lookedAtNext: Instant?

  struct Member {
    var session: SessionID
    var peerID: [UInt8]
    var connection: ConnectionID
    /// Boxes to each other member.
    fileprivate var boxes: [SessionID: TokenBucket] = [:]
    var described: RoomMember { RoomMember(session: session, peerID: peerID) }
  }

  private static let rememberedSessions = 256

  init(record: RoomRecord, at now: Instant) {
    self.record = record
    usedAt = now
    stores = TokenBucket(rate: 1, burst: 20, at: now)
  }

  /// Whether the lock lets this PeerID in.
  func admits(_ peerID: [UInt8]) -> Bool {
    !record.terms.isLocked || peerID == record.terms.owner
      || record.terms.allowed.contains(peerID)
  }

  enum Entry: Hashable {
    case entered
    /// The same session came back over a new connection; this was the old one.
    case replaced(ConnectionID)
    case refused
  }

  mutating func enter(
    _ session: SessionID, peerID: [UInt8], over connection: ConnectionID, limit: Int
  ) -> Entry {
    if let owner = sessionOwners.first(where: { $0.session == session }), owner.peerID != peerID {
      return .refused
    }
    guard admits(peerID) else { return .refused }
    if let index = members.firstIndex(where: { $0.session == session }) {
      // Also where so many others came that the room has forgotten whose session it is.
      guard members[index].peerID == peerID else { return .refused }
      let older = members[index].connection
      members[index].connection = connection
      return .replaced(older)
    }
    let size = record.terms.size == 0 ? limit : min(limit, Int(record.terms.size))
    guard members.count < size else { return .refused }
    members.append(Member(session: session, peerID: peerID, connection: connection))
    if !sessionOwners.contains(where: { $0.session == session }) {
      if sessionOwners.count == Self.rememberedSessions { sessionOwners.removeFirst() }
      sessionOwners.append((session, peerID))
    }
    return .entered
  }

  /// Nil when the connection is not, or no longer, a member's.
  mutating func leave(_ connection: ConnectionID) -> Member? {
    guard let index = members.firstIndex(where: { $0.connection == connection }) else {
      return nil
    }
    let member = members.remove(at: index)
    for other in members.indices { members[other].boxes[member.session] = nil }
    return member
  }

  func member(_ connection: ConnectionID) -> Member? {
    members.first { $0.connection == connection }
  }

  /// The addressee's connection and the sender, if both are here and the pair is within its rate.
  mutating func route(
    from connection: ConnectionID, to session: SessionID, limits: RendezvousLimits,
    at now: Instant
  ) -> (connection: ConnectionID, sender: SessionID)? {
    guard let sender = members.firstIndex(where: { $0.connection == connection }),
      let addressee = members.first(where: { $0.session == session }),
      addressee.connection != connection
    else { return nil }
    var bucket =
      members[sender].boxes[session]
      ?? TokenBucket(rate: limits.boxesPerSecond, burst: limits.boxBurst, at: now)
    let isAllowed = bucket.take(at: now)
    members[sender].boxes[session] = bucket
    return isAllowed ? (addressee.connection, members[sender].session) : nil
  }
}
