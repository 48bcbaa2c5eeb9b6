package import Units
package import Wire

/// One way to a peer, and how far it came.
package struct Attempt: Hashable, Sendable {
  package enum End: Hashable, Sendable {
    /// Its turn never came.
    case untried
    /// Asked again and again (UDP), or dialled (TCP), and nothing came back.
    case unanswered
    /// Our relay lets nothing to that address: TURN's error code (RFC 8656 §19).
    case refusedByRelay(code: Int)
    /// The far computer, or a firewall that speaks for it, said that nobody listens there.
    case connectionRefused
    /// A router said that no way leads there.
    case unreachable
    /// The kernel could not make the connection for another reason, or it ended before a handshake.
    case connectionFailed
    /// It leads there; then this happened.
    case handshakeFailed(HandshakeFailure)
    /// It leads there, and no link was proved on it in time.
    case unproved
  }
  package var carrier: Carrier
  /// Ours: of a socket or at a relay. TCP is dialled from any.
  package var local: SocketAddress?
  package var isFromRelay: Bool
  /// The peer's private data, as is `remoteKind`.
  package var remote: SocketAddress
  /// `nil` where it was learned from what came from there.
  package var remoteKind: Candidate.Kind?
  package var end: End

  package init(
    carrier: Carrier, local: SocketAddress?, isFromRelay: Bool, remote: SocketAddress,
    remoteKind: Candidate.Kind?, end: End
  ) {
    self.carrier = carrier
    self.local = local
    self.isFromRelay = isFromRelay
    self.remote = remote
    self.remoteKind = remoteKind
    self.end = end
  }
}

/// Why a connection could not be made, by what the kernel says.
package enum DialFailure: Hashable, Sendable {
  case refused
  case noAnswer
  case unreachable
  case other
}

/// A relay that the server granted, and what became of it here.
package struct RelayAttempt: Hashable, Sendable {
  package enum End: Hashable, Sendable {
    /// It was not asked: others are, or this version cannot.
    case untried
    case asking
    case allocated
    case failed(TurnFailure)
    /// No connection over TCP.
    case unconnected
  }
  package var server: RelayServer
  package var end: End

  package init(server: RelayServer, end: End) {
    self.server = server
    self.end = end
  }
}

/// All ways to one peer, and what was missing for others. As it is at one moment: ways of an earlier
/// generation of candidates are forgotten.
package struct AttemptReport: Hashable, Sendable {
  /// The best first, at most `wayLimit`.
  package var ways: [Attempt] = []
  /// More ways than are kept here.
  package var omitted = 0
  /// At most as many as a grant has.
  package var relays: [RelayAttempt] = []
  /// What the user allows.
  package var transport = Transport.auto
  package var allowed = Ways.all
  /// The peer has told where it is; without that nothing can be tried.
  package var isDescribed = false
  /// A server has told how we are seen over UDP; `nil` where none was there to ask.
  package var isSeenOverUDP: Bool?
  package var hasOwnV6 = false
  package var hasTheirV6 = false
  package var hasTheirV4 = false

  package static let wayLimit = 32

  package init() {}
}
