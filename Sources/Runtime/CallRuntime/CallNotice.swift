package import Links
package import Units

/// What a call's network thread does, for a log that the user asked for. Addresses of peers are in
/// it: they are for level debug only.
package enum CallNotice: Sendable {
  /// Where this computer can be reached.
  case endpoints([LocalEndpoint])
  /// The interface that alone may be used has no address now.
  case interfaceWithoutAddress(String)
  case serverConnecting(SocketAddress)
  /// TLS is up, with this cipher.
  case serverSecured(String)
  case serverLost(String)
  case dialing(SocketAddress)
  case accepted(SocketAddress)
  /// What was dropped during the whole call, and why.
  case dropped(LinkCounters)
}
