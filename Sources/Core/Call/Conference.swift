package import Links
import Media
import Receiving
package import Rooms
import Sending
package import Units
import Wire

/// One call: the room's members, the links to them, and all media and messages both ways.
///
/// Feed `handle`, take `nextOutput()` until `nil`, come back at `nextDeadline`. It connects its
/// parts and holds the rules between them; each part has its own file.
package struct Conference {
  private var configuration: ConferenceConfiguration
  private var hub: LinkHub
  private var rendezvous: RendezvousClient
  private var boxes: SealedBoxes
  private var people: KnownPeers
  private let folding: any TextFolding
  /// The owner's word on who may be here; `nil` where nobody asked for it to be kept.
  private var charter: CharterWatch?

  /// Sorted by session, so that every run visits them in the same order.
  private var peers: [PeerSession] = []
  private var plan = EncodingPlan()
  private var source: (size: PictureSize, framesPerSecond: Double)?
  private var chat = ChatLog()
  private var departure = Departure()
  private var ending = Ending()

  private var isMicrophoneOn: Bool
  private var isCameraOn: Bool
  private var startedAt = Instant.zero
  private var roomEnteredAt: Instant?
  private var statisticsDue: Instant?
  /// When the room expires, by its owner's word, if that is still to come.
  private var roomEndsAt: Instant?
  private var usage = (cpuPercent: 0.0, residentMegabytes: 0.0)
  private var audioOrder: AudioOrder?
  private var lastRoster: [RosterEntry] = []
  private var outputs = OutputQueue<ConferenceOutput>()

  package init(
    configuration: ConferenceConfiguration, hub: LinkHub, rendezvous: RendezvousClient,
    boxes: SealedBoxes, people: KnownPeers, folding: any TextFolding,
    charter: CharterWatch? = nil
  ) {
    self.configuration = configuration
    self.hub = hub
    self.rendezvous = rendezvous
    self.boxes = boxes
    self.people = people
    self.folding = folding
    self.charter = charter
    isMicrophoneOn = configuration.sendsAudio
    isCameraOn = configuration.sendsVideo
  }

  // MARK: Verbs

  package mutating func handle(_ input: ConferenceInput, at now: Instant) {
    take(input, at: now)
    settle(at: now)
  }

  package mutating func nextOutput() -> ConferenceOutput? { outputs.next() }

  package var nextDeadline: Deadline? {
    if ending.isFinished { return nil }
    var deadline = Deadline.earlier(hub.nextDeadline, rendezvous.nextDeadline)
    // By index: an iterator would copy each of them, and this is asked after every packet.
    for index in 0..<peers.count { deadline = .earlier(deadline, peers[index].nextDeadline) }
    deadline = .earlier(deadline, statisticsDue.map { Deadline("statistics", at: $0) })
    deadline = .earlier(deadline, roomEndsAt.map { Deadline("room expiry", at: $0) })
    deadline = .earlier(deadline, departure.deadline)
    deadline = .earlier(deadline, ending.deadline)
    if let roomEnteredAt, let duration = configuration.duration, !ending.hasBegun {
      deadline = .earlier(deadline, Deadline("duration", at: roomEnteredAt + duration))
    }
    return deadline
  }

  /// What was dropped by the links so far, and why.
  package var dropped: LinkCounters { hub.counters }

  // MARK: Inputs

  private mutating func take(_ input: ConferenceInput, at now: Instant) {
    switch input {
    case .begin:
      startedAt = now
      rendezvous.handle(.start, at: now)
    case .localEndpoints(let endpoints):
      hub.handle(.localEndpoints(endpoints), at: now)
      rendezvous.handle(.networkChanged, at: now)
    case .datagram(let bytes, let address, let socket):
      hub.handle(.datagram(bytes, from: address, on: socket), at: now)
    case .accepted(let stream, let address):
      hub.handle(.accepted(stream, from: address), at: now)
    case .dialed(let stream): hub.handle(.dialed(stream), at: now)
    case .dialFailed(let stream): hub.handle(.dialFailed(stream), at: now)
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
      for index in peers.indices { peers[index].send(frame, at: now) }
    case .encodedAudio(let frame):
      guard isMicrophoneOn else { return }
      for index in peers.indices { peers[index].send(frame, at: now) }
    case .deviceFailed(let device, let error): deviceFailed(device, error, at: now)
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
      if isCameraOn { outputs.append(.keyFrame) }
      announceSources(at: now)
    case .bounds(let picture, let rate, let bitrate):
      configuration.picture = picture
      configuration.framesPerSecond = rate
      configuration.bitrateLimit = bitrate
      announceSource(at: now)
    case .leave(let cause): leave(cause, at: now)
    case .processUsage(let cpu, let memory): usage = (cpu, memory)
    case .timeout: timeout(at: now)
    }
  }

  private mutating func timeout(at now: Instant) {
    if let due = hub.nextDeadline, due.at <= now { hub.handle(.timeout, at: now) }
    if let due = rendezvous.nextDeadline, due.at <= now { rendezvous.handleTimeout(at: now) }
    for index in peers.indices { peers[index].timeout(at: now) }
    if let due = statisticsDue, due <= now {
      statisticsDue = now + .seconds(1)
      reportStatistics(at: now)
    }
    if let due = roomEndsAt, due <= now { roomExpired(at: now) }
    if let roomEnteredAt, let duration = configuration.duration, now >= roomEnteredAt + duration {
      end(.done("the time given by --for is over"), at: now)
    }
    switch departure.verdict(members: peers.map(\.session), at: now) {
    case .noPath: end(.noPath, at: now)
    case .proofRefused: end(.proofRefused, at: now)
    case nil: break
    }
    if ending.isOverdue(at: now) { finish() }
  }

  // MARK: Settling: what one part puts out is another's input, until all are quiet

  private mutating func settle(at now: Instant) {
    var isBusy = true
    while isBusy {
      isBusy = false
      while let output = rendezvous.nextOutput() {
        isBusy = true
        take(output, at: now)
      }
      while let output = hub.nextOutput() {
        isBusy = true
        take(output, at: now)
      }
      for index in 0..<peers.count where drainPeer(at: index, at: now) { isBusy = true }
    }
    updateOrders(at: now)
    let roster = (0..<peers.count).map { peers[$0].rosterEntry }
    if roster != lastRoster {
      lastRoster = roster
      outputs.append(.roster(roster))
    }
  }

  private mutating func drainPeer(at index: Int, at now: Instant) -> Bool {
    var wasBusy = false
    let session = peers[index].session
    while let output = peers[index].nextOutput() {
      wasBusy = true
      switch output {
      case .frame(let kind, let bytes): hub.handle(.send(session, kind, bytes), at: now)
      case .keyFrame: outputs.append(.keyFrame)
      case .decode(let frame, let showAt):
        outputs.append(.decode(session, frame, showAt: showAt))
      case .audio(let packet): outputs.append(.audio(session, packet))
      case .audioHold(let hold): outputs.append(.audioHold(session, hold))
      case .event(let event): outputs.append(.event(event))
      }
    }
    return wasBusy
  }

  // MARK: The server

  private mutating func take(_ output: RendezvousClient.Output, at now: Instant) {
    switch output {
    case .connect, .disconnect, .verify, .send: outputs.append(.rendezvous(output))
    case .joined(let room):
      roomEnteredAt = now
      statisticsDue = now + .seconds(1)
      let others = room.members.count { $0.session != configuration.ownSession }
      outputs.append(.event(.room(hint: configuration.roomHint, members: others + 1)))
      learn(room.record.sealed, at: now)
    case .memberJoined(let member): appeared(member.session, at: now)
    case .memberLeft(let session): vanished(session, at: now)
    case .box(let sender, let sealed):
      // A box that is refused is dropped: the sender repeats the whole of it on every change.
      guard let description = try? boxes.open(sealed, from: sender, at: now) else { return }
      hub.handle(.description(description, from: sender), at: now)
    case .record(let record): learn(record.sealed, at: now)
    case .registeredAgain: outputs.append(.server(isReached: true))
    case .lost: outputs.append(.server(isReached: false))
    case .ended(.unreachable(let reason)): end(.unreachable(reason), at: now)
    case .ended(.refused): end(.refused, at: now)
    case .ended(.certificateRefused): end(.certificateRefused, at: now)
    case .ended(.serverRejected): end(.untrusted, at: now)
    case .ended(.left): break
    }
  }

  /// A member is in the room, or has registered again.
  private mutating func appeared(_ session: SessionID, at now: Instant) {
    if index(of: session) == nil {
      let peer = PeerSession(session: session, joinedAt: now)
      let position = peers.firstIndex { $0.session > session } ?? peers.count
      peers.insert(peer, at: position)
      outputs.append(.event(.peerJoined(peer.label)))
      departure.membersChanged(count: peers.count, at: now)
    }
    hub.handle(.peerAppeared(session), at: now)
  }

  /// The server says that a member has gone. It cannot end a proved link.
  private mutating func vanished(_ session: SessionID, at now: Instant) {
    guard let index = index(of: session), !peers[index].isProved else { return }
    hub.handle(.removePeer(session), at: now)
    remove(session, reason: "left", at: now)
  }

  private mutating func remove(_ session: SessionID, reason: String, at now: Instant) {
    guard let index = index(of: session) else { return }
    let peer = peers.remove(at: index)
    if peer.isProved { outputs.append(.closePeer(session)) }
    outputs.append(.event(.peerLeft(peer.label, reason: reason)))
    departure.membersChanged(count: peers.count, at: now)
    // What is left to send to is shared anew.
    if peer.gate.isOpen { announceSource(at: now) }
  }

  // MARK: Links

  private mutating func take(_ output: LinkHubOutput, at now: Instant) {
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
    case .silent(let session):
      let away = LinkReport(path: .reconnecting, family: "", roundTrip: nil, cipher: "")
      selected(session, away, at: now)
    case .lost(let session, let reason):
      remove(session, reason: reason == .left ? "left" : "lost", at: now)
    case .received(let session, let kind, let bytes):
      with(session) { $0.receive(kind, bytes, at: now) }
    case .receivedReliable(let session, let stream, let message, _):
      received(message, on: stream, from: session)
      if stream == .control, case .roomRecord(let record)? = try? ControlMessage(decoding: message)
      {
        learn(record, at: now)
      }
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
    if let roundTrip = report.roundTrip { peers[index].roundTrip(roundTrip, at: now) }
    guard previous?.path != report.path || previous?.family != report.family else { return }
    if report.path != .reconnecting { peers[index].tell(.pathChanged, at: now) }
    outputs.append(.event(.link(peers[index].label, report)))
  }

  // MARK: Who it is

  private mutating func proved(_ session: SessionID, _ proof: ProvedPeer, at now: Instant) {
    guard let index = index(of: session) else { return }
    departure.proved()
    guard let key = KeyFingerprint(bytes: proof.peerID) else { return }
    guard charter?.objection(to: key, at: now) == nil else { return expel(session, at: now) }
    let others = peers.filter { $0.session != session }.compactMap(\.key)
    let acquaintance = people.acquaintance(
      of: key, claiming: proof.displayName, proved: others, folding: folding)
    peers[index].proved(key, acquaintance, isAdmitted: true)
    outputs.append(
      .event(
        .trust(peers[index].label, peerID: key.description, acquaintance.trustState)))
    if let entry = people.record(acquaintance, of: key) { outputs.append(.remember(entry)) }
    if case .changed(let name, _) = acquaintance {
      if peers.count == 1 { end(.changedKey(name), at: now) }
      return
    }
    outputs.append(.openPeer(session))
    outputs.append(.keyFrame)
    announceSource(at: now)
    sendControl(.sources(audio: isMicrophoneOn, video: isCameraOn), to: session, at: now)
    if let record = charter?.sealed { sendControl(.roomRecord(record), to: session, at: now) }
    for message in chat.takeWaiting() { send(message, to: session, at: now) }
  }

  // MARK: The room's charter

  /// A sealed record, from the server or a member: neither can make the owner's word.
  private mutating func learn(_ record: [UInt8], at now: Instant) {
    guard charter?.learn(record) == true else { return }
    if let valid = charter?.record { rendezvous.handle(.learned(valid), at: now) }
    roomEndsAt = charter?.endsAt.flatMap { $0 > now ? $0 : nil }
    expelUnwanted(at: now)
    // The server may have kept it from the others.
    for peer in peers where peer.gate.isOpen {
      sendControl(.roomRecord(record), to: peer.session, at: now)
    }
  }

  private mutating func roomExpired(at now: Instant) {
    roomEndsAt = nil
    expelUnwanted(at: now)
    outputs.append(
      .event(
        .failure(
          code: 0, message: "the room has expired",
          remedy: "make a new one with p2pcall room create")))
  }

  /// Those to whom the charter, as it is now, objects.
  private mutating func expelUnwanted(at now: Instant) {
    for peer in peers {
      guard let key = peer.key, charter?.objection(to: key, at: now) != nil else { continue }
      expel(peer.session, at: now)
    }
  }

  private mutating func expel(_ session: SessionID, at now: Instant) {
    hub.handle(.removePeer(session), at: now)
    remove(session, reason: "not admitted by the room's owner", at: now)
  }

  // MARK: Messages

  private mutating func say(_ line: String, at now: Instant) {
    guard let message = chat.compose(line) else { return }
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

  private mutating func send(_ message: ChatMessage, to session: SessionID, at now: Instant) {
    hub.handle(
      .sendReliable(session, .chat, message.encoded, id: message.number), at: now)
  }

  private mutating func sendControl(
    _ message: ControlMessage, to session: SessionID, at now: Instant
  ) {
    hub.handle(.sendReliable(session, .control, message.encoded, id: 0), at: now)
  }

  private mutating func received(
    _ bytes: [UInt8], on stream: ReliableStream, from session: SessionID
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
      take(try? ControlMessage(decoding: bytes), fromPeerAt: index)
    default: break
    }
  }

  private mutating func take(_ message: ControlMessage?, fromPeerAt index: Int) {
    switch message {
    case .sources(let audio, let video):
      peers[index].sendsAudio = audio
      peers[index].sendsVideo = video
    case .picture(let width, let height, let rate):
      let size = PictureSize(width: Int(width), height: Int(height))
      guard size.isValid, rate > 0 else { return }
      outputs.append(
        .announced(peers[index].session, size, framesPerSecond: Double(rate) / 100))
    case .roomRecord, nil: break
    }
  }

  private mutating func announceSources(at now: Instant) {
    for peer in peers where peer.gate.isOpen {
      sendControl(
        .sources(audio: isMicrophoneOn, video: isCameraOn), to: peer.session, at: now)
    }
  }

  // MARK: Standing orders

  private mutating func updateOrders(at now: Instant) {
    let open = ending.hasBegun ? [] : (0..<peers.count).filter { peers[$0].gate.isOpen }
    let advice = open.compactMap { peers[$0].advice }
    if let order = plan.newOrder(for: isCameraOn ? advice : []) {
      outputs.append(.encodeVideo(order))
    }
    var wanted: AudioOrder?
    if isMicrophoneOn, !open.isEmpty {
      wanted = plan.audioOrder(
        for: advice, lossPercent: open.map { peers[$0].audioLossPercent }.max() ?? 0)
    }
    if wanted != audioOrder {
      audioOrder = wanted
      outputs.append(.encodeAudio(wanted))
    }
  }

  /// Tells the senders what there is to send; the user's limit is for all that leaves this
  /// computer, so open peers share it.
  private mutating func announceSource(at now: Instant) {
    let open = peers.count(where: \.gate.isOpen)
    let share = configuration.bitrateLimit * (1 / Double(max(1, open)))
    for index in peers.indices where peers[index].gate.isOpen {
      peers[index].tell(.limit(share), at: now)
      guard let source else { continue }
      let size = source.size.shrunk(into: configuration.picture)
      let rate = min(source.framesPerSecond, configuration.framesPerSecond)
      peers[index].tell(.source(size, framesPerSecond: rate), at: now)
      sendControl(
        .picture(
          width: UInt16(clamping: size.width), height: UInt16(clamping: size.height),
          rate: UInt16(clamping: Int((rate * 100).rounded()))),
        to: peers[index].session, at: now)
    }
  }

  private mutating func reportStatistics(at now: Instant) {
    for index in peers.indices where peers[index].isProved {
      var statistics = peers[index].statistics(at: now)
      statistics.roundTrip = hub.roundTrip(of: peers[index].session)
      statistics.cpuPercent = usage.cpuPercent
      statistics.residentMegabytes = usage.residentMegabytes
      outputs.append(.event(.stats(peers[index].label, statistics)))
    }
  }

  private mutating func deviceFailed(_ device: Device, _ error: MediaError, at now: Instant) {
    outputs.append(
      .event(
        .device(
          kind: device.rawValue, name: error.device.isEmpty ? error.message : error.device,
          state: "\(error.kind)")))
    outputs.append(.event(.failure(code: 7, message: error.message, remedy: error.remedy)))
    switch device {
    case .camera: isCameraOn = false
    case .microphone: isMicrophoneOn = false
    case .view, .speaker: return
    }
    announceSources(at: now)
  }

  // MARK: The end

  private mutating func leave(_ cause: LeaveCause, at now: Instant) {
    switch cause {
    case .user: end(.done("you left"), at: now)
    case .interrupt: end(.interrupted, at: now)
    case .terminated: end(.done("the process was told to end"), at: now)
    case .deviceAtStart: end(.device, at: now)
    }
  }

  private mutating func end(_ reason: EndReason, at now: Instant) {
    guard ending.begin(reason, at: now) else { return }
    if let failure = reason.failure { outputs.append(.event(failure)) }
    for index in peers.indices { peers[index].userLeft() }
    hub.handle(.close, at: now)
    rendezvous.handle(.leave, at: now)
  }

  private mutating func finish() {
    guard let reason = ending.finish() else { return }
    for peer in peers where peer.isProved { outputs.append(.closePeer(peer.session)) }
    outputs.append(.event(.left(reason: reason.text, exitCode: reason.exitCode)))
    outputs.append(.finished(exitCode: reason.exitCode))
  }

  // MARK: Finding peers

  private func index(of session: SessionID) -> Int? {
    peers.firstIndex { $0.session == session }
  }

  private mutating func with(_ session: SessionID, _ body: (inout PeerSession) -> Void) {
    guard let index = index(of: session) else { return }
    body(&peers[index])
  }
}
