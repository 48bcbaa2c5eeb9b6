import Links
import Media
import Rooms
import Units
import Wire

/// Chat, and what members tell each other about themselves.
extension Conference {
  mutating func say(_ line: String, at now: Instant) {
    guard !ending.hasBegun, let message = chat.compose(line) else { return }
    outputs.append(.event(.chatSent(id: String(message.number), text: message.text)))
    let readers = peers.filter(\.gate.isOpen).map(\.session)
    for session in readers { send(message, to: session, at: now) }
    if readers.isEmpty, !chat.hold(message) {
      outputs.append(
        .event(
          .failure(
            code: 0, message: "line \(message.number) was dropped: nobody is there",
            remedy: "wait until somebody has joined")))
    }
  }

  mutating func send(_ message: ChatMessage, to session: SessionID, at now: Instant) {
    hub.handle(
      .sendReliable(session, .chat, message.encoded, id: message.number), at: now)
  }

  mutating func sendControl(
    _ message: ControlMessage, to session: SessionID, at now: Instant
  ) {
    hub.handle(.sendReliable(session, .control, message.encoded, id: 0), at: now)
  }

  mutating func received(
    _ bytes: [UInt8], on stream: ReliableStream, from session: SessionID, at now: Instant
  ) {
    guard let index = index(of: session), !peers[index].gate.isQuarantined else { return }
    switch stream {
    case .chat:
      guard let message = try? ChatMessage(decoding: bytes) else { return }
      outputs.append(
        .event(
          .chat(
            peers[index].label, id: String(message.number),
            text: NeutralText.line(message.text))))
    case .control:
      take(try? ControlMessage(decoding: bytes), fromPeerAt: index, at: now)
    default: break
    }
  }

  mutating func take(_ message: ControlMessage?, fromPeerAt index: Int, at now: Instant) {
    switch message {
    case .sources(let audio, let video):
      peers[index].sendsAudio = audio
      peers[index].sendsVideo = video
    case .picture(let width, let height, let rate):
      let size = PictureSize(width: Int(width), height: Int(height))
      guard size.isValid, rate > 0 else { return }
      announced(size, byPeerAt: index, at: now)
      outputs.append(
        .announced(peers[index].session, size, framesPerSecond: Double(rate) / 100))
    case .receiveLimit(let width, let height, let kilobits):
      peers[index].asked.ask(
        ReceiveBounds(width: width, height: height, kilobits: kilobits))
      if peers[index].asked.settle(at: now) { bound(index, at: now) }
    case .sealedCharter(let charter): learn(charter, at: now)
    case nil: break
    }
  }

  mutating func announceSources(at now: Instant) {
    for peer in peers where peer.gate.isOpen {
      sendControl(
        .sources(audio: isMicrophoneOn, video: isCameraOn), to: peer.session, at: now)
    }
  }
}
