package import Units
package import Wire

/// What happens to a `LinkHub`.
package enum LinkHubInput: Sendable {
  /// All local endpoints; again whenever they change, in mid-call too.
  case localEndpoints([LocalEndpoint])

  /// A member is in the room, or registered again. Comes before its descriptions.
  case peerAppeared(SessionID)
  /// The user, or the room's rules, want no link to this session any more.
  case removePeer(SessionID)
  /// The content of a box that `from` sealed.
  case description(LinkDescription, from: SessionID)
  /// Relays that may be used; the newest replaces all before.
  case relays(RelayGrant)

  /// One UDP datagram.
  case datagram([UInt8], from: SocketAddress, on: SocketID)
  /// A TCP connection came in.
  case accepted(StreamID, from: SocketAddress)
  /// A connection asked for by `.dial` is there.
  case dialed(StreamID)
  case dialFailed(StreamID, DialFailure = .other)
  case stream([UInt8], on: StreamID)
  /// The other side, or an error, ended the connection. Not told after `.hangUp`.
  case streamClosed(StreamID)
  /// Bytes given by `.write` that the kernel hasn't taken yet; told when that number changes.
  case backlog(StreamID, Int)

  /// RTP and RTCP: over the selected link, dropped when there is none.
  case send(SessionID, FrameKind, [UInt8])
  /// A message of stream control, chat or files: exactly once and in order, whatever happens to
  /// links. Waits while there is none. `id` is the sender's own name for it.
  case sendReliable(SessionID, ReliableStream, [UInt8], id: UInt64)
  /// Leave: everyone is told. `.closed` follows within half a second.
  case close
  case timeout
}
