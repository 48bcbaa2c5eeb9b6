package import Units
package import Wire

/// Every link of one process in one room: takes what sockets receive, boxes say and Call wants
/// sent, and returns what to transmit, dial, tell and deliver. No socket, no clock, no thread.
///
/// Call `handle`, drain `nextOutput()` until `nil`, and call `handle(.timeout, …)` when
/// `nextDeadline` has come. Peers and links are held by reference: a hub is not to be copied.
package struct LinkHub {
  private let configuration: LinkHubConfiguration
  /// Sorted by session.
  private var peers: [PeerLinks] = []
  private var peerNumbers: UInt32 = 0
  private var gathering: CandidateGathering
  private let shield: AddressShield
  /// Accepted connections that haven't said who they are.
  private var strangers: StrangerStreams
  private var ownCounters = LinkCounters()
  private var leaving: Leaving?
  /// `.closed` was told.
  private var isOver = false
  /// When something last happened.
  private var turnAt = Instant.zero
  private var outputs = OutputQueue<LinkHubOutput>()

  private struct Leaving {
    let until: Instant
    var repeatAt: Instant
  }
  private static let leavingTime = Interval.milliseconds(500)
  private static let goodbyePeriod = Interval.milliseconds(50)

  /// `shield`: another than the configuration's is for tests, to which all that stands behind it is as
  /// wrong as can be then.
  package init(_ configuration: LinkHubConfiguration, shield: AddressShield? = nil) {
    self.configuration = configuration
    self.shield = shield ?? AddressShield(configuration.ways)
    strangers = StrangerStreams(configuration)
    gathering = CandidateGathering(configuration)
  }

  package mutating func nextOutput() -> LinkHubOutput? {
    while let output = outputs.next() {
      if let passed = shield.pass(output) { return passed }
    }
    return nil
  }

  package mutating func handle(_ input: LinkHubInput, at now: Instant) {
    turnAt = now
    if !gathering.receiveFromRelay(input, at: now) { take(input, at: now) }
    introduceStrangers(at: now)
    collect()
  }

  private mutating func take(_ input: LinkHubInput, at now: Instant) {
    switch input {
    case .localEndpoints(let endpoints): setEndpoints(endpoints, at: now)
    case .peerAppeared(let session): appear(session, at: now)
    case .removePeer(let session):
      with(session) { $0.depart(sayingGoodbye: true, at: now) }
    case .description(let description, let session):
      take(description, from: session, at: now)
    case .relays(let grant):
      shield.note(grant)
      if leaving == nil, !isOver { gathering.take(grant, at: now) }
    case .datagram(let bytes, let source, let socket):
      if configuration.ways == .relayed {
        // Whoever it is has found out an address of ours; he is not told that he has.
        ownCounters.foreignDatagrams += 1
      } else {
        receive(bytes, on: DatagramPath(socket: socket, remote: source), at: now)
      }
    case .accepted(let stream, let source): accept(stream, from: source, at: now)
    case .dialed(let stream):
      if peers.contains(where: { $0.owns(stream) }) {
        with(stream) { $0.handleDialed(stream, at: now) }
      } else {
        // For a peer that was forgotten meanwhile.
        outputs.append(.hangUp(stream))
      }
    case .dialFailed(let stream, let reason):
      with(stream) { $0.handleDialFailed(stream, reason, at: now) }
    case .stream(let bytes, let stream):
      if strangers.owns(stream) {
        strangers.receive(bytes, on: stream, at: now)
      } else {
        with(stream) { $0.receive(bytes, on: stream, at: now) }
      }
    case .streamClosed(let stream):
      strangers.handleClosed(stream)
      with(stream) { $0.handleClosed(stream, at: now) }
    case .backlog(let stream, let bytes):
      with(stream) { $0.setBacklog(bytes, of: stream, at: now) }
    case .send(let session, let kind, let body):
      send(Frame(kind, body), to: session, at: now)
    case .sendReliable(let session, let stream, let message, let id):
      sendReliable(message, on: stream, id: id, to: session, at: now)
    case .close: leave(at: now)
    case .timeout: handleTimeout(at: now)
    }
  }

  // MARK: Peers

  /// Reliable state and counters outlive a peer's departure; those of so many are kept.
  private static let departedLimit = 64

  private func index(of session: SessionID) -> Int? {
    peers.firstIndex { $0.session == session }
  }

  private mutating func with(_ session: SessionID, _ action: (inout PeerLinks) -> Void) {
    if let index = index(of: session) { action(&peers[index]) }
  }
  private mutating func with(_ stream: StreamID, _ action: (inout PeerLinks) -> Void) {
    if let index = peers.firstIndex(where: { $0.owns(stream) }) { action(&peers[index]) }
  }

  private mutating func appear(_ session: SessionID, at now: Instant) {
    guard session != configuration.ownSession, leaving == nil, !isOver else { return }
    if index(of: session) == nil {
      forgetDeparted()
      let place = peers.firstIndex { session < $0.session } ?? peers.count
      peers.insert(
        PeerLinks(configuration, session: session, number: peerNumbers, shield: shield), at: place)
      peerNumbers += 1
      if gathering.isKnown { setLocal(of: place, at: now) }
    }
    with(session) { $0.appear(at: now) }
  }

  private mutating func forgetDeparted() {
    let departed = peers.filter { !$0.isPresent }
    guard departed.count > Self.departedLimit,
      let oldest = departed.min(by: { $0.number < $1.number })
    else { return }
    peers.removeAll { $0.number == oldest.number }
  }

  private mutating func take(
    _ description: LinkDescription, from session: SessionID, at now: Instant
  ) {
    guard let index = index(of: session), peers[index].isPresent else {
      ownCounters.refusedDescriptions += 1
      return
    }
    peers[index].take(description, at: now)
  }

  // MARK: Addresses of our own

  private mutating func setEndpoints(_ all: [LocalEndpoint], at now: Instant) {
    shield.note(all)
    guard gathering.set(all, at: now) else { return }
    for index in peers.indices { setLocal(of: index, at: now) }
  }

  private mutating func setLocal(of index: Int, at now: Instant) {
    peers[index].setLocal(gathering.bases, candidates: gathering.candidates, at: now)
  }

  /// What servers and relays have to say: peers' datagrams are received as if they had come to a
  /// socket of ours. False when there was nothing.
  private mutating func takeGathering(at now: Instant) -> Bool {
    var hasSpoken = false
    while let output = gathering.nextOutput() {
      hasSpoken = true
      switch output {
      case .hub(let output): outputs.append(output)
      case .received(let bytes, let path): receive(bytes, on: path, at: now)
      case .changed where gathering.isKnown:
        let (bases, candidates) = (gathering.bases, gathering.candidates)
        for index in peers.indices {
          peers[index].offer(bases, candidates: candidates, at: now)
        }
      case .changed: break
      }
    }
    return hasSpoken
  }

  // MARK: Datagrams

  /// RFC 7983 §7: STUN starts with 0…3, DTLS with 20…63.
  private mutating func receive(_ bytes: [UInt8], on path: DatagramPath, at now: Instant) {
    if StunMessage.isStun(bytes) {
      receiveStun(bytes, on: path, at: now)
    } else if let first = bytes.first, (20...63).contains(first) {
      let index =
        peers.firstIndex { $0.isValidated(path, at: now) }
        ?? peers.firstIndex { $0.isAwaited(path) }
      guard let index else {
        ownCounters.unvalidatedDatagrams += 1
        return
      }
      peers[index].receive(bytes, on: path, at: now)
    } else {
      ownCounters.foreignDatagrams += 1
    }
  }

  private mutating func receiveStun(_ bytes: [UInt8], on path: DatagramPath, at now: Instant) {
    guard let received = try? StunMessage.Received(bytes) else {
      ownCounters.foreignDatagrams += 1
      return
    }
    let message = received.message
    var fragment: ArraySlice<UInt8>?
    let owner: Int?
    switch message.kind {
    case .request:
      // USERNAME is "ours:theirs" (RFC 8445 §7.1.3).
      for case .username(let name) in message.attributes {
        fragment = name.prefix { $0 != UInt8(ascii: ":") }
      }
      owner = fragment.flatMap { fragment in
        peers.firstIndex { $0.owns(userFragment: fragment) }
      }
    case .success, .error:
      owner = peers.firstIndex { $0.expects(message.transactionID) }
    case .indication: owner = nil
    }
    let isAuthentic =
      if let owner {
        peers[owner].receiveStun(received, userFragment: fragment, on: path, at: now)
      } else {
        gathering.receiveAnswer(received, on: path, at: now)
      }
    if !isAuthentic { ownCounters.unauthenticStun += 1 }
  }

  // MARK: Streams

  private mutating func accept(_ stream: StreamID, from source: SocketAddress, at now: Instant) {
    let isWelcome =
      configuration.transport != .udp && configuration.ways != .relayed && leaving == nil
      && !isOver
    if !isWelcome || !strangers.accept(stream, from: source, at: now) {
      ownCounters.refusedStreams += 1
      outputs.append(.hangUp(stream))
    }
  }

  /// Gives connections that have said who they are to their peers, as soon as there is a box.
  private mutating func introduceStrangers(at now: Instant) {
    while let output = strangers.nextOutput() {
      if case .hangUp = output { ownCounters.refusedStreams += 1 }
      outputs.append(output)
    }
    for stranger in strangers.named {
      guard let index = index(of: stranger.session), peers[index].expectation != nil else {
        continue
      }
      strangers.remove(stranger.stream)
      if !peers[index].adopt(stranger.link, stranger.stream, from: stranger.source, at: now) {
        ownCounters.refusedStreams += 1
        outputs.append(.hangUp(stranger.stream))
      }
    }
  }

  // MARK: Frames of our own

  private mutating func send(_ frame: Frame, to session: SessionID, at now: Instant) {
    guard frame.kind == .rtp || frame.kind == .rtcp, let index = index(of: session) else {
      ownCounters.droppedFrames += 1
      return
    }
    peers[index].send(frame, at: now)
  }

  private mutating func sendReliable(
    _ message: [UInt8], on stream: ReliableStream, id: UInt64, to session: SessionID,
    at now: Instant
  ) {
    let refusal: ReliableRefusal
    switch stream {
    case .link, .path: refusal = .notAllowed
    case _ where message.count > ReliableSegment.messageLimit: refusal = .notAllowed
    case .control, .chat, .files:
      if let index = index(of: session), peers[index].isPresent {
        return peers[index].sendReliable(message, on: stream, id: id, at: now)
      }
      refusal = .unknownPeer
    }
    outputs.append(.refused(session, stream, id: id, refusal))
  }

  // MARK: Leaving

  private mutating func leave(at now: Instant) {
    guard leaving == nil else { return }
    leaving = Leaving(until: now + Self.leavingTime, repeatAt: now)
    continueLeaving(at: now)
  }

  /// Goodbyes go out until every peer has answered, or long enough.
  private mutating func continueLeaving(at now: Instant) {
    guard let leaving else { return }
    let hearers = peers.indices.filter { index in
      peers[index].isPresent && peers[index].isProved && !peers[index].hasAnsweredGoodbye
    }
    if hearers.isEmpty || leaving.until <= now {
      for index in peers.indices where peers[index].isPresent {
        peers[index].depart(sayingGoodbye: false, at: now)
      }
      collect()
      gathering.close(at: now)
      collect()
      strangers.closeAll()
      while let output = strangers.nextOutput() { outputs.append(output) }
      self.leaving = nil
      isOver = true
      outputs.append(.closed)
    } else if leaving.repeatAt <= now {
      for index in hearers { peers[index].sayGoodbye(isAnswer: false, at: now) }
      self.leaving?.repeatAt = now + Self.goodbyePeriod
    }
  }

  // MARK: Time and outputs

  private mutating func handleTimeout(at now: Instant) {
    for index in peers.indices { peers[index].handleTimeout(at: now) }
    gathering.handleTimeout(at: now)
    strangers.handleTimeout(at: now)
    continueLeaving(at: now)
  }

  package var nextDeadline: Deadline? {
    guard !isOver else { return nil }
    var deadline = Deadline.earlier(strangers.nextDeadline(at: turnAt), gathering.nextDeadline)
    // By index: an iterator would copy each of them, and this is asked after every packet.
    for index in 0..<peers.count {
      deadline = .earlier(deadline, peers[index].nextDeadline(at: turnAt))
    }
    if let leaving {
      let at = min(leaving.repeatAt, leaving.until)
      deadline = .earlier(deadline, Deadline("goodbye", at: at))
    }
    return deadline
  }

  private mutating func collect() {
    repeat {
      for index in 0..<peers.count {
        while let output = peers[index].nextOutput() {
          if case .transmit(let bytes, let address, let socket) = output, socket.isRelayed {
            gathering.send(bytes, to: address, from: socket, at: turnAt)
          } else {
            if case .doubtful = output { gathering.askAgain(at: turnAt) }
            outputs.append(output)
          }
        }
      }
    } while takeGathering(at: turnAt)
  }

  // MARK: Questions

  /// Of the link that frames go on; `nil` until it was measured.
  package func roundTrip(of session: SessionID) -> Interval? {
    index(of: session).flatMap { peers[$0].roundTrip }
  }
  /// `nil` before one was proved.
  package func sendingLink(of session: SessionID) -> LinkID? {
    index(of: session).flatMap { peers[$0].sendingLink }
  }
  /// Bytes that the kernel hasn't sent yet on the link that frames go on.
  package func backlog(of session: SessionID) -> Int {
    index(of: session).map { peers[$0].backlog } ?? 0
  }
  /// Bytes of reliable messages that the other side hasn't acknowledged.
  package func queuedBytes(to session: SessionID, on stream: ReliableStream) -> Int {
    index(of: session).map { peers[$0].queuedBytes(on: stream) } ?? 0
  }
  /// What was tried to reach this peer, and what became of it; `nil` for strangers.
  package func attempts(with session: SessionID) -> AttemptReport? {
    guard let index = index(of: session) else { return nil }
    var report = peers[index].attempts { gathering.refusal(of: $1, from: $0) }
    report.relays = gathering.relayAttempts
    report.isSeenOverUDP = gathering.isSeenOverUDP
    return report
  }
  package var counters: LinkCounters {
    var sum = peers.reduce(ownCounters) { $0 + $1.counters }
    sum.withheld = shield.withheld
    return sum
  }
  /// Only relays may be used, and none was granted that could be.
  package var lacksRelays: Bool { gathering.lacksRelays }
}
