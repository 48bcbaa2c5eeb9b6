import Ciphers
import Units
import Wire

/// All links to one session: describes itself to it, makes links, chooses among those that are
/// proved, and carries frames and reliable messages over whichever that is.
final class PeerLinks {
  let session: SessionID
  let number: UInt32
  private let configuration: LinkHubConfiguration

  /// In the room, as far as we know; links are made only then.
  private(set) var isPresent = false
  /// Rises with each restart of ICE by either side.
  private var generation: UInt32 = 0
  /// The latest that the other side told.
  private var theirs: LinkDescription?
  private var ownCandidates: [Candidate] = []
  private var ownBases: [(SocketID, Candidate)] = []
  private var hasEndpoints = false
  /// Not again before this when the other side is behind.
  private var remindAt = Instant.zero

  private var datagrams: DatagramCarrier
  private var streams: StreamCarrier
  private var selection: PathSelection
  /// In the order of their proofs.
  private var proved: [LinkID] = []
  private var reliable = ReliableStreams()
  /// The first proved link's; all later ones must have the same, even after a loss.
  private var peerID: [UInt8]?
  /// `.proved` was told.
  private var isReported = false
  private var report: PathReport?
  private var silence = SilenceWatch()
  private var revival = Revival()
  /// The answer to our own goodbye came.
  private(set) var hasAnsweredGoodbye = false

  private(set) var counters = LinkCounters()
  private var outputs = OutputQueue<LinkHubOutput>()

  /// Media aren't queued behind more than this in the kernel; a late frame is worth nothing.
  private static let mediaBacklogLimit = 262_144
  private static let reliableBacklogLimit = 131_072

  init(_ configuration: LinkHubConfiguration, session: SessionID, number: UInt32) {
    self.configuration = configuration
    self.session = session
    self.number = number
    let isLower = configuration.ownSession < session
    datagrams = DatagramCarrier(configuration, isLower: isLower)
    streams = StreamCarrier(configuration, peerNumber: number)
    selection = PathSelection(decides: isLower)
  }

  func nextOutput() -> LinkHubOutput? { outputs.next() }

  private var isLower: Bool { configuration.ownSession < session }

  // MARK: Presence and descriptions

  /// In the room, or registered again.
  func appear(at now: Instant) {
    isPresent = true
    describe(at: now)
    turn(at: now)
  }

  func setLocal(
    _ bases: [(SocketID, Candidate)], candidates: [Candidate], at now: Instant
  ) {
    let hadEndpoints = hasEndpoints
    hasEndpoints = true
    ownBases = bases
    ownCandidates = candidates
    datagrams.setLocal(bases, at: now)
    if hadEndpoints {
      // New addresses are a new generation: the other side need not guess which box is newer.
      restart(to: generation &+ 1, at: now)
      streams.hasten(at: now)
    }
    if isPresent { describe(at: now) }
    turn(at: now)
  }

  func take(_ description: LinkDescription, at now: Instant) {
    if let theirs, theirs.certificateKeyHash != description.certificateKeyHash {
      counters.refusedDescriptions += 1
      return
    }
    guard description.generation >= generation else {
      // It hasn't seen our restart.
      if remindAt <= now { describe(at: now) }
      return
    }
    var accepted = description
    accepted.candidates = description.candidates.filter {
      CandidateRules.accepts($0.address, allowsLoopback: configuration.allowsLoopback)
        && (configuration.transport == .auto
          || (configuration.transport == .udp) == ($0.transport == .udp))
    }
    counters.refusedCandidates += description.candidates.count - accepted.candidates.count
    if description.generation > generation {
      restart(to: description.generation, at: now)
      if isPresent { describe(at: now) }
    } else if let theirs, theirs.generation == generation,
      theirs.userFragment != description.userFragment
    {
      counters.refusedDescriptions += 1
      return
    }
    theirs = accepted
    datagrams.setRemote(accepted, of: session, at: now)
    streams.setRemote(accepted, of: session, at: now)
    turn(at: now)
  }

