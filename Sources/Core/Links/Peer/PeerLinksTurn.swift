import Units
import Wire

/// What the carriers tell, and what becomes of it.
extension PeerLinks {
  /// After everything that has happened: takes what the carriers have to say, chooses the path
  /// again, and sends what is due.
  func turn(at now: Instant) {
    takeCarrierOutputs(at: now)
    guard isPresent else { return }
    watchSilence(at: now)
    guard isPresent else { return }
    choose(at: now)
    pump(at: now)
    takeCarrierOutputs(at: now)
  }

  func takeCarrierOutputs(at now: Instant) {
    while true {
      if let output = datagrams.nextOutput() {
        switch output {
        case .transmit(let bytes, let path):
          outputs.append(.transmit(bytes, to: path.remote, from: path.socket))
        case .link(let id, let output): handle(output, of: id, at: now)
        }
      } else if let output = streams.nextOutput() {
        switch output {
        case .dial(let stream, let address): outputs.append(.dial(stream, address))
        case .write(let bytes, let stream): outputs.append(.write(bytes, stream))
        case .hangUp(let stream): outputs.append(.hangUp(stream))
        case .link(let id, let output): handle(output, of: id, at: now)
        }
      } else {
        return
      }
    }
  }

  func handle(_ output: PeerLink.Output, of id: LinkID, at now: Instant) {
    guard isPresent else { return }
    switch output {
    case .transmit, .named: break
    case .invalidFrame: counters.invalidFrames += 1
    case .proved(let found): admit(found, on: id, at: now)
    case .select(let select):
      // What came right behind an identity that was refused counts for nothing.
      guard proved.contains(id) else { return }
      selection.take(select, on: id)
    case .clock(let time, let roundTrip):
      guard proved.contains(id) else { return }
      outputs.append(.clock(session, time, roundTrip: roundTrip))
    case .ended(let failure):
      proved.removeAll { $0 == id }
      if let failure {
        if id.carrier == .datagram { datagramFailure = failure }
        outputs.append(.handshakeFailed(session, failure))
      }
    case .frame(let frame):
      guard proved.contains(id) else { return }
      take(frame, on: id, at: now)
    }
  }

  func admit(_ found: ProvedPeer, on id: LinkID, at now: Instant) {
    if let peerID, peerID != found.peerID {
      outputs.append(.handshakeFailed(session, .identity))
      drop(id, at: now)
      return
    }
    // A fresh session replaces the one before.
    if id.carrier == .datagram { proved.removeAll { $0.carrier == .datagram } }
    proved.append(id)
    silence.hear(at: now)
    peerID = found.peerID
    if !isReported {
      isReported = true
      outputs.append(.proved(session, found))
    }
  }

  func drop(_ id: LinkID, at now: Instant) {
    switch id {
    case .datagram: datagrams.close(at: now)
    case .stream(let stream): streams.hangUp(stream, at: now)
    }
  }

  func take(_ frame: Frame, on id: LinkID, at now: Instant) {
    do {
      switch frame.kind {
      case .rtp, .rtcp: outputs.append(.received(session, frame.kind, frame.body))
      case .segment:
        let acknowledgement = try reliable.receive(ReliableSegment(decoding: frame.body))
        if let acknowledgement {
          transmit(Frame(.acknowledgement, acknowledgement.encoded), on: id, at: now)
        }
      case .acknowledgement:
        reliable.acknowledge(try Acknowledgement(decoding: frame.body), at: now)
      case .goodbye: try takeGoodbye(Goodbye(decoding: frame.body), at: now)
      case .ping, .pong, .clockedPong: break
      }
    } catch {
      counters.invalidFrames += 1
    }
    takeReliable(at: now)
  }

  func takeReliable(at now: Instant) {
    while let (stream, message) = reliable.nextMessage() {
      if stream != .path {
        outputs.append(.receivedReliable(session, stream, message.bytes, id: message.id))
      } else if let description = try? LinkDescription(decoding: message.bytes) {
        take(description, at: now)
      } else {
        counters.invalidFrames += 1
      }
    }
    while let (stream, id) = reliable.nextDelivered() {
      if stream != .path { outputs.append(.delivered(session, stream, id: id)) }
    }
  }

  func takeGoodbye(_ goodbye: Goodbye, at now: Instant) {
    if goodbye.isAnswer {
      hasAnsweredGoodbye = true
    } else {
      sayGoodbye(isAnswer: true, at: now)
      outputs.append(.lost(session, .left))
      depart(sayingGoodbye: false, at: now)
    }
  }
}
