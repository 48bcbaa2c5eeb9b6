package import Wire

/// What a `RendezvousClient` is made from, told, and wants done.
extension RendezvousClient {
  package struct Configuration: Sendable {
    /// Seed of the room's admission key (32 bytes).
    package var admissionSeed: [UInt8]
    package var session: SessionID
    /// This identity's PeerID (32 bytes), as in the certificate of the connection.
    package var peerID: [UInt8]
    /// With it the room is created where it does not live.
    package var record: RoomRecord?
    /// Spreads the times of coming back.
    package var seed: UInt64

    package init(
      admissionSeed: [UInt8], session: SessionID, peerID: [UInt8], record: RoomRecord?,
      seed: UInt64
    ) {
      self.admissionSeed = admissionSeed
      self.session = session
      self.peerID = peerID
      self.record = record
      self.seed = seed
    }
  }

  /// What is known of the server at the end of the handshake.
  package struct ServerFacts: Hashable, Sendable {
    /// SHA-256 of the certificate's SubjectPublicKeyInfo.
    package var keyHash: [UInt8]
    /// DER certificates, leaf first.
    package var chain: [[UInt8]]
    /// 32 bytes under `AdmissionStatement.exporterLabel`.
    package var exporter: [UInt8]

    package init(keyHash: [UInt8], chain: [[UInt8]], exporter: [UInt8]) {
      self.keyHash = keyHash
      self.chain = chain
      self.exporter = exporter
    }
  }

  package enum Input: Sendable {
    case start
    /// TLS is up.
    case secured(ServerFacts)
    /// The answers to `verify`.
    case serverAccepted
    case serverRejected
    /// The next decrypted bytes of the stream.
    case received([UInt8])
    /// Could not connect, or the connection ended without our `disconnect`; why, for the user.
    case disconnected(String)
    /// The connection was made and ended before a byte came: a server is there, and our first words
    /// may have been lost on a long way.
    case unheard(String)
    /// The connection ended because the server lets in only whom its CA vouches for.
    case certificateRefused
    case sendBox(to: SessionID, sealed: [UInt8])
    /// The newest valid record, learned over a link: the room is made from it again where the
    /// server has lost it.
    case learned(RoomRecord)
    /// Changes the room; for its owner.
    case store(RoomRecord)
    /// This computer's addresses changed: the connection may be dead without knowing it.
    case networkChanged
    /// The world sees this computer under another address: the connection is dead.
    case addressChanged
    /// A peer has fallen silent, which may mean the same.
    case peerSilent
    case leave
  }

  package enum Output: Hashable, Sendable {
    /// Open a connection and secure it: `secured` or `disconnected` follows.
    case connect
    /// Close it and forget what still comes from it.
    case disconnect
    /// Decide whether this is the server that is meant, and answer. Nobody may be asked in a call:
    /// it would stand still until he answers.
    case verify(ServerFacts, mayAsk: Bool)
    /// Bytes for the secured stream.
    case send([UInt8])
    /// For the first time; `memberJoined` follows for each one who is there.
    case joined(RoomSnapshot)
    /// After a loss; `memberJoined` follows for each one who is there.
    case registeredAgain
    /// Came, or registered again: time for a box.
    case memberJoined(RoomMember)
    case memberLeft(SessionID)
    case box(from: SessionID, sealed: [UInt8])
    case record(RoomRecord)
    /// Relays that may be used; the newest replaces all before.
    case relays(RelayGrant)
    /// The registration is lost, which harms no link; it is being tried again.
    case lost(String)
    case ended(Ending)
  }

  /// Why nothing more will come. All but `left` exist only before the first joining.
  package enum Ending: Hashable, Sendable {
    case unreachable(String)
    case refused
    /// The server lets in only whom its CA vouches for.
    case certificateRefused
    case serverRejected
    case left
  }
}