  private func restart(to generation: UInt32, at now: Instant) {
    self.generation = generation
    datagrams.restart(at: now)
  }

  private func describe(at now: Instant) {
    guard hasEndpoints else { return }
    remindAt = now + .seconds(1)
    let description = LinkDescription(
      certificateKeyHash: configuration.sessions.certificateKeyHash, generation: generation,
      userFragment: datagrams.credentials.userFragment, password: datagrams.credentials.password,
      candidates: ownCandidates)
    outputs.append(.describe(session, description))
    if !proved.isEmpty { _ = reliable.enqueue(description.encoded, on: .path, id: 0) }
  }

  var expectation: Handshake.Expectation? {
    guard isPresent, let theirs else { return nil }
    return Handshake.Expectation(
      session: session, certificateKeyHash: theirs.certificateKeyHash)
  }

  /// Gone, or unwanted. Reliable streams stay as they are: the same session may come back.
  func depart(sayingGoodbye: Bool, at now: Instant) {
    if sayingGoodbye { sayGoodbye(isAnswer: false, at: now) }
    streams.closeAll(at: now)
    datagrams.close(at: now)
    takeCarrierOutputs(at: now)
    isPresent = false
    theirs = nil
    proved = []
    isReported = false
    report = nil
    silence = SilenceWatch()
    _ = selection.update([])
    revival = Revival()
    // Whoever comes back gets fresh credentials.
    generation &+= 1
    datagrams = DatagramCarrier(configuration, isLower: isLower)
    datagrams.setLocal(ownBases, at: now)
  }

  // MARK: Datagrams and streams

  func owns(userFragment: ArraySlice<UInt8>) -> Bool {
    isPresent && datagrams.owns(userFragment: userFragment)
  }
  func expects(_ transactionID: [UInt8]) -> Bool { isPresent && datagrams.expects(transactionID) }
  func isValidated(_ path: DatagramPath, at now: Instant) -> Bool {
    isPresent && datagrams.isValidated(path, at: now)
  }
  func isAwaited(_ path: DatagramPath) -> Bool { isPresent && datagrams.isAwaited(path) }
  func owns(_ stream: StreamID) -> Bool { streams.owns(stream) }

  func receiveStun(
    _ received: StunMessage.Received, userFragment: ArraySlice<UInt8>?, on path: DatagramPath,
    at now: Instant
  ) -> Bool {
    let isAuthentic = datagrams.receiveStun(
      received, userFragment: userFragment, on: path, at: now)
    turn(at: now)
    return isAuthentic
  }

  func receive(_ datagram: [UInt8], on path: DatagramPath, at now: Instant) {
    datagrams.receive(datagram, on: path, at: now)
    turn(at: now)
  }

  func handleDialed(_ stream: StreamID, at now: Instant) {
    streams.handleDialed(stream, at: now)
    turn(at: now)
  }
  func handleDialFailed(_ stream: StreamID, at now: Instant) {
    streams.handleDialFailed(stream, at: now)
    turn(at: now)
  }
  func adopt(
    _ link: PeerLink, _ stream: StreamID, from farEnd: SocketAddress, at now: Instant
  ) -> Bool {
    let isAdopted = streams.adopt(link, stream, from: farEnd, at: now)
    turn(at: now)
    return isAdopted
  }
  func receive(_ bytes: [UInt8], on stream: StreamID, at now: Instant) {
    streams.receive(bytes, on: stream, at: now)
    turn(at: now)
  }
  func handleClosed(_ stream: StreamID, at now: Instant) {
    streams.handleClosed(stream, at: now)
    turn(at: now)
  }
  func setBacklog(_ bytes: Int, of stream: StreamID, at now: Instant) {
    streams.setBacklog(bytes, of: stream)
    turn(at: now)
  }

  // MARK: Frames of our own

