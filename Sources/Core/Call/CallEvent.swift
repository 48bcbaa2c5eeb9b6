package import Links
package import Units

/// What a call tells its user, in text or as one line of JSON (docs/events in the README): the
/// vocabulary of DESIGN section 2. `peer` is the session id's text, `name` the shown name.
package enum CallEvent: Sendable {
  case room(hint: String, members: Int)
  case peerJoined(PeerLabel)
  case link(PeerLabel, LinkReport)
  case trust(PeerLabel, peerID: String, TrustState)
  case firstFrame(PeerLabel, since: Interval, width: Int, height: Int)
  case firstAudio(PeerLabel, since: Interval)
  /// A line from a peer.
  case chat(PeerLabel, id: String, text: String)
  /// A line of our own was accepted for sending.
  case chatSent(id: String, text: String)
  case chatDelivered(id: String, to: PeerLabel)
  case recording(PeerLabel, isOn: Bool)
  case device(kind: String, name: String, state: String)
  case stats(PeerLabel, CallStatistics)
  case peerLeft(PeerLabel, reason: String)
  /// What was tried to reach a member, when the call ends because nobody was reached.
  case noPath(PeerLabel, AttemptReport)
  /// The owner has locked the room, or opened it again.
  case locked(isOn: Bool)
  case failure(code: Int, message: String, remedy: String)
  case left(reason: String, exitCode: Int)
}

package struct PeerLabel: Hashable, Sendable {
  /// Session id, 32 hexadecimal digits.
  package var peer: String
  package var name: String

  package init(peer: String, name: String) {
    self.peer = peer
    self.name = name
  }
}

package enum TrustState: String, Hashable, Sendable {
  case known
  case new
  case verified
  case changed
}

package enum PathKind: String, Hashable, Sendable {
  case udpDirect = "udp-direct"
  case udpRelay = "udp-relay"
  case tcpDirect = "tcp-direct"
  case tcpRelay = "tcp-relay"
  case reconnecting
}

package struct LinkReport: Hashable, Sendable {
  package var path: PathKind
  /// `v4` or `v6`; empty while reconnecting.
  package var family: String
  package var roundTrip: Interval?
  package var cipher: String

  package init(path: PathKind, family: String, roundTrip: Interval?, cipher: String) {
    self.path = path
    self.family = family
    self.roundTrip = roundTrip
    self.cipher = cipher
  }
}

/// One second of one peer.
package struct CallStatistics: Hashable, Sendable {
  package struct Send: Hashable, Sendable {
    package var rate = Bitrate.zero
    package var target = Bitrate.zero
    package var video = Bitrate.zero
    package var audio = Bitrate.zero
    package var repair = Bitrate.zero
    package var framesPerSecond = 0.0
    package var width = 0
    package var height = 0
    /// Of the last picture that was encoded (`cpu-used` of libvpx); `nil` before the first.
    package var encoderSpeed: Int?
    package init() {}
  }
  package struct Receive: Hashable, Sendable {
    package var rate = Bitrate.zero
    package var framesPerSecond = 0.0
    package var width = 0
    package var height = 0
    package var lossPercent = 0.0
    package var jitter = Interval.zero
    /// Gaps over 150 ms between shown frames, and their summed length, since the call began.
    package var freezes = 0
    package var frozen = Interval.zero
    package var concealedPercent = 0.0
    package var audioVideoSkew = Interval.zero
    package init() {}
  }
  package var roundTrip: Interval?
  package var path = PathKind.reconnecting
  package var send = Send()
  package var receive = Receive()
  package var cpuPercent = 0.0
  package var residentMegabytes = 0.0
  package init() {}
}
