package import Units
import Wire

/// What a rendezvous server grants, before it says "later" or nothing at all.
package struct RendezvousLimits: Sendable {
  /// From the connection's arrival to its admission to a room.
  package var admissionTime = Interval.seconds(5)
  /// Between two messages of a member; clients ping every 20 s.
  package var idleTime = Interval.seconds(75)
  /// Connections of all addresses that are not admitted yet; the oldest gives way to the newest,
  /// since honest clients are through in milliseconds.
  package var pending = 1_024
  package var members = 8_192
  /// Of one address (IPv6: one /64): connections not admitted yet, new ones a second, and all.
  package var pendingPerAddress = 32
  package var handshakesPerSecond = 20.0
  package var connectionsPerAddress = 1_024
  /// Rooms made from one address: at once, and a second after that.
  package var createBurst = 60.0
  package var createsPerSecond = 1.0
  /// Sessions of one PeerID in all rooms together.
  package var sessionsPerIdentity = 32
  package var rooms = 50_000
  package var membersPerRoom = RoomSnapshot.memberLimit
  /// Boxes from one session to another.
  package var boxesPerSecond = 8.0
  package var boxBurst = 16.0
  /// Messages of one connection, above which it is closed.
  package var messagesPerSecond = 600.0
  package var messageBurst = 1_200.0
  /// A room is forgotten when nobody was in it for so long, however far away its expiry: else rooms
  /// made for ever would fill the server for ever.
  package var unusedRoomTime = Interval.seconds(30 * 86_400)
  /// Computers' clocks differ: a room is refused only so long after its expiry.
  package var expiryGrace = Interval.seconds(300)
  /// From SIGTERM to the end, whatever is still unsent.
  package var drainTime = Interval.seconds(3)

  package init() {}
}
