package import Call
import Rooms
import Units

/// What a person reads about an event; peers' words are neutralised for the terminal.
extension CallEvent {
  /// One line without its line end; `nil` for events that would only disturb (`stats` comes when
  /// asked for by `/stats`).
  package var text: String? {
    switch self {
    case .room(let hint, let members):
      let others = max(0, members - 1)
      let company =
        others == 0
        ? "nobody else is here yet; pass the room id on and wait"
        : others == 1 ? "one other is here" : "\(others) others are here"
      return "* you are in room \(hint.oneLine): \(company)"
    case .peerJoined(let peer): return "* \(peer.shown) is joining"
    case .link(let peer, let link): return "* \(link.sentence(of: peer.shown))"
    case .trust(let peer, let peerID, let state):
      return "* \(state.sentence(of: peer.shown, peerID: peerID.oneLine))"
    case .firstFrame(let peer, let since, let width, let height):
      return "* picture from \(peer.shown), \(width)x\(height), \(whole(since.milliseconds)) ms"
        + " after joining"
    case .firstAudio(let peer, _): return "* sound from \(peer.shown)"
    case .chat(let peer, _, let text): return "\(peer.shown): \(text.indented)"
    case .locked(let isOn):
      return isOn ? "* the room is locked: nobody else can enter" : "* the room is open again"
    case .chatSent: return nil
    case .chatDelivered(_, let peer): return "* \u{2713} delivered to \(peer.shown)"
    case .recording(let peer, let isOn):
      return "* \(peer.shown) \(isOn ? "is recording" : "stopped recording")"
    case .device(let kind, let name, "back"): return "* the \(kind) \(name.oneLine) is back"
    // The failure that comes with it says it in a sentence.
    case .device: return nil
    // The failure that follows says what it comes to, without addresses.
    case .noPath: return nil
    case .stats: return nil
    case .peerLeft(let peer, let reason): return "* \(peer.shown) left (\(reason.oneLine))"
    case .failure(_, let message, let remedy):
      return "p2pcall: \(message.oneLine)" + (remedy.isEmpty ? "" : "; \(remedy.oneLine)")
    case .left(let reason, let exitCode):
      return exitCode == 0 ? "* the call has ended" : "* the call has ended: \(reason.oneLine)"
    }
  }
}

extension PeerLabel {
  /// The name, or the beginning of the session id where there is none yet.
  package var shown: String {
    name.isEmpty ? "peer " + peer.prefix(8) : NeutralText.name(name)
  }
}

extension String {
  /// Fit for a terminal, in one line.
  fileprivate var oneLine: String {
    NeutralText.line(self).split(separator: "\n").joined(separator: " ")
  }
  /// Fit for a terminal; further lines are indented, so that none passes for somebody else's.
  fileprivate var indented: String {
    NeutralText.line(self).split(separator: "\n", omittingEmptySubsequences: false)
      .joined(separator: "\n    ")
  }
}

extension LinkReport {
  fileprivate func sentence(of name: String) -> String {
    let time = roundTrip.map { ", \(whole($0.milliseconds)) ms there and back" } ?? ""
    let ip = family == "v6" ? " (IPv6)" : ""
    switch path {
    case .udpDirect: return "connected to \(name) directly over UDP\(ip)\(time)"
    case .tcpDirect: return "connected to \(name) directly over TCP\(ip)\(time)"
    case .udpRelay: return "connected to \(name) through a relay over UDP\(ip)\(time)"
    case .tcpRelay: return "connected to \(name) through a relay over TCP\(ip)\(time)"
    case .reconnecting: return "the connection to \(name) is interrupted; reconnecting"
    }
  }
}

extension TrustState {
  fileprivate func sentence(of name: String, peerID: String) -> String {
    switch self {
    case .known: "\(name) has the key that you know"
    case .new: "\(name) is new to you (key \(peerID)); the key is remembered"
    case .verified: "\(name) has the key that you verified"
    case .changed:
      "\(name) came with another key than the one you know, so nothing is sent to them; ask them "
        + "for their fingerprint another way, and if it is \(peerID) write p2pcall peers trust "
        + "\(peerID)"
    }
  }
}

extension CallStatistics {
  /// One line for `/stats`.
  package func text(of peer: PeerLabel) -> String {
    let time = roundTrip.map { "\(whole($0.milliseconds)) ms" } ?? "-"
    return "* \(peer.shown): \(path.rawValue), round trip \(time); sent "
      + "\(send.width)x\(send.height) at \(whole(send.framesPerSecond)) fps, "
      + "\(whole(send.rate.kilobitsPerSecond)) of \(whole(send.target.kilobitsPerSecond)) kbit/s; "
      + "received \(receive.width)x\(receive.height) at \(whole(receive.framesPerSecond)) fps, "
      + "\(whole(receive.rate.kilobitsPerSecond)) kbit/s, lost \(whole(receive.lossPercent)) %, "
      + "\(receive.freezes) freezes, lip sync \(whole(receive.audioVideoSkew.milliseconds)) ms"
  }
}

private func whole(_ value: Double) -> String {
  value.isFinite && value.magnitude < 1e15 ? String(Int64(value.rounded())) : "-"
}
