package import Media
package import Rooms
package import Units

/// Where our picture comes from.
package enum VideoChoice: Hashable, Sendable {
  /// A camera if there is one, else none with a notice.
  case automatic
  case camera(device: String?)
  case file(path: String)
  /// YUV4MPEG2; `-` is standard input.
  case pipe(path: String)
  case pattern
  case none
}

/// Where our sound comes from.
package enum AudioChoice: Hashable, Sendable {
  /// A microphone if there is one, else none with a notice.
  case automatic
  case microphone(device: String?)
  case file(path: String)
  /// s16le, 48 kHz, mono; `-` is standard input.
  case pipe(path: String)
  case tone
  case none
}

/// Where the others' pictures go.
package enum ViewChoice: Hashable, Sendable {
  /// A window if there is a display, else none.
  case automatic
  case window
  /// YUV4MPEG2; `{peer}` in the path becomes the session id.
  case pipe(path: String)
  case none
}

/// Where the others' sound goes.
package enum PlayChoice: Hashable, Sendable {
  /// A speaker if there is one, else none with a notice.
  case automatic
  case speaker(device: String?)
  /// A WAV file.
  case file(path: String)
  case pipe(path: String)
  case none
}

package enum QualityChoice: String, CaseIterable, Hashable, Sendable {
  case low
  case medium
  case high
  case auto
}

/// What is wanted of each of the others at most.
package enum ReceiveChoice: Hashable, Sendable {
  case quality(QualityChoice)
  case size(PictureSize)
}

package enum TransportChoice: String, CaseIterable, Hashable, Sendable {
  case auto
  case udp
  case tcp
}

package enum EventFormat: String, CaseIterable, Hashable, Sendable {
  case json
}

package enum LogLevel: String, CaseIterable, Hashable, Comparable, Sendable {
  case error
  case warning
  case info
  case debug

  package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rank < right.rank }
  private var rank: Int {
    switch self {
    case .error: 0
    case .warning: 1
    case .info: 2
    case .debug: 3
    }
  }
}

/// How the rendezvous server is found and trusted, and who we are to it.
package struct ServerOptions: Hashable, Sendable {
  package var server: ServerAddress?
  /// Of the public key that the server must have.
  package var serverPin: KeyFingerprint?
  /// PEM: trust anchor for the server.
  package var caFile: String?
  /// PEM: own certificate and its key, both or none.
  package var certFile: String?
  package var keyFile: String?
  package init() {}
}

/// Which ways to the others a call may take.
package struct WayOptions: Hashable, Sendable {
  package var transport = TransportChoice.auto
  /// Nothing but relays, and no relay at all: not both.
  package var relayOnly = false
  package var noRelay = false
  /// The network interface that alone may be used with peers and relays.
  package var interface: String?
  package init() {}
}

/// Everything that `p2pcall room create` is told.
package struct RoomOptions: Hashable, Sendable {
  package var connection = ServerOptions()
  package var password = PasswordChoice.none
  /// From its making to its end.
  package var lifetime = Interval.seconds(30 * 86_400)
  /// Members at once.
  package var size = 16
  package init() {}
}

/// Where a new room's password comes from.
package enum PasswordChoice: Hashable, Sendable {
  /// It has none.
  case none
  /// Asked for on the terminal, twice.
  case prompt
  case file(path: String)
}

/// Everything that `p2pcall check` is told.
package struct CheckOptions: Hashable, Sendable {
  package var connection = ServerOptions()
  /// Of the call that is to be expected.
  package var ways = WayOptions()
  package var events: EventFormat?
  package init() {}
}

/// Everything that `p2pcall join` is told.
package struct JoinOptions: Hashable, Sendable {
  package var room = RoomArgument.prompt
  package var connection = ServerOptions()
  /// Where the room's password is; asked for on the terminal unless given.
  package var passwordFile: String?
  package var name: String?
  package var video = VideoChoice.automatic
  package var audio = AudioChoice.automatic
  package var view = ViewChoice.automatic
  package var play = PlayChoice.automatic
  /// The microphone's sound is sent as it comes, with echo and noise.
  package var rawAudio = false
  /// Upper bounds: the engine adapts below them.
  package var size: PictureSize?
  package var fps: Int?
  package var maxBitrate: Bitrate?
  package var quality = QualityChoice.auto
  package var content = PictureContent.motion
  package var receive = ReceiveChoice.quality(.auto)
  package var ways = WayOptions()
  package var events: EventFormat?
  /// Leave that long after the `room` event.
  package var duration: Interval?
  package var logLevel = LogLevel.warning
  package init() {}

  /// Standard input feeds a source, so it carries no chat.
  package var mediaTakesStandardInput: Bool {
    video == .pipe(path: "-") || audio == .pipe(path: "-")
  }
}
