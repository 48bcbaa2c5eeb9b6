package import Call
import Ciphers
import ErasureCoding
package import Links
package import Media
import Receiving
import Rooms
package import Units
package import Wire

/// One person's whole program but for devices and codecs: a real `Conference` on a simulated
/// computer, with a scripted studio and a viewer for each of the others.
package final class SimulatedMember {
  package struct Options: Sendable {
    package var transport = Transport.auto
    package var size = PictureSize(width: 1_280, height: 720)
    package var framesPerSecond = 30.0
    package var bitrateLimit = Bitrate.kilobits(4_000)
    package var sendsVideo = true
    package var sendsAudio = true
    package var duration: Interval?
    /// Where the server is called.
    package var serverPort = SimulatedServer.port
    package var layers = 1
    /// Of this computer's clocks.
    package var clockError = 0.0
    /// Another process's of the same person; `nil`: one of its own.
    package var identity: SimulatedIdentity?
    package init() {}
  }

  package let name: String
  package let host: SimulatedHost
  package let clock: SimulatedClock
  package let session: SessionID
  /// The session's text, which names it in events.
  package let peer: String
  package let identity: SimulatedIdentity
  package let sessions: SimulatedSessionFactory
  /// Everything that the user was told, with world time.
  package private(set) var events: [(at: Instant, event: CallEvent)] = []
  package private(set) var exitCode: Int?
  /// As the window shows the others.
  package private(set) var roster: [RosterEntry] = []
  /// Whether its light is on.
  package private(set) var isCameraOpen = true
  /// How often its encoder was told that somebody is on the way.
  package private(set) var expectations = 0
  /// What the congestion control of each link allowed when it last said so.
  package private(set) var statistics: [String: CallStatistics] = [:]
  /// What congestion control allowed towards each session when it was looked at last.
  package private(set) var targets: [SessionID: Bitrate] = [:]
  package private(set) var viewers: [SessionID: Viewer] = [:]
  package private(set) var studio: Studio!

  private let world: World
  private let findings: Findings
  private let onEvent: (SimulatedMember, CallEvent) -> Void
  private let openViewer: (SimulatedMember, SessionID) -> Viewer?
  private let tap: FrameTap
  private let sabotage: Sabotage?
  private var conference: Conference
  private var registration: SimulatedRegistration!
  private var alarm: Alarm!
  private var turns: TurnChecker
  private var isRunning = false
  private var heldRenditions: Set<Rendition> = []
  private var turnDepth = 0
  private var process = StoppedProcess()

  init(
    _ name: String, world: World, host: SimulatedHost, room: SimulatedRoom,
    server: SimulatedServer, stunServers: [SocketAddress],
    relaySessions: (any RelaySessionFactory)?, options: Options, tap: FrameTap,
    sabotage: Sabotage?,
    findings: Findings, onEvent: @escaping (SimulatedMember, CallEvent) -> Void,
    openViewer: @escaping (SimulatedMember, SessionID) -> Viewer?
  ) {
    self.name = name
    self.world = world
    self.host = host
    self.findings = findings
    self.onEvent = onEvent
    self.openViewer = openViewer
    self.tap = tap
    self.sabotage = sabotage
    var random = world.split()
    clock = SimulatedClock(
      epoch: .seconds(1_000 + 100_000 * random.unit()), partsPerMillion: options.clockError)
    let own = SimulatedIdentity(seed: random.next())
    identity = options.identity ?? own
    let ciphers = SimulatedCipherSuite(seed: random.next())
    session = SessionID(bytes: random.bytes(SessionID.count))!
    peer = session.description
    sessions = SimulatedSessionFactory(seed: random.next(), tap: tap)
    turns = TurnChecker(name, findings: findings)
    let hub = LinkHub(
      LinkHubConfiguration(
        roomID: room.keys.rid, ownSession: session, authenticationKey: room.keys.authentication,
        displayName: name, transport: options.transport, sessions: sessions, ciphers: ciphers,
        identity: identity, relaySessions: relaySessions, stunServers: stunServers,
        allowsLoopback: false))
    let client = RendezvousClient(
      RendezvousClient.Configuration(
        admissionSeed: room.keys.admissionSeed, session: session, peerID: identity.keyHash,
        record: nil, seed: random.next()), ciphers: ciphers)
    conference = Conference(
      configuration: ConferenceConfiguration(
        roomHint: room.keys.hint(with: ciphers), ownSession: session,
        sendsVideo: options.sendsVideo,
        sendsAudio: options.sendsAudio, picture: options.size,
        framesPerSecond: options.framesPerSecond, bitrateLimit: options.bitrateLimit,
        duration: options.duration), hub: hub, rendezvous: client,
      boxes: SealedBoxes(room.keys, own: session, with: ciphers),
      people: KnownPeers(own: KeyFingerprint(bytes: identity.keyHash)!),
      folding: SimulatedFolding(), erasureCode: CauchyErasureCode(),
      charter: CharterWatch(
        room.keys, own: identity, wallSeconds: 1_700_000_000, at: clock.local(world.now),
        with: ciphers))
    var camera = ScriptedCamera(
      camera: UInt32(truncatingIfNeeded: random.next()), random: random.split())
    camera.layers = options.layers
    studio = Studio(
      world, clock: clock, camera: camera,
      microphone: ScriptedMicrophone(microphone: camera.camera), size: options.size,
      framesPerSecond: options.framesPerSecond,
      takeVideo: { [unowned self] in feed(.encodedVideo($0)) },
      takeAudio: { [unowned self] in feed(.encodedAudio($0)) })
    studio.wantsVideo = { [unowned self] in !heldRenditions.contains($0) }
    registration = SimulatedRegistration(
      host: host, server: server.address(for: host, port: options.serverPort),
      pinned: server.keyHash,
      sessions: SimulatedSessionFactory(certificate: identity, seed: random.next()),
      world: world, clock: clock, feed: { [unowned self] in feed(.rendezvous($0)) })
    alarm = Alarm(world, clock: clock) { [unowned self] in wake() }
  }

  private var now: Instant { clock.local(world.now) }
  package var isOver: Bool { exitCode != nil || !isRunning }

  // MARK: What a user does

  package func join() {
    isRunning = true
    host.program = { [unowned self] in take($0) }
    studio.open()
    feed(.localEndpoints(endpoints()))
    feed(.pictureSource(studio.size, framesPerSecond: studio.framesPerSecond))
    feed(.begin)
  }

  package func say(_ line: String) { feed(.chat(line)) }
  package func leave(_ cause: LeaveCause = .user) { feed(.leave(cause)) }
  package func receive(atMost bounds: ReceiveBounds) { feed(.receiveBounds(bounds)) }
  /// The window shows another's pictures in a tile of this size.
  package func show(_ other: SimulatedMember, in place: PictureSize) {
    feed(.shownIn(other.session, place))
  }
  /// The server says so, whatever it has in mind.
  package func takeFromServer(_ frame: RendezvousFrame) {
    feed(.rendezvous(.received(frame.encoded)))
  }
  package func camera(isOn: Bool) { feed(.camera(isOn: isOn)) }
  package func microphone(isOn: Bool) { feed(.microphone(isOn: isOn)) }
  /// The device is unplugged.
  package func lose(_ device: Device) {
    if device == .camera { isCameraOpen = false }
    feed(
      .deviceFailed(
        device, MediaError(.ended, "the device is gone", remedy: "plug it in", device: "X")))
  }

  /// As by SIGKILL: nobody is told but by the kernel's resets.
  package func kill() {
    isRunning = false
    studio.close()
    registration.stopDialling()
    host.killProgram()
  }

  /// The computer got other addresses; without a gateway in the core.
  package func move(to addresses: [IPAddress], behind gateway: SimulatedGateway? = nil) {
    host.move(to: addresses, behind: gateway)
    feed(.localEndpoints(endpoints()))
  }

  private var socket: (SocketID, port: UInt16)?
  private var listener: UInt16?

  private func endpoints() -> [LocalEndpoint] {
    if socket == nil { socket = host.bindDatagram() }
    if listener == nil { listener = host.listen() }
    guard let socket, let listener else { return [] }
    return host.addresses.flatMap { address -> [LocalEndpoint] in
      [
        .datagram(socket.0, SocketAddress(address, port: socket.port)),
        .listener(SocketAddress(address, port: listener)),
      ]
    }
  }

  /// As by SIGSTOP: nothing is read, shown or sent.
  package func suspend(for duration: Interval) {
    process.stop()
    studio.close()
    for viewer in viewers.values { viewer.isSuspended = true }
    world.schedule(after: duration) { [self] in
      let waiting = process.goOn()
      for viewer in viewers.values { viewer.isSuspended = false }
      guard isRunning else { return }
      studio.open()
      for input in waiting.inputs { feed(input) }
      for event in waiting.events { take(event) }
      wake()
    }
  }

  // MARK: Turns

  private func wake() {
    guard isRunning, !process.isStopped else { return }
    turn(.timeout, byTimer: true)
  }

  private func feed(_ input: ConferenceInput) {
    guard isRunning, !process.keeps(input) else { return }
    turn(input, byTimer: false)
  }

  private func turn(_ input: ConferenceInput, byTimer: Bool) {
    turnDepth += 1
    conference.handle([input], at: now)
    turnDepth -= 1
    // What the outputs of a turn cause at once is handled within it, and drained by it.
    guard turnDepth == 0 else { return }
    turnDepth += 1
    var count = 0
    while isRunning, let output = conference.nextOutput() {
      count += 1
      perform(output)
    }
    turnDepth -= 1
    tap.endTurn()
    guard isRunning else { return }
    let deadline = conference.nextDeadline
    judgeTurn(byTimer: byTimer, outputs: count, deadline: deadline)
    alarm.set(deadline)
  }

  private func judgeTurn(byTimer: Bool, outputs: Int, deadline: Deadline?) {
    var told = deadline
    var count = outputs
    switch sabotage {
    case .deadlineInThePast: if let due = deadline { told?.at = due.at - .seconds(60) }
    case .endlessTurn: count += 5_000
    case .timerAtOneInstant where byTimer:
      for _ in 0..<30 { turns.turned(byTimer: true, outputs: 0, at: now, deadline: deadline) }
    case .timerStorm where byTimer:
      for number in 0..<500 {
        let at = now - .microseconds(500) + .microseconds(Int64(number))
        turns.turned(byTimer: true, outputs: 0, at: at, deadline: deadline)
      }
    default: break
    }
    turns.turned(byTimer: byTimer, outputs: count, at: now, deadline: told)
  }

  private func perform(_ output: ConferenceOutput) {
    switch output {
    case .transmit(let bytes, let to, let from): host.transmit(bytes, to: to, from: from)
    case .dial(let stream, let address): host.dial(stream, to: address)
    case .write(let bytes, let stream): host.write(bytes, on: stream)
    case .hangUp(let stream): host.hangUp(stream)
    case .rendezvous(let output): perform(output)
    // Encoding takes no time here.
    case .expectVideo: expectations += 1
    case .encodeVideo(let rendition, let order): studio.order(rendition, order)
    case .holdVideo(let rendition, let isHeld):
      if isHeld { heldRenditions.insert(rendition) } else { heldRenditions.remove(rendition) }
    case .keyFrame(let rendition): studio.wantKeyFrame(rendition)
    case .encodeAudio(let order): studio.audioOrder = order
    case .decode(let session, let frame, let showAt): decode(frame, of: session, showAt: showAt)
    case .audio(let session, let packet): viewers[session]?.take(packet)
    case .audioHold(let session, let hold): viewers[session]?.hold(hold)
    case .openPeer(let session):
      let viewer = openViewer(self, session)
      viewer?.open(
        onPlayed: { [unowned self] in
          feed(.audioPlayed(session, rtpTimestamp: $0, at: $1, deviceDelay: $2))
        },
        onConcealed: { [unowned self] in
          feed(.audioConcealed(session, samples: $0, of: $1))
        })
      if sabotage != .viewerClosed { viewers[session] = viewer }
    case .closePeer(let session): viewers[session]?.close()
    case .event(let event): told(event)
    case .finished(let code):
      exitCode = code
      isRunning = false
      studio.close()
      for viewer in viewers.values { viewer.close() }
      world.trace.add("exit", at: world.now)
      world.trace.add(code)
      // The process ends in order: its kernel closes what is open.
      host.endProgram()
    case .roster(let entries): roster = entries
    case .openCamera: isCameraOpen = true
    case .closeCamera: isCameraOpen = false
    case .openMicrophone, .announced, .server, .remember: return
    }
  }

  private func perform(_ output: RendezvousClient.Output) {
    switch output {
    case .connect:
      registration.connect()
      if sabotage == .outputAstray { perform(RendezvousClient.Output.lost("planted")) }
    case .disconnect: registration.disconnect()
    case .verify(let facts, _): registration.verify(facts)
    case .send(let bytes): registration.send(bytes)
    default: findings.report("turn", "\(name): \(output) is not for the network")
    }
  }

  private func decode(_ frame: AssembledFrame, of session: SessionID, showAt: Instant?) {
    guard let viewer = viewers[session] else {
      findings.report("picture", "\(name): a frame of \(session) without openPeer")
      return
    }
    viewer.decode(frame, showAt: showAt.map { clock.world($0) }) { [unowned self] verdict in
      switch verdict {
      case .failed: feed(.decodeFailed(session))
      case .shown(let size): feed(.shown(session, size))
      }
    }
  }

  package func lookAtTargets() {
    for (session, rate) in conference.targets { targets[session] = rate }
  }

  private func told(_ event: CallEvent) {
    world.trace.add("event", at: world.now)
    if case .stats(let label, let figures) = event {
      statistics[label.peer] = figures
      world.trace.add(Int(figures.send.rate.bitsPerSecond))
      world.trace.add(Int(figures.receive.rate.bitsPerSecond))
    } else {
      world.trace.add(Array("\(event)".utf8))
      events.append((world.now, event))
    }
    onEvent(self, event)
  }

  // MARK: Network

  private func take(_ event: NetworkEvent) {
    guard !process.keeps(event), isRunning, !registration.take(event) else { return }
    switch event {
    case .datagram(let bytes, let from, let socket):
      feed(.datagram(bytes, from: from, on: socket))
    case .accepted(let stream, let from, _): feed(.accepted(stream, from: from))
    case .dialed(let stream): feed(.dialed(stream))
    case .dialFailed(let stream): feed(.dialFailed(stream))
    case .stream(let bytes, let stream): feed(.stream(bytes, on: stream))
    case .streamClosed(let stream): feed(.streamClosed(stream))
    case .backlog(let stream, let count): feed(.backlog(stream, count))
    }
  }
}
