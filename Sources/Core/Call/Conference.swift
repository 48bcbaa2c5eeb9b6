package import Links
package import Media
import Receiving
package import Rooms
import Sending
package import Units
package import Wire

/// One call: the room's members, the links to them, and all media and messages both ways.
///
/// Feed `handle`, take `nextOutput()` until `nil`, come back at `nextDeadline`. It connects its
/// parts and holds the rules between them. Each part has its own file; what the parts tell is dealt
/// with in the extensions Members, Moderation, Links, Messages and Media.
package struct Conference {
  var configuration: ConferenceConfiguration
  var hub: LinkHub
  var rendezvous: RendezvousClient
  var boxes: SealedBoxes
  var people: KnownPeers
  let folding: any TextFolding
  let erasureCode: any ErasureCode
  /// The owner's word on who may be here; `nil` where nobody asked for it to be kept.
  var charter: CharterWatch?

  /// Sorted by session, so that every run visits them in the same order.
  var peers: [PeerSession] = []
  /// Members who fell silent and are registered still: both ends may wait for the network alone, and
  /// the server has no news to tell. Sorted; the user hears of them when they are proved again.
  var strays: [SessionID] = []
  var plan = EncodingPlan()
  var choice = RenditionChoice()
  var renditionBasis: RenditionBasis?
  /// Somebody is to get the small rendition as soon as his path takes pictures again.
  var isChangePutOff = false
  /// By rendition.
  var keyFrames = Rendition.allCases.map { _ in SharedKeyFrames() }
  var audioPlan = AudioPlan()
  var source: (size: PictureSize, framesPerSecond: Double)?
  var chat = ChatLog()
  var departure = Departure()
  /// Of those who left without having been reached.
  var lastAttempts = LastAttempts()
  var ending = Ending()

  var isMicrophoneOn: Bool
  var isCameraOn: Bool
  var roomEnteredAt: Instant?
  var statisticsDue: Instant?
  /// When relays are named at the latest; `nil` where nothing depends on them.
  var relaysDue: Instant?
  /// When the room expires, by its owner's word, if that is still to come.
  var roomEndsAt: Instant?
  /// What the user was told of the room's lock.
  var isLockTold = false
  var encoderSpeed: Int?
  var usage = (cpuPercent: 0.0, residentMegabytes: 0.0)
  var audioOrder: AudioOrder?
  var heldRenditions: [Bool] = Rendition.allCases.map { _ in false }
  private var lastRoster: [RosterEntry] = []
  /// The places of the peers that get media, and what was advised for them; asked for after every
  /// packet, and kept for their memory.
  var openPeers: [Int] = []
  var openAdvice: [EncoderAdvice] = []
  var openSoundAdvice: [AudioAdvice] = []
  var outputs = OutputQueue<ConferenceOutput>()

  package init(
    configuration: ConferenceConfiguration, hub: LinkHub, rendezvous: RendezvousClient,
    boxes: SealedBoxes, people: KnownPeers, folding: any TextFolding,
    erasureCode: any ErasureCode, charter: CharterWatch? = nil
  ) {
    self.configuration = configuration
    self.hub = hub
    self.rendezvous = rendezvous
    self.boxes = boxes
    self.people = people
    self.folding = folding
    self.erasureCode = erasureCode
    self.charter = charter
    isMicrophoneOn = configuration.sendsAudio
    isCameraOn = configuration.sendsVideo
  }

  // MARK: Verbs

  /// Takes all that happened by one instant, in its order: a picture's datagrams that came together
  /// cost one settling instead of ten.
  package mutating func handle(_ inputs: [ConferenceInput], at now: Instant) {
    for input in inputs { take(input, at: now) }
    settle(at: now)
  }

  package mutating func nextOutput() -> ConferenceOutput? { outputs.next() }

  /// Mutating, here and below, so that it is asked for in place: for a plain getter Swift copies the
  /// whole conference out of the class that keeps it, and this is asked for after every packet.
  package var nextDeadline: Deadline? { mutating get { earliestDeadline() } }

  private mutating func earliestDeadline() -> Deadline? {
    if ending.isFinished { return nil }
    var deadline = Deadline.earlier(hub.nextDeadline, rendezvous.nextDeadline)
    for index in 0..<peers.count { deadline = .earlier(deadline, peers[index].nextDeadline) }
    deadline = .earlier(deadline, statisticsDue.map { Deadline("statistics", at: $0) })
    deadline = .earlier(deadline, relaysDue.map { Deadline("relays", at: $0) })
    deadline = .earlier(deadline, roomEndsAt.map { Deadline("room expiry", at: $0) })
    for gate in keyFrames {
      deadline = .earlier(deadline, gate.dueAt.map { Deadline("key-frame", at: $0) })
    }
    deadline = .earlier(deadline, departure.deadline)
    deadline = .earlier(deadline, ending.deadline)
    if let roomEnteredAt, let duration = configuration.duration, !ending.hasBegun {
      deadline = .earlier(deadline, Deadline("duration", at: roomEnteredAt + duration))
    }
    return deadline
  }

  /// What may be sent to each peer now, by session.
  package var targets: [(session: SessionID, rate: Bitrate)] {
    (0..<peers.count).map { (peers[$0].session, peers[$0].target) }
  }

  /// What was dropped by the links so far, and why.
  package var dropped: LinkCounters { hub.counters }

  // MARK: Inputs

  mutating func take(_ input: ConferenceInput, at now: Instant) {
    switch input {
    case .begin:
      rendezvous.handle(.start, at: now)
    case .localEndpoints(let endpoints):
      hub.handle(.localEndpoints(endpoints), at: now)
      rendezvous.handle(.networkChanged, at: now)
    case .datagram(let bytes, let address, let socket):
      hub.handle(.datagram(bytes, from: address, on: socket), at: now)
    case .accepted(let stream, let address):
      hub.handle(.accepted(stream, from: address), at: now)
    case .dialed(let stream): hub.handle(.dialed(stream), at: now)
    case .dialFailed(let stream, let reason):
      hub.handle(.dialFailed(stream, reason), at: now)
    case .stream(let bytes, let stream): hub.handle(.stream(bytes, on: stream), at: now)
    case .streamClosed(let stream): hub.handle(.streamClosed(stream), at: now)
    case .backlog(let stream, let count):
      hub.handle(.backlog(stream, count), at: now)
      for index in peers.indices {
        peers[index].carrierHolds(hub.backlog(of: peers[index].session), at: now)
      }
    case .rendezvous(let input): rendezvous.handle(input, at: now)

    case .pictureSource(let size, let rate):
      source = (size, rate)
      announceSource(at: now)
    case .encodedVideo(let frame):
      guard isCameraOn else { return }
      send(frame, at: now)
    case .encodedAudio(let frame):
      guard isMicrophoneOn else { return }
      for index in peers.indices { peers[index].send(frame, at: now) }
    case .deviceFailed(let device, let error): deviceFailed(device, error, at: now)
    case .deviceReturned(let device, let name):
      outputs.append(.event(.device(kind: device.rawValue, name: name, state: "back")))
    case .shown(let session, let size): with(session) { $0.shown(size, at: now) }
    case .decodeFailed(let session): with(session) { $0.tell(.decodeFailed, at: now) }
    case .audioPlayed(let session, let timestamp, let instant, let delay):
      with(session) {
        $0.audioPlayed(rtpTimestamp: timestamp, at: instant, deviceDelay: delay, now: now)
      }
    case .audioConcealed(let session, let samples, let played):
      with(session) { $0.soundConcealed(samples: samples, of: played) }

    case .chat(let line): say(line, at: now)
    case .microphone(let isOn):
      isMicrophoneOn = isOn && configuration.sendsAudio
      // Mute keeps it open, so that nobody's first word is lost; it may have failed before.
      if isMicrophoneOn { outputs.append(.openMicrophone) }
      announceSources(at: now)
    case .camera(let isOn):
      isCameraOn = isOn && configuration.sendsVideo
      guard configuration.sendsVideo else { return }
      outputs.append(isCameraOn ? .openCamera : .closeCamera)
      // What was encoded last may not have been sent any more: nothing may refer to it.
      if isCameraOn { for rendition in Rendition.allCases { orderKeyFrame(rendition, at: now) } }
      announceSources(at: now)
    case .bounds(let picture, let rate, let bitrate):
      configuration.picture = picture
      configuration.framesPerSecond = rate
      configuration.bitrateLimit = bitrate
      announceSource(at: now)
    case .receiveBounds(let bounds):
      configuration.receive = bounds
      for index in peers.indices { tellBounds(to: index, at: now) }
    case .shownIn(let session, let place): shown(session, in: place, at: now)
    case .lock(let isOn): lock(isOn, at: now)
    case .kick(let who): kick(who, at: now)
    case .leave(let cause): leave(cause, at: now)
    case .processUsage(let cpu, let memory): usage = (cpu, memory)
    case .timeout: timeout(at: now)
    }
  }

  private mutating func timeout(at now: Instant) {
    if let due = hub.nextDeadline, due.at <= now { hub.handle(.timeout, at: now) }
    if let due = rendezvous.nextDeadline, due.at <= now { rendezvous.handleTimeout(at: now) }
    for index in peers.indices {
      peers[index].timeout(at: now)
      boundsTimeout(of: index, at: now)
    }
    if let due = statisticsDue, due <= now {
      statisticsDue = now + .seconds(1)
      reportStatistics(at: now)
    }
    for rendition in Rendition.allCases where keyFrames[rendition.rawValue].isDue(at: now) {
      orderKeyFrame(rendition, at: now)
    }
    if let due = relaysDue, due <= now { relaysLearned(at: now) }
    if let due = roomEndsAt, due <= now { roomExpired(at: now) }
    if let roomEnteredAt, let duration = configuration.duration, now >= roomEnteredAt + duration {
      end(.done("the time given by --for is over"), at: now)
    }
    switch departure.verdict(members: sessions, at: now) {
    case .noPath: endWithoutPath(at: now)
    case .proofRefused: end(.proofRefused, at: now)
    case nil: break
    }
    if ending.isOverdue(at: now) { finish() }
  }

  /// By index: `map` over the peers would copy each of them.
  private var sessions: [SessionID] { mutating get { (0..<peers.count).map { peers[$0].session } } }

  // MARK: Settling: what one part puts out is another's input, until all are quiet

  private mutating func settle(at now: Instant) {
    var isBusy = true
    while isBusy {
      isBusy = false
      while let output = rendezvous.nextOutput() {
        isBusy = true
        take(output, at: now)
      }
      // What the hub tells may let go what was held back: it goes on the link that the hub has taken
      // already, and ahead of it goes what the first frames on a link need.
      for index in 0..<peers.count { tellCarrier(at: index, at: now) }
      while let output = hub.nextOutput() {
        isBusy = true
        take(output, at: now)
      }
      for index in 0..<peers.count {
        tellCarrier(at: index, at: now)
        if drainPeer(at: index, at: now) { isBusy = true }
      }
    }
    updateOrders(at: now)
    if !isRosterTold {
      lastRoster = (0..<peers.count).map { peers[$0].rosterEntry }
      outputs.append(.roster(lastRoster))
    }
  }

  private mutating func tellCarrier(at index: Int, at now: Instant) {
    peers[index].carries(on: hub.sendingLink(of: peers[index].session), at: now) {
      hub.backlog(of: $0)
    }
  }

  private var isRosterTold: Bool {
    mutating get {
      guard lastRoster.count == peers.count else { return false }
      for index in 0..<peers.count where peers[index].rosterEntry != lastRoster[index] {
        return false
      }
      return true
    }
  }

  private mutating func drainPeer(at index: Int, at now: Instant) -> Bool {
    var wasBusy = false
    let session = peers[index].session
    while let output = peers[index].nextOutput() {
      wasBusy = true
      switch output {
      case .frame(let kind, let bytes): hub.handle(.send(session, kind, bytes), at: now)
      case .keyFrame: askForKeyFrame(peers[index].wantedRendition, at: now)
      case .decode(let frame, let showAt):
        outputs.append(.decode(session, frame, showAt: showAt))
      case .audio(let packet): outputs.append(.audio(session, packet))
      case .audioHold(let hold): outputs.append(.audioHold(session, hold))
      case .event(let event): outputs.append(.event(event))
      }
    }
    return wasBusy
  }

  // MARK: The end

  mutating func leave(_ cause: LeaveCause, at now: Instant) {
    switch cause {
    case .user: end(.done("you left"), at: now)
    case .interrupt: end(.interrupted, at: now)
    case .terminated: end(.done("the process was told to end"), at: now)
    case .deviceAtStart: end(.device, at: now)
    }
  }

  /// `failure` is told in place of what the reason says by itself.
  mutating func end(_ reason: EndReason, failure: CallEvent? = nil, at now: Instant) {
    guard ending.begin(reason, at: now) else { return }
    if let failure = failure ?? reason.failure { outputs.append(.event(failure)) }
    for index in peers.indices { peers[index].userLeft() }
    hub.handle(.close, at: now)
    rendezvous.handle(.leave, at: now)
  }

  mutating func finish() {
    guard let reason = ending.finish() else { return }
    for peer in peers where peer.isProved { outputs.append(.closePeer(peer.session)) }
    outputs.append(.event(.left(reason: reason.text, exitCode: reason.exitCode)))
    outputs.append(.finished(exitCode: reason.exitCode))
  }

  // MARK: Finding peers

  func index(of session: SessionID) -> Int? {
    // By index: a closure would be given a copy of each of them.
    (0..<peers.count).first { peers[$0].session == session }
  }

  mutating func with(_ session: SessionID, _ body: (inout PeerSession) -> Void) {
    guard let index = index(of: session) else { return }
    body(&peers[index])
  }
}
