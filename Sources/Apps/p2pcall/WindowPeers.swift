import Call
import Units
import Window

/// How the window shows another person: who it is, how he is reached, and how that goes.
extension WindowState.Peer {
  init(_ entry: RosterEntry, _ statistics: CallStatistics?) {
    self.init(
      id: entry.label.peer, name: entry.label.name,
      trust: entry.trust.flatMap { WindowState.Trust(rawValue: $0.rawValue) })
    if let report = entry.link {
      link = report.path == .reconnecting ? .reconnecting : .connected
      pathText = report.path.words
    }
    isMuted = entry.trust != nil && !entry.sendsAudio
    isCameraOff = entry.trust != nil && !entry.sendsVideo
    self.statistics = statistics?.rows ?? []
  }
}

extension PathKind {
  fileprivate var words: String {
    switch self {
    case .udpDirect: "Direct, UDP"
    case .tcpDirect: "Direct, TCP"
    case .udpRelay: "Relay, UDP"
    case .tcpRelay: "Relay, TCP"
    case .reconnecting: "Reconnecting"
    }
  }
}

extension CallStatistics {
  /// What the window's overlay lists.
  fileprivate var rows: [WindowState.Statistic] {
    func kilobits(_ rate: Bitrate) -> String { "\(Int(rate.kilobitsPerSecond)) kbit/s" }
    func picture(_ width: Int, _ height: Int, _ rate: Double) -> String {
      width > 0 ? "\(width)×\(height), \(Int(rate.rounded())) fps" : "none"
    }
    return [
      .init("Delay there and back", roundTrip.map { "\(Int($0.milliseconds)) ms" } ?? "–"),
      .init("Sending", kilobits(send.rate)),
      .init("Own picture", picture(send.width, send.height, send.framesPerSecond)),
      .init("Receiving", kilobits(receive.rate)),
      .init("Picture", picture(receive.width, receive.height, receive.framesPerSecond)),
      .init("Lost", "\(Int(receive.lossPercent.rounded())) %"),
      .init("Jitter", "\(Int(receive.jitter.milliseconds)) ms"),
    ]
  }
}
