package import Units
package import Wire

/// What a `LinkHub` wants done or known.
package enum LinkHubOutput: Sendable {
  case transmit([UInt8], to: SocketAddress, from: SocketID)
  case dial(StreamID, SocketAddress)
  case write([UInt8], StreamID)
  /// Close after what was written; nothing is told about this connection any more.
  case hangUp(StreamID)

  /// To be sealed and sent to this member through the server; replaces any not yet sent.
  case describe(SessionID, LinkDescription)

  /// Once for each session: the first link that proved membership and identity.
  case proved(SessionID, ProvedPeer)
  /// Frames go this way now: at first, at every change, and when a silent peer is heard again.
  case selected(SessionID, PathReport)
  /// How long an answer of the peer's takes on that way: when it becomes known, and when it changes
  /// by a tenth and more.
  case roundTrip(SessionID, Interval)
  /// What its clock showed when this left (`Clock`, `ClockedPong`), at most a round trip ago: right
  /// after the proof of each link, and with the answers to pings.
  case clock(SessionID, UInt64, roundTrip: Interval)
  /// Nothing was heard for longer than is usual: the path is checked, and servers are asked under which
  /// address we are seen.
  case doubtful(SessionID)
  /// Servers see us under another port than before, or `isElsewhere`: under another address.
  /// Connections that a NAT knew before may be dead.
  case remapped(isElsewhere: Bool)
  /// Nothing was heard for `Liveness.silence`; links are tried again meanwhile.
  case silent(SessionID)
  /// The session is over; its links are gone. `.peerAppeared` would start again.
  case lost(SessionID, LossReason)

  /// RTP or RTCP.
  case received(SessionID, FrameKind, ArraySlice<UInt8>)
  case receivedReliable(SessionID, ReliableStream, [UInt8], id: UInt64)
  /// The other side has the whole message.
  case delivered(SessionID, ReliableStream, id: UInt64)
  /// A reliable message was not taken.
  case refused(SessionID, ReliableStream, id: UInt64, ReliableRefusal)

  /// One attempt to make a link failed; others go on.
  case handshakeFailed(SessionID, HandshakeFailure)
  /// A relay over TLS isn't used: it has not shown that it is the one that is meant. Told once for
  /// the same reason.
  case relayRefused(RelayServer, SecureSessionFailure)
  /// Everyone was told that we leave, or half a second has passed.
  case closed
}

/// Who is at the other end of a proved link.
package struct ProvedPeer: Hashable, Sendable {
  /// SHA-256 of `publicKeyInfo`.
  package var peerID: [UInt8]
  /// DER SubjectPublicKeyInfo of the identity key.
  package var publicKeyInfo: [UInt8]
  /// DER, leaf first.
  package var certificateChain: [[UInt8]]
  /// What the peer calls itself: a claim.
  package var displayName: String

  package init(
    peerID: [UInt8], publicKeyInfo: [UInt8], certificateChain: [[UInt8]], displayName: String
  ) {
    self.peerID = peerID
    self.publicKeyInfo = publicKeyInfo
    self.certificateChain = certificateChain
    self.displayName = displayName
  }
}

/// The way that frames go.
package struct PathReport: Hashable, Sendable {
  package enum Family: String, Hashable, Sendable {
    case v4
    case v6
  }
  package var carrier: Carrier
  package var isRelayed: Bool
  package var family: Family
  /// `nil` until the first answer to a ping.
  package var roundTrip: Interval?
  /// What the session negotiated, as its library names it.
  package var cipher: String

  package init(
    carrier: Carrier, isRelayed: Bool, family: Family, roundTrip: Interval?, cipher: String
  ) {
    self.carrier = carrier
    self.isRelayed = isRelayed
    self.family = family
    self.roundTrip = roundTrip
    self.cipher = cipher
  }
}

package enum LossReason: Hashable, Sendable {
  /// It said goodbye.
  case left
  /// Nothing was heard for `Liveness.loss`.
  case silent
}

package enum ReliableRefusal: Hashable, Sendable {
  /// No such session, or it is gone.
  case unknownPeer
  /// More waits already than the queue may hold: try again after a delivery.
  case queueFull
  /// Longer than `ReliableSegment.messageLimit`, or not a stream for messages from outside.
  case notAllowed
}

/// Why an attempt at a link ended. Only `.proof` means that the certificate matched the box.
package enum HandshakeFailure: Error, Hashable, Sendable {
  /// The certificate's key isn't the box's.
  case certificate
  /// The certificate matched, then PROOF was wrong or the other side closed instead of it.
  case proof
  /// Membership was proved, but not the identity, or it is another than on the first link.
  case identity
  /// The session failed, or the messages broke the protocol.
  case session
  /// Nothing came in time.
  case timedOut
}
