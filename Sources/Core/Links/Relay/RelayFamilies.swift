package import Units
package import Wire

/// Which relays are asked from these addresses of ours, and for addresses of which family: by calls,
/// and by a check of what calls will get.
package struct RelayFamilies: Hashable, Sendable {
  private let own: [IPAddress]

  /// `own`: those of which a call has sockets.
  package init(of own: [IPAddress]) { self.own = own }

  /// A socket of ours can speak with it.
  package func reach(_ server: RelayServer) -> Bool {
    own.contains { StunFamily($0) == server.family }
  }

  /// Of one family after the other, where the relay has none to give of that before (RFC 8656 §7.2:
  /// 440): of its own, but over IPv6 of IPv4 for who has none himself. Only there does he meet those
  /// who have nothing else.
  package func asked(of server: RelayServer) -> [StunFamily] {
    server.family == .v6 && !own.contains(where: \.isV4) ? [.v4, .v6] : [server.family]
  }
}
