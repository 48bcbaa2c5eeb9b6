/// All that the window shows, as the call's threads want it; see `WindowModel`. What only the
/// window knows (hover, open panels, the line being typed) is in `Interaction`.
package struct WindowState: Hashable, Sendable {
  /// What to pass on to the person to be called; a secret, shown only in the window.
  package var roomID = ""
  /// What that person types, such as `p2pcall join p2p-…`.
  package var joinCommand = ""
  /// The headline while nobody else is here.
  package var waitingText = "Waiting for someone to join"
  package var ownName = "You"
  package var microphone = Device.on
  package var camera = Device.on
  /// A camera's own picture is shown as in a mirror; a file's or pattern's is not.
  package var isSelfMirrored = false
  package var peers: [Peer] = []
  /// Oldest first.
  package var chat: [ChatLine] = []
  /// Oldest first; each is shown for some seconds after it appears here.
  package var notices: [Notice] = []

  /// Lines of chat that can be scrolled back to, and notices that may wait to be seen: a peer must
  /// not fill the memory by talking.
  package static let chatLimit = 1_000
  package static let noticeLimit = 16

  package init() {}

  /// Adds to what is kept; the oldest line beyond the limit goes.
  package mutating func append(_ line: ChatLine) {
    chat.append(line)
    if chat.count > Self.chatLimit { chat.removeFirst(chat.count - Self.chatLimit) }
  }

  package mutating func append(_ notice: Notice) {
    notices.append(notice)
    if notices.count > Self.noticeLimit { notices.removeFirst(notices.count - Self.noticeLimit) }
  }

  package enum Device: Hashable, Sendable {
    case on
    /// Muted, or switched off by the user.
    case off
    /// There is none: its button explains that.
    case absent
  }

  package enum Trust: String, Hashable, Sendable {
    case new
    case known
    case verified
    case changed
  }

  package enum Link: Hashable, Sendable {
    case connecting
    case connected
    case reconnecting
  }

  package struct Peer: Hashable, Sendable {
    /// The session id's text: pictures are addressed by it.
    package var id: String
    package var name: String
    /// `nil` until the peer is proved.
    package var trust: Trust?
    package var link = Link.connecting
    /// The path in words, such as "Direct, UDP".
    package var pathText = ""
    package var isMuted = false
    package var isCameraOff = false
    /// What the statistics overlay lists, after the path.
    package var statistics: [Statistic] = []

    package init(id: String, name: String, trust: Trust? = nil) {
      self.id = id
      self.name = name
      self.trust = trust
    }
  }

  /// One line of the statistics overlay: "Delay", "24 ms".
  package struct Statistic: Hashable, Sendable {
    package var label: String
    package var value: String

    package init(_ label: String, _ value: String) {
      self.label = label
      self.value = value
    }
  }

  package struct ChatLine: Hashable, Sendable {
    package enum Delivery: Hashable, Sendable {
      case sending
      case sent
      case delivered
    }
    /// Unique in this call.
    package var id: String
    /// The writer's name; `nil` for one's own lines.
    package var author: String?
    /// The writer's session id: the line is shown on that tile for a while.
    package var peer: String?
    package var text: String
    /// Of one's own lines.
    package var delivery = Delivery.sending

    /// A line from a peer.
    package init(id: String, author: String, peer: String, text: String) {
      self.id = id
      self.author = author
      self.peer = peer
      self.text = text
    }

    /// A line of one's own.
    package init(id: String, text: String, delivery: Delivery = .sending) {
      self.id = id
      self.text = text
      self.delivery = delivery
    }
  }

  package struct Notice: Hashable, Sendable {
    /// Unique in this call.
    package var id: Int
    package var text: String
    package var isWarning: Bool

    package init(id: Int, text: String, isWarning: Bool = false) {
      self.id = id
      self.text = text
      self.isWarning = isWarning
    }
  }
}

/// What the user did in the window. The window has already carried out what concerns only
/// itself (full screen, panels, clipboard); the rest is for the call to do.
package enum WindowAction: Hashable, Sendable {
  case toggleMute
  case toggleCamera
  case sendChat(String)
  case leave
  case fullScreen(Bool)
  case statistics(Bool)
  case chat(isOpen: Bool)
  case copyRoomID
  case copyCommand
  case resized(width: Int, height: Int)
  /// The tile of the peer with this id has another size; an empty one: the peer is not shown.
  case placed(peer: String, Extent)
}
