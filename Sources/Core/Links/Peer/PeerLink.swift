package import Units
package import Wire

/// Names a link among those of its peer.
package enum LinkID: Hashable, Sendable {
  /// DTLS, the how manieth session; a fresh one replaces the one before.
  case datagram(attempt: Int)
  case stream(StreamID)

  package var carrier: Carrier {
    switch self {
    case .datagram: .datagram
    case .stream: .stream
    }
  }
}

/// One carrier to one peer, from its first handshake byte to its end: session, handshake, framing
/// and pulse. It knows nothing of other links; `PeerLinks` chooses between them.
package final class PeerLink {
  package enum Output: Sendable {
    /// Bytes for the wire; a whole datagram on a datagram link.
    case transmit([UInt8])
    case named(SessionID)
    case proved(ProvedPeer)
    /// Everything but the link's own stream, pings and pongs; after proof only.
    case frame(Frame)
    case select(Select)
    /// `Clock.time`, which the other side read at most `roundTrip` ago.
    case clock(UInt64, roundTrip: Interval)
    /// A frame was malformed, of an unknown kind, or came before proof.
    case invalidFrame
    /// The link is over. `nil`: its proof was done before.
    case ended(HandshakeFailure?)
  }
  package enum State: Hashable, Sendable {
    case shaking
    case proved
    case ended
  }

  package let id: LinkID
  package let role: SessionRole
  package private(set) var state = State.shaking
  /// When the handshake last came on.
  package private(set) var progressAt: Instant
  package private(set) var pulse: Pulse
  /// What was known of the path before anything of this link was measured.
  private let pathRoundTrip: Interval?

  private let session: any SecureSession
  private var handshake: Handshake
  private var sender: ReliableSender
  private var receiver = ReliableReceiver(stream: .link, messageLimit: handshakeLimit)
  private var splitter = FrameSplitter(limit: Frame.unprovedStreamLimit)
  /// What a member sent right behind its IDENTITY and what overtook that; taken when it comes.
  private var early: [Frame] = []
  private var isSessionUp = false
  private var hasToldClock = false
  /// When the last message of ours left that the handshake went on from.
  private var spokeAt: Instant
  /// The same of the one that the other side's IDENTITY, and its CLOCK, came after.
  private var askedAt: Instant
  /// When our first flight of TLS left, and whether it was answered: later ones may cross what the
  /// other side sends unasked.
  private var flightAt: Instant?
  private var isFlightAnswered = false
  /// Of all that was answered before proof. One that an outage, or a stop of this process, made
  /// longer must not be taken for the path's.
  private var leastRoundTrip: Interval?
  private var outputs = OutputQueue<Output>()
  /// Frames on their way into the session, which copies them.
  private var encoded: BufferRing

  /// A first key frame, and sound meanwhile.
  private static let earlyLimit = 64
  /// On datagrams, of everything that a call waits for before its first picture: one loss would
  /// cost a round trip and more.
  private static let setUpCopies = 2
  /// Bytes of one handshake message: a chain of eight certificates.
  private static let handshakeLimit = 40_960

  package init(
    _ configuration: LinkHubConfiguration, id: LinkID, role: SessionRole,
    expecting expectation: Handshake.Expectation?, roundTrip: Interval? = nil, at now: Instant
  ) {
    self.id = id
    self.role = role
    progressAt = now
    spokeAt = now
    askedAt = now
    pathRoundTrip = roundTrip
    pulse = Pulse(at: now, isOrdered: id.carrier == .stream)
    sender = ReliableSender(
      stream: .link, queueLimit: 65_536, timing: Self.timing(of: id.carrier, roundTrip))
    session = configuration.sessions.makeSession(
      id.carrier, role: role, expectedKeyHash: expectation?.certificateKeyHash)
    handshake = Handshake(configuration, role: role, expecting: expectation)
    encoded = BufferRing(count: id.carrier == .datagram ? 4 : 1, room: 64)
    session.start(at: now)
    advance(at: now)
  }

  /// TCP repeats by itself: what waits there is only doubled by repeating it.
  private static func timing(
    of carrier: Carrier, _ roundTrip: Interval?
  ) -> ReliableSender.Timing {
    guard carrier == .datagram else {
      return ReliableSender.Timing(first: .seconds(2), longest: .seconds(2))
    }
    guard let roundTrip else { return .handshake }
    return ReliableSender.Timing(
      first: max(.milliseconds(20), roundTrip * 1.25 + .milliseconds(5)), longest: .seconds(1))
  }

  package func nextOutput() -> Output? { outputs.next() }

  /// Of the path that it goes; `nil` until something was measured.
  package var roundTrip: Interval? { pulse.roundTrip ?? pathRoundTrip }
  package var carrier: Carrier { id.carrier }
  /// What the session negotiated; known once the link is proved.
  package private(set) var cipherName = ""
  package var isAwaitingProof: Bool { handshake.isAwaitingProof }

  // MARK: What comes in

  /// A datagram, or any part of the stream.
  package func receive(_ bytes: [UInt8], at now: Instant) {
    guard state != .ended else { return }
    if let flightAt, !isFlightAnswered {
      isFlightAnswered = true
      note(roundTrip: now - flightAt)
    }
    session.receive(bytes, at: now)
    advance(at: now)
  }

  /// The box of the session that `.named` told.
  package func admit(_ expectation: Handshake.Expectation, at now: Instant) {
    handshake.admit(expectation)
    advance(at: now)
  }

  /// The connection was closed by the other side.
  package func handleClosed() { end(closedFailure) }

  /// A certificate that matched and a close instead of PROOF: the other side refused ours, or
  /// could not make its own.
  private var closedFailure: HandshakeFailure? {
    switch state {
    case .proved: nil
    case .shaking, .ended: handshake.isAwaitingProof ? .proof : .session
    }
  }

  // MARK: What goes out

  /// False when the frame is too long for this carrier, or the link isn't proved.
  package func send(_ frame: Frame, at now: Instant) -> Bool {
    guard state == .proved, frame.count <= frameLimit else { return false }
    transmit(frame, at: now)
    advance(at: now)
    return true
  }

  package func select(_ message: Select, at now: Instant) {
    guard state == .proved else { return }
    _ = sender.enqueue(LinkMessage.select(message).encoded, id: 0)
    advance(at: now)
  }

  /// Closes in order, from our side; no `.ended` follows.
  package func close(at now: Instant) {
    guard state != .ended else { return }
    session.close(at: now)
    while let output = session.nextOutput() {
      if case .transmit(let bytes) = output { outputs.append(.transmit(bytes)) }
    }
    state = .ended
  }

  package func handleTimeout(at now: Instant) {
    guard state != .ended else { return }
    if let deadline = session.nextDeadline, deadline.at <= now { session.handleTimeout(at: now) }
    advance(at: now)
  }

  package func nextDeadline(at now: Instant) -> Deadline? {
    guard state != .ended else { return nil }
    var deadline = session.nextDeadline
    if let due = sender.nextDue {
      deadline = .earlier(deadline, Deadline("handshake segment", at: due))
    }
    if state == .proved { deadline = .earlier(deadline, pulse.nextDeadline(at: now)) }
    return deadline
  }

  private var frameLimit: Int {
    carrier == .datagram ? Frame.datagramLimit : Frame.streamLimit
  }

  private func transmit(_ frame: Frame, at now: Instant) {
    let bytes = encoded.make {
      carrier == .datagram ? frame.encode(to: &$0) : frame.encodeForStream(to: &$0)
    }
    session.send(bytes, at: now)
  }

  // MARK: Turning

  /// Lets session, handshake and stream 0 work on each other until all are at rest.
  private func advance(at now: Instant) {
    repeat {
      while let output = session.nextOutput() { handle(output, at: now) }
      while let output = handshake.nextOutput() { handle(output, at: now) }
      guard state != .ended else { return }
      tellClock(at: now)
      // Segments first: IDENTITY among them lets the other side take what follows.
      while let segment = sender.nextSegment(at: now) {
        for _ in 0..<(carrier == .datagram ? Self.setUpCopies : 1) {
          transmit(Frame(.segment, segment.encoded), at: now)
        }
      }
      if state == .proved, let ping = pulse.nextPing(at: now) {
        transmit(Frame(.ping, ping.encoded), at: now)
      }
    } while advanceSession(at: now)
  }

  /// Right behind our IDENTITY: so it is there before any media of ours, however the path is then.
  private func tellClock(at now: Instant) {
    guard !hasToldClock, state == .proved || role == .server && handshake.isAwaitingIdentity else {
      return
    }
    hasToldClock = true
    _ = sender.enqueue(LinkMessage.clock(Clock(time: NTPTime.at(now))).encoded, id: 0)
  }

  /// Whether the session had more to say.
  private func advanceSession(at now: Instant) -> Bool {
    guard let output = session.nextOutput() else { return false }
    handle(output, at: now)
    return true
  }

  private func handle(_ output: SecureSessionOutput, at now: Instant) {
    guard state != .ended else { return }
    switch output {
    case .transmit(let bytes):
      // A copy of a datagram changes nothing at the other end: DTLS drops it (RFC 6347 §4.1.2.6).
      let copies = carrier == .datagram && !isSessionUp ? Self.setUpCopies : 1
      for _ in 0..<copies { outputs.append(.transmit(bytes)) }
      if carrier == .stream, flightAt == nil { flightAt = now }
      // On TLS the server's HELLO rides in its first flight (docs/protocol.md).
      if carrier == .stream, role == .server { handshake.open() }
    case .established:
      isSessionUp = true
      progressAt = now
      handshake.establish(
        peerKeyHash: session.peerKeyHash,
        exported: session.exporter(label: Handshake.exporterLabel, count: 32))
      // What a session wasn't ready to take goes out now rather than after a timeout.
      sender.resendAll(at: now)
    case .received(let bytes): take(bytes, at: now)
    case .closed: end(closedFailure)
    case .failed(let failure): end(handshakeFailure(failure))
    }
  }

  private func handshakeFailure(_ failure: SecureSessionFailure) -> HandshakeFailure? {
    guard state == .shaking else { return nil }
    return switch failure {
    case .keyMismatch: .certificate
    case .timedOut: .timedOut
    case .untrusted, .refused, .certificateRefused, .handshake: closedFailure
    }
  }

  private func handle(_ output: Handshake.Output, at now: Instant) {
    guard state != .ended else { return }
    switch output {
    case .send(let message):
      spokeAt = now
      _ = sender.enqueue(message, id: 0)
    case .named(let session): outputs.append(.named(session))
    case .failed(let failure):
      session.close(at: now)
      while let last = session.nextOutput() {
        if case .transmit(let bytes) = last { outputs.append(.transmit(bytes)) }
      }
      end(failure)
    case .proved(let peer):
      state = .proved
      cipherName = session.cipherName
      pulse = Pulse(at: now, isOrdered: id.carrier == .stream)
      if let leastRoundTrip { pulse.measure(leastRoundTrip) }
      splitter.limit = Frame.streamLimit
      outputs.append(.proved(peer))
      for frame in early { outputs.append(.frame(frame)) }
      early = []
    }
  }

  private func end(_ failure: HandshakeFailure?) {
    guard state != .ended else { return }
    state = .ended
    outputs.append(.ended(failure))
  }

  // MARK: Frames

  private func take(_ bytes: [UInt8], at now: Instant) {
    guard carrier == .stream else { return takeFrame(bytes, at: now) }
    splitter.push(bytes)
    do {
      while state != .ended, let frame = try splitter.next() { takeFrame(frame, at: now) }
    } catch {
      // Framing is broken for good.
      outputs.append(.invalidFrame)
      end(closedFailure)
    }
  }

  private func takeFrame(_ bytes: [UInt8], at now: Instant) {
    guard let frame = try? Frame(decoding: bytes) else {
      outputs.append(.invalidFrame)
      return
    }
    pulse.hear(at: now)
    do {
      switch frame.kind {
      case .segment where frame.body.first == ReliableStream.link.rawValue:
        try takeSegment(ReliableSegment(decoding: frame.body), at: now)
      case .acknowledgement where frame.body.first == ReliableStream.link.rawValue:
        sender.acknowledge(try Acknowledgement(decoding: frame.body), at: now)
        if let sample = sender.roundTrip { note(roundTrip: sample) }
        while sender.nextDelivered() != nil {}
      case let kind where state != .proved:
        if handshake.isAwaitingIdentity, kind == .rtp || kind == .rtcp || kind == .segment,
          early.count < Self.earlyLimit
        {
          early.append(frame)
        } else {
          outputs.append(.invalidFrame)
        }
      case .ping:
        answer(try Ping(decoding: frame.body), at: now)
      case .pong: pulse.take(try Pong(decoding: frame.body), at: now)
      case .clockedPong:
        let pong = try ClockedPong(decoding: frame.body)
        if let roundTrip = pulse.take(Pong(number: pong.number), at: now) {
          outputs.append(.clock(pong.time, roundTrip: roundTrip))
        }
      case .segment, .acknowledgement, .rtp, .rtcp, .goodbye: outputs.append(.frame(frame))
      }
    } catch {
      outputs.append(.invalidFrame)
    }
  }

  private func answer(_ ping: Ping, at now: Instant) {
    let tellsClock = handshake.theirCapabilities & Hello.takesClockedPong != 0
    transmit(
      tellsClock
        ? Frame(.clockedPong, ClockedPong(number: ping.number, time: NTPTime.at(now)).encoded)
        : Frame(.pong, Pong(number: ping.number).encoded), at: now)
  }

  private func note(roundTrip sample: Interval) {
    leastRoundTrip = min(leastRoundTrip ?? sample, sample)
    sender.timing = Self.timing(of: carrier, leastRoundTrip)
    if pulse.roundTrip == nil { pulse.measure(sample) }
  }

  private func takeSegment(_ segment: ReliableSegment, at now: Instant) throws {
    do {
      try receiver.receive(segment)
    } catch {
      end(closedFailure)
      return
    }
    transmit(Frame(.acknowledgement, receiver.acknowledgement.encoded), at: now)
    while state != .ended, let message = receiver.nextMessage() {
      takeMessage(message.bytes, at: now)
    }
  }

  private func takeMessage(_ bytes: [UInt8], at now: Instant) {
    guard state == .proved else {
      progressAt = now
      let spokeAt = spokeAt
      handshake.receive(bytes)
      // Each message may be the one that the next frame's treatment depends on.
      while let output = handshake.nextOutput() { handle(output, at: now) }
      if state == .proved { askedAt = spokeAt }
      return
    }
    switch try? LinkMessage(decoding: bytes) {
    case .select(let select): outputs.append(.select(select))
    case .clock(let clock): outputs.append(.clock(clock.time, roundTrip: now - askedAt))
    default: outputs.append(.invalidFrame)
    }
  }
}
