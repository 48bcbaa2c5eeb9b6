import Links
import Receiving
import Rooms
import Sending
import Units
import Wire

/// What the links tell, and what becomes of it.
extension Conference {
  mutating func take(_ output: LinkHubOutput, at now: Instant) {
    switch output {
    case .transmit(let bytes, let address, let socket):
      outputs.append(.transmit(bytes, to: address, from: socket))
    case .dial(let stream, let address): outputs.append(.dial(stream, address))
    case .write(let bytes, let stream): outputs.append(.write(bytes, stream))
    case .hangUp(let stream): outputs.append(.hangUp(stream))
    case .describe(let session, let description):
      let sealed = boxes.seal(description, for: session)
      rendezvous.handle(.sendBox(to: session, sealed: sealed), at: now)
    case .proved(let session, let proof): proved(session, proof, at: now)
    case .selected(let session, let path): selected(session, LinkReport(path), at: now)
    case .roundTrip(let session, let interval):
      with(session) { $0.roundTrip(interval, at: now) }
    case .clock(let session, let time, let roundTrip):
      with(session) { $0.tell(.clock(time, roundTrip: roundTrip), at: now) }
    case .doubtful: rendezvous.handle(.peerSilent, at: now)
    case .remapped(let isElsewhere):
      rendezvous.handle(isElsewhere ? .addressChanged : .networkChanged, at: now)
    case .silent(let session):
      let away = LinkReport(path: .reconnecting, family: "", roundTrip: nil, cipher: "")
      selected(session, away, at: now)
    case .lost(let session, let reason):
      remove(session, reason: reason == .left ? "left" : "lost", at: now)
      if reason == .silent { seek(session, at: now) }
    case .received(let session, let kind, let bytes):
      with(session) { $0.receive(kind, bytes, at: now) }
    case .receivedReliable(let session, let stream, let message, _):
      received(message, on: stream, from: session, at: now)
    case .delivered(let session, let stream, let id):
      guard stream == .chat, let index = index(of: session) else { return }
      outputs.append(.event(.chatDelivered(id: String(id), to: peers[index].label)))
    case .refused(let session, let stream, let id, _):
      guard stream == .chat, let index = index(of: session) else { return }
      outputs.append(
        .event(
          .failure(
            code: 0, message: "line \(id) was not sent to \(peers[index].label.name)",
            remedy: "too much waits for them already; say it again later")))
    case .handshakeFailed(let session, let failure):
      if failure == .proof { departure.proofFailed(session) }
    case .relayRefused(let server, let failure):
      let name = server.hostName.map { "\($0) (\(server.address))" } ?? "\(server.address)"
      outputs.append(
        .event(
          .failure(
            code: 0, message: "the relay \(name) is not used: \(failure)",
            remedy: "tell whoever runs it; --ca FILE trusts relays whose certificate that CA signed"
          )
        ))
    case .closed: ending.peersKnow()
    }
    if ending.isComplete { finish() }
  }

  private mutating func selected(_ session: SessionID, _ report: LinkReport, at now: Instant) {
    // Links that go down one after the other while we leave are no news.
    guard !ending.hasBegun, let index = index(of: session), peers[index].link != report else {
      return
    }
    let previous = peers[index].link
    peers[index].link = report
    guard previous?.path != report.path || previous?.family != report.family else { return }
    if report.path != .reconnecting {
      peers[index].tell(.pathChanged, at: now)
      if let roundTrip = report.roundTrip { peers[index].roundTrip(roundTrip, at: now) }
    }
    outputs.append(.event(.link(peers[index].label, report)))
  }
}
