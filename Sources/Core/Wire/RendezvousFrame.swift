/// What a frame between client and rendezvous server holds (docs/protocol.md). Numbers below 64 go
/// to the server, the others to the client.
package enum RendezvousKind: UInt8, Hashable, Sendable, CaseIterable {
  /// `CreateRoom`
  case create = 1
  /// `JoinRoom`
  case join = 2
  /// No body: the session leaves, which the others are told at once.
  case leave = 3
  /// `SealedBox`, to the member that it names.
  case box = 4
  /// `RoomRecord`: from the owner only.
  case store = 5
  /// `RendezvousPing`
  case ping = 6
  // 7 is reserved for relays, 8 for the lobby, 9 for the STUN responder's address.

  /// `RoomSnapshot`: the answer to `create` and `join`.
  case joined = 64
  /// `RoomMember`: came, or registered again.
  case memberJoined = 65
  /// `SessionID`
  case memberLeft = 66
  /// `SealedBox`, from the member that it names.
  case delivered = 67
  /// `RoomRecord`, the newest one stored.
  case record = 68
  /// No body: the one answer for a room that is unknown, expired, full or locked, and for a
  /// wrong signature.
  case refused = 69
  /// `RetryLater`: too much to do, or going down.
  case retryLater = 70
  /// `RendezvousPing`, as it came.
  case pong = 71
  /// `RelayGrant`: after `joined`, and again before it lapses.
  case relays = 72
  // 73 is reserved for the lobby, 74 for the STUN responder's address.
}

/// One message with its kind, before framing.
package struct RendezvousFrame: Hashable, Sendable {
  package var kind: RendezvousKind
  package var body: [UInt8]

  package init(_ kind: RendezvousKind, _ body: [UInt8] = []) {
    self.kind = kind
    self.body = body
  }
  package init(_ kind: RendezvousKind, _ message: some WireMessage) {
    self.init(kind, message.encoded)
  }

  /// Bytes of kind and body that a server takes; the longest message is `create`.
  package static let serverLimit = 8_192
  /// Bytes of kind and body that a client takes; the longest message is `joined`.
  package static let clientLimit = 16_384

  /// Length (u24, of kind and body), kind, body.
  package var encoded: [UInt8] {
    precondition(body.count < Self.clientLimit, "senders keep to the messages' limits")
    var writer = ByteWriter(reserving: body.count + 4)
    writer.u24(UInt32(body.count + 1))
    writer.u8(kind.rawValue)
    writer.append(body)
    return writer.bytes
  }
}