  func send(_ frame: Frame, at now: Instant) {
    guard let id = selection.sending, backlog <= Self.mediaBacklogLimit else {
      counters.droppedFrames += 1
      return
    }
    guard frame.count <= (id.carrier == .datagram ? Frame.datagramLimit : Frame.streamLimit)
    else {
      counters.oversizedFrames += 1
      return
    }
    if !transmit(frame, on: id, at: now) { counters.droppedFrames += 1 }
    // Media go out hundreds of times a second and change nothing: no whole turn for them.
    takeCarrierOutputs(at: now)
  }

  func sendReliable(
    _ message: [UInt8], on stream: ReliableStream, id: UInt64, at now: Instant
  ) {
    if reliable.enqueue(message, on: stream, id: id) {
      turn(at: now)
    } else {
      outputs.append(.refused(session, stream, id: id, .queueFull))
    }
  }

  func queuedBytes(on stream: ReliableStream) -> Int { reliable.queuedBytes(on: stream) }

  /// Bytes that the kernel hasn't sent yet on the selected link.
  var backlog: Int { selection.sending.map { streams.backlog(of: $0) } ?? 0 }
  var roundTrip: Interval? { selection.sending.flatMap { link($0)?.pulse.roundTrip } }
  var isProved: Bool { !proved.isEmpty }

  /// On every proved link: which of them still works is not known.
  func sayGoodbye(isAnswer: Bool, at now: Instant) {
    for id in proved {
      _ = transmit(Frame(.goodbye, Goodbye(isAnswer: isAnswer).encoded), on: id, at: now)
    }
    takeCarrierOutputs(at: now)
  }

  @discardableResult
  private func transmit(_ frame: Frame, on id: LinkID, at now: Instant) -> Bool {
    switch id {
    case .datagram: datagrams.link?.id == id && datagrams.send(frame, at: now)
    case .stream: streams.send(frame, on: id, at: now)
    }
  }

  private func link(_ id: LinkID) -> PeerLink? {
    switch id {
    case .datagram: datagrams.link?.id == id ? datagrams.link : nil
    case .stream: streams.link(id)
    }
  }

  // MARK: Time

  func handleTimeout(at now: Instant) {
    guard isPresent else { return }
    datagrams.handleTimeout(at: now)
    streams.handleTimeout(at: now)
    turn(at: now)
  }

  func nextDeadline(at now: Instant) -> Deadline? {
    guard isPresent else { return nil }
    var deadline = Deadline.earlier(
      datagrams.nextDeadline(at: now), streams.nextDeadline(at: now))
    if selection.sending != nil, backlog <= Self.reliableBacklogLimit, let due = reliable.nextDue {
      deadline = .earlier(deadline, Deadline("reliable segment", at: due))
    }
    deadline = .earlier(deadline, revival.nextDeadline)
    return .earlier(deadline, silence.nextDeadline)
  }

  // MARK: Turning

  /// After everything that has happened: takes what the carriers have to say, chooses the path
  /// again, and sends what is due.
  private func turn(at now: Instant) {
    takeCarrierOutputs(at: now)
    guard isPresent else { return }
    watchSilence(at: now)
    guard isPresent else { return }
    choose(at: now)
    pump(at: now)
    takeCarrierOutputs(at: now)
  }

  private func takeCarrierOutputs(at now: Instant) {
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

  private func handle(_ output: PeerLink.Output, of id: LinkID, at now: Instant) {
    guard isPresent else { return }
    switch output {
    case .transmit, .named: break
    case .invalidFrame: counters.invalidFrames += 1
    case .proved(let found): admit(found, on: id, at: now)
    case .select(let select): selection.take(select, on: id)
    case .ended(let failure):
      proved.removeAll { $0 == id }
      if let failure { outputs.append(.handshakeFailed(session, failure)) }
    case .frame(let frame):
      guard proved.contains(id) else { return }
      take(frame, on: id, at: now)
    }
  }

  private func admit(_ found: ProvedPeer, on id: LinkID, at now: Instant) {
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

  private func drop(_ id: LinkID, at now: Instant) {
    switch id {
    case .datagram: datagrams.close(at: now)
    case .stream(let stream): streams.hangUp(stream, at: now)
    }
  }

  private func take(_ frame: Frame, on id: LinkID, at now: Instant) {
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
      case .ping, .pong: break
      }
    } catch {
      counters.invalidFrames += 1
    }
    takeReliable(at: now)
  }

