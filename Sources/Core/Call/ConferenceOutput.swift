package import Links
package import Media
package import Receiving
package import Rooms
package import Units
package import Wire

/// What a `Conference` wants done.
package enum ConferenceOutput: Sendable {
  // The network.
  case transmit([UInt8], to: SocketAddress, from: SocketID)
  case dial(StreamID, SocketAddress)
  case write([UInt8], StreamID)
  case hangUp(StreamID)
  /// Only `connect`, `disconnect`, `verify` and `send`.
  case rendezvous(RendezvousClient.Output)

  // The media threads.
  /// Somebody is on the way who will get pictures, and nobody has any yet: the first one may be encoded while the
  /// link comes about.
  case expectVideo
  /// The standing order of the picture thread for this rendition from now on; `nil`: don't encode it.
  case encodeVideo(Rendition, VideoOrder?)
  /// Pictures are passed over, none is encoded, until this is taken back: the path of nobody who gets
  /// this rendition has room for another now. One that is not encoded costs less than one that is
  /// dropped afterwards, since a key frame must follow that.
  case holdVideo(Rendition, Bool)
  /// The rendition's next picture is to be a key frame.
  case keyFrame(Rendition)
  case encodeAudio(AudioOrder?)
  /// Open the camera unless it is open; or close it, so that its light goes out.
  case openCamera
  case closeCamera
  /// Open the microphone unless it is open.
  case openMicrophone
  /// Decode now, show at `showAt` or at once if that has passed; `nil`: it is too old to be shown.
  case decode(SessionID, AssembledFrame, showAt: Instant?)
  /// For the peer's jitter buffer on the sound thread.
  case audio(SessionID, AudioPacket)
  /// How much later the peer's sound should play, to wait for its picture.
  case audioHold(SessionID, Interval)
  /// Media of this peer may come: make its decoders.
  case openPeer(SessionID)
  /// The full size and rate of the peer's picture.
  case announced(SessionID, PictureSize, framesPerSecond: Double)
  /// No more media of this peer.
  case closePeer(SessionID)

  // The user.
  case event(CallEvent)
  /// The whole state that a window or status line shows, after something of it changed.
  case roster([RosterEntry])
  /// The connection to the server was lost, or is back; the call goes on without it.
  case server(isReached: Bool)
  /// Store what was found of somebody.
  case remember(KnownPeers.Entry)
  /// The call is over, everything is said: end the process with this code.
  case finished(exitCode: Int)
}

/// One other person in the room, as it is shown.
package struct RosterEntry: Hashable, Sendable {
  package var label: PeerLabel
  /// `nil` until proved.
  package var trust: TrustState?
  package var link: LinkReport?
  package var sendsAudio: Bool
  package var sendsVideo: Bool
}

extension LinkReport {
  init(_ report: PathReport) {
    let path: PathKind =
      switch (report.carrier, report.isRelayed) {
      case (.datagram, false): .udpDirect
      case (.datagram, true): .udpRelay
      case (.stream, false): .tcpDirect
      case (.stream, true): .tcpRelay
      }
    self.init(
      path: path, family: report.family.rawValue, roundTrip: report.roundTrip,
      cipher: report.cipher)
  }
}
