import Ciphers
import Units
import Wire

/// All links to one session: describes itself to it, makes links, chooses among those that are
/// proved, and carries frames and reliable messages over whichever that is.
final class PeerLinks {
  let session: SessionID
  let number: UInt32
  let configuration: LinkHubConfiguration
  private let shield: AddressShield

  /// In the room, as far as we know; links are made only then.
  private(set) var isPresent = false
  /// Rises with each restart of ICE by either side.
  var generation: UInt32 = 0
  /// The latest that the other side told.
  var theirs: LinkDescription?
  var ownCandidates: [Candidate] = []
  /// The addresses that the other side was told in this generation.
  private var told: [SocketAddress] = []
  var ownBases: [(SocketID, Candidate)] = []
  var hasEndpoints = false
  /// Not again before this when the other side is behind.
  var remindAt = Instant.zero
  /// Descriptions that are looked at, by whichever way they come (docs/protocol.md, Boxes): each may
  /// be a new generation, which costs both sides a box and new checks.
  private var descriptionPace = BurstPacer(burst: 8, interval: .milliseconds(125))

  var datagrams: DatagramCarrier
  var streams: StreamCarrier
  var selection: PathSelection
  /// In the order of their proofs.
  var proved: [LinkID] = []
  /// What there was to choose from last, kept for its memory.
  var options: [PathSelection.Option] = []
  /// When TCP links that are not needed are closed; `nil` while there are none.
  var surplusCloseAt: Instant?
  var reliable = ReliableStreams()
  /// The first proved link's; all later ones must have the same, even after a loss.
  var peerID: [UInt8]?
  /// `.proved` was told.
  var isReported = false
  var report: PathReport?
  var toldRoundTrip: Interval?
  var silence = SilenceWatch()
  var revival = Revival()
  /// The answer to our own goodbye came.
  var hasAnsweredGoodbye = false

  /// How the last session over UDP ended that was not proved.
  var datagramFailure: HandshakeFailure?
  var counters = LinkCounters()
  var outputs = OutputQueue<LinkHubOutput>()

  /// Media aren't queued behind more than this in the kernel; a late frame is worth nothing.
  private static let mediaBacklogLimit = 262_144
  static let reliableBacklogLimit = 131_072

  init(
    _ configuration: LinkHubConfiguration, session: SessionID, number: UInt32,
    shield: AddressShield
  ) {
    self.configuration = configuration
    self.shield = shield
    self.session = session
    self.number = number
    let isLower = configuration.ownSession < session
    datagrams = DatagramCarrier(configuration, isLower: isLower)
    streams = StreamCarrier(configuration, peerNumber: number)
    selection = PathSelection(decides: isLower)
  }

  func nextOutput() -> LinkHubOutput? { outputs.next() }

