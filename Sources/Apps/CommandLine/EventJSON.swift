package import Call
package import Units

/// DESIGN section 2's vocabulary: `"v":1,"event":…,"t":…`, then what belongs to the event. Names
/// and meanings are a promise; members may be added, none renamed.
extension CallEvent {
  /// One line without its line end. `elapsed` is the time since the program's start.
  package func json(at elapsed: Interval) -> String {
    var object = JSONObject(event: kind, at: elapsed)
    describe(in: &object)
    return object.text
  }

  private var kind: String {
    switch self {
    case .room: "room"
    case .peerJoined: "peer-joined"
    case .link: "link"
    case .trust: "trust"
    case .firstFrame: "first-frame"
    case .firstAudio: "first-audio"
    case .chat: "chat"
    case .chatSent: "chat-sent"
    case .chatDelivered: "chat-delivered"
    case .recording: "recording"
    case .device: "device"
    case .locked: "locked"
    case .stats: "stats"
    case .peerLeft: "peer-left"
    case .noPath: "no-path"
    case .failure: "error"
    case .left: "left"
    }
  }

  private func describe(in object: inout JSONObject) {
    switch self {
    case .room(let hint, let members):
      object.add("room_id_hint", hint)
      object.add("members", members)
    case .peerJoined(let peer):
      object.add(peer)
    case .link(let peer, let link):
      object.add(peer)
      object.add("path", link.path.rawValue)
      object.add("family", link.family)
      object.add("rtt_ms", link.roundTrip?.milliseconds)
      object.add("cipher", link.cipher)
    case .trust(let peer, let peerID, let state):
      object.add(peer)
      object.add("peer_id", peerID)
      object.add("state", state.rawValue)
    case .firstFrame(let peer, let since, let width, let height):
      object.add(peer)
      object.add("since_join_ms", since.milliseconds)
      object.add("width", width)
      object.add("height", height)
    case .firstAudio(let peer, let since):
      object.add(peer)
      object.add("since_join_ms", since.milliseconds)
    case .chat(let peer, let id, let text):
      object.add(peer)
      object.add("id", id)
      object.add("text", text)
    case .chatSent(let id, _):
      object.add("id", id)
    case .chatDelivered(let id, let peer):
      object.add(peer)
      object.add("id", id)
      object.add("to", peer.peer)
    case .recording(let peer, let isOn):
      object.add(peer)
      object.add("by", peer.peer)
      object.add("on", isOn)
    case .locked(let isOn): object.add("on", isOn)
    case .device(let kind, let name, let state):
      object.add("kind", kind)
      object.add("name", name)
      object.add("state", state)
    case .stats(let peer, let statistics):
      object.add(peer)
      statistics.describe(in: &object)
    case .peerLeft(let peer, let reason):
      object.add(peer)
      object.add("reason", reason)
    case .noPath(let peer, let report):
      object.add(peer)
      report.describe(in: &object)
    case .failure(let code, let message, let remedy):
      object.add("code", code)
      object.add("message", message)
      object.add("remedy", remedy)
    case .left(let reason, let exitCode):
      object.add("reason", reason)
      object.add("exit_code", exitCode)
    }
  }
}

extension JSONObject {
  /// The members that every event begins with; the server's events use it too.
  package init(event: String, at elapsed: Interval) {
    self.init()
    add("v", 1)
    add("event", event)
    add("t", elapsed.seconds)
  }

  fileprivate mutating func add(_ label: PeerLabel) {
    add("peer", label.peer)
    add("name", label.name)
  }
}

extension CallStatistics {
  fileprivate func describe(in object: inout JSONObject) {
    object.add("rtt_ms", roundTrip?.milliseconds)
    object.add("path", path.rawValue)
    object.add("send", send.json)
    object.add("recv", receive.json)
    object.add("cpu_percent", cpuPercent)
    object.add("rss_mb", residentMegabytes)
  }
}

extension CallStatistics.Send {
  fileprivate var json: JSONObject {
    var object = JSONObject()
    object.add("kbps", rate.kilobitsPerSecond)
    object.add("target_kbps", target.kilobitsPerSecond)
    object.add("video_kbps", video.kilobitsPerSecond)
    object.add("audio_kbps", audio.kilobitsPerSecond)
    object.add("repair_kbps", repair.kilobitsPerSecond)
    object.add("fps", framesPerSecond)
    object.add("width", width)
    object.add("height", height)
    object.add("encoder_speed", encoderSpeed.map(Double.init))
    return object
  }
}

extension CallStatistics.Receive {
  fileprivate var json: JSONObject {
    var object = JSONObject()
    object.add("kbps", rate.kilobitsPerSecond)
    object.add("fps", framesPerSecond)
    object.add("width", width)
    object.add("height", height)
    object.add("loss_percent", lossPercent)
    object.add("jitter_ms", jitter.milliseconds)
    object.add("freezes", freezes)
    object.add("freeze_ms", frozen.milliseconds)
    object.add("concealed_percent", concealedPercent)
    object.add("av_skew_ms", audioVideoSkew.milliseconds)
    return object
  }
}