  private func takeReliable(at now: Instant) {
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

  private func takeGoodbye(_ goodbye: Goodbye, at now: Instant) {
    if goodbye.isAnswer {
      hasAnsweredGoodbye = true
    } else {
      sayGoodbye(isAnswer: true, at: now)
      outputs.append(.lost(session, .left))
      depart(sayingGoodbye: false, at: now)
    }
  }

  // MARK: The path

  private func choose(at now: Instant) {
    let before = selection.sending
    proved = proved.filter { link($0) != nil }
    let options = proved.compactMap { id in
      link(id).map {
        PathSelection.Option(
          id: id, rank: id.carrier == .datagram ? 0 : 1, isAlive: $0.pulse.isAlive(at: now),
          isSteady: $0.pulse.isSteady(at: now))
      }
    }
    if let number = selection.update(options), let id = selection.sending {
      let select = Select(number: number)
      switch id {
      case .datagram: datagrams.select(select, at: now)
      case .stream: streams.select(select, on: id, at: now)
      }
    }
    if isLower { closeSurplus(at: now) }
    if selection.sending != before { reliable.resendAll(at: now) }
    reliable.setRoundTrip(roundTrip)
    reportPath()
  }

  /// One TCP link is enough, in use or in reserve.
  private func closeSurplus(at now: Instant) {
    let streamLinks = proved.filter { $0.carrier == .stream }
    guard streamLinks.count > 1 else { return }
    let sending = streamLinks.first { $0 == selection.sending }
    let kept = sending ?? streamLinks[0]
    streams.closeProved(except: kept, at: now)
    proved.removeAll { $0.carrier == .stream && $0 != kept }
  }

  private func reportPath() {
    guard let id = selection.sending, let link = link(id) else { return }
    let farEnd =
      id.carrier == .datagram ? datagrams.sendingPath?.remote : streams.farEnd(of: id)
    guard let farEnd else { return }
    let current = PathReport(
      carrier: id.carrier, isRelayed: false, family: farEnd.ip.isV4 ? .v4 : .v6,
      roundTrip: link.pulse.roundTrip, cipher: link.cipherName)
    if let report, !silence.isOver, report.carrier == current.carrier,
      report.family == current.family, report.isRelayed == current.isRelayed,
      report.cipher == current.cipher
    {
      return
    }
    guard !silence.isReported else { return }
    silence.isOver = false
    report = current
    outputs.append(.selected(session, current))
  }

  private func pump(at now: Instant) {
    guard let id = selection.sending else { return }
    while backlog <= Self.reliableBacklogLimit, let segment = reliable.nextSegment(at: now) {
      transmit(Frame(.segment, segment.encoded), on: id, at: now)
    }
  }

  // MARK: Silence

  private func watchSilence(at now: Instant) {
    for id in proved {
      if let heard = link(id)?.pulse.heardAt { silence.hear(at: heard) }
    }
    switch silence.nextEvent(at: now) {
    case .lost:
      outputs.append(.lost(session, .silent))
      depart(sayingGoodbye: false, at: now)
      return
    case .silent: outputs.append(.silent(session))
    case nil: break
    }
    revive(at: now)
  }

  private func revive(at now: Instant) {
    if let link = datagrams.link, link.state == .proved {
      revival.observe(heardAt: link.pulse.heardAt)
    }
    while let step = revival.nextStep(at: now) {
      switch step {
      case .reconsider:
        datagrams.reconsider(at: now)
        streams.hasten(at: now)
      case .replaceSession:
        let isAnswering = datagrams.pathAnsweredAt.map { now - $0 < Liveness.suspicion } ?? false
        if isAnswering { datagrams.replaceLink(at: now) }
      case .restart:
        restart(to: generation &+ 1, at: now)
        describe(at: now)
      }
    }
    takeCarrierOutputs(at: now)
  }
}