  var isLower: Bool { configuration.ownSession < session }

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
    // What servers told goes and comes by itself.
    let hosts = ownCandidates.filter { $0.kind == .host }
    let gone = hosts.count { own in !candidates.contains { $0.address == own.address } }
    let isElsewhere = gone == hosts.count
    hasEndpoints = true
    ownBases = bases
    ownCandidates = candidates
    datagrams.setLocal(bases, at: now)
    if hadEndpoints {
      // New addresses are a new generation: the other side need not guess which box is newer.
      restart(to: generation &+ 1, at: now)
      // Under its new address the path of the generation before carries the new description.
      datagrams.probe(at: now)
      if gone > 0 { streams.leaveAddresses(all: isElsewhere, at: now) }
      streams.hasten(at: now)
    }
    if isPresent { describe(at: now) }
    turn(at: now)
  }

  /// What servers have told meanwhile, of the same sockets: addresses that we are seen under and
  /// those at relays. More of them are told as they come, the checks that go on are as good as
  /// before. One in another's place is a NAT that has mapped us anew, or a relay that has forgotten
  /// us: a new generation, as with an address of our own, or in the end the other side would have
  /// heard of so many that it takes no more.
  func offer(
    _ bases: [(SocketID, Candidate)], candidates: [Candidate], at now: Instant
  ) {
    guard candidates != ownCandidates || !bases.elementsEqual(ownBases, by: ==) else { return }
    ownBases = bases
    ownCandidates = candidates
    datagrams.setLocal(bases, at: now)
    let offered = candidates.map(\.address)
    if told.contains(where: { !offered.contains($0) }), !offered.allSatisfy(told.contains) {
      restart(to: generation &+ 1, at: now)
      datagrams.probe(at: now)
    }
    if isPresent { describe(at: now) }
    turn(at: now)
  }

  func take(_ description: LinkDescription, at now: Instant) {
    guard descriptionPace.take(at: now) else {
      counters.refusedDescriptions += 1
      return
    }
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
    accepted.candidates = description.candidates.filter { candidate in
      CandidateRules.accepts(
        candidate.address, allowsLoopback: configuration.allowsLoopback)
        && CandidateRules.mayReach(
          candidate, over: configuration.transport, ways: configuration.ways)
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
    if configuration.ways == .direct {
      // Also where their checks come from that a relay sends on.
      datagrams.bar(
        description.candidates.filter { $0.kind == .relayed }.map(\.address), at: now)
    }
    datagrams.setRemote(accepted, of: session, at: now)
    streams.setRemote(accepted, of: session, at: now)
    turn(at: now)
  }

  func restart(to generation: UInt32, at now: Instant) {
    self.generation = generation
    told = []
    datagrams.restart(at: now)
  }

  func describe(at now: Instant) {
    guard hasEndpoints else { return }
    remindAt = now + .seconds(1)
    let tellable = shield.tellable(ownCandidates)
    for candidate in tellable where !told.contains(candidate.address) {
      told.append(candidate.address)
    }
    let description = LinkDescription(
      certificateKeyHash: configuration.sessions.certificateKeyHash, generation: generation,
      userFragment: datagrams.credentials.userFragment, password: datagrams.credentials.password,
      candidates: tellable)
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
    surplusCloseAt = nil
    isReported = false
    report = nil
    toldRoundTrip = nil
    silence = SilenceWatch()
    _ = selection.update([])
    revival = Revival()
    datagramFailure = nil
    // Whoever comes back gets fresh credentials.
    generation &+= 1
    told = []
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
  func handleDialFailed(_ stream: StreamID, _ reason: DialFailure, at now: Instant) {
    streams.handleDialFailed(stream, reason, at: now)
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
    streams.setBacklog(bytes, of: stream, at: now)
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

  var sendingLink: LinkID? { selection.sending }
  /// Bytes that the kernel hasn't sent yet on the selected link.
  var backlog: Int { selection.sending.map { streams.backlog(of: $0) } ?? 0 }
  var roundTrip: Interval? { selection.sending.flatMap { link($0)?.roundTrip } }
  var isProved: Bool { !proved.isEmpty }

  /// On every proved link: which of them still works is not known.
  func sayGoodbye(isAnswer: Bool, at now: Instant) {
    for id in proved {
      _ = transmit(Frame(.goodbye, Goodbye(isAnswer: isAnswer).encoded), on: id, at: now)
    }
    takeCarrierOutputs(at: now)
  }

  @discardableResult
  func transmit(_ frame: Frame, on id: LinkID, at now: Instant) -> Bool {
    switch id {
    case .datagram: datagrams.link?.id == id && datagrams.send(frame, at: now)
    case .stream: streams.send(frame, on: id, at: now)
    }
  }

  func link(_ id: LinkID) -> PeerLink? {
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
    deadline = .earlier(deadline, surplusCloseAt.map { Deadline("surplus links", at: $0) })
    deadline = .earlier(deadline, revival.nextDeadline)
    return .earlier(deadline, silence.nextDeadline)
  }
}
