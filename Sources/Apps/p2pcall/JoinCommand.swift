import CLinux
import Call
import CallRuntime
import CommandLine
import Encryption
import ErasureCoding
import Links
import Media
import Rooms
import Runtime
import Synchronization
import Units
import Window
import Wire

/// `p2pcall join`: one call, from the room id to the exit code.
func join(_ options: JoinOptions, start: Instant) throws -> ExitCode {
  let input = StandardInput(isAvailable: !options.mediaTakesStandardInput)
  // Checked before anything is opened or sent.
  let address = try roomAddress(options.room, input: input)
  try refuseDemands(of: address.room)
  try options.ways.interface.map(checkInterface)
  let keys = try roomKeys(
    address.room, password: try password(of: address.room, file: options.passwordFile))
  let user = try LocalUser(
    certificate: options.connection.certFile, key: options.connection.keyFile)
  let server = try ServerChoice(options.connection, room: address.server, user: user)
  let bounds = MediaBounds(options)
  let media = try MediaSelection(options, bounds: bounds)

  let printer = EventPrinter(format: options.events, start: start)
  let inbox = OrderedMailbox<ConferenceInput>(capacity: 4_096, wakeUp: try WakeUp())
  let presenter = try CallPresenter(
    printer: printer, window: media.windowModel, inbox: inbox, bounds: bounds,
    sources: (audio: media.audioSource != nil, video: media.videoSource != nil),
    mayComeBack: (audio: media.reopenAudio != nil, video: media.reopenVideo != nil))
  defer { presenter.finish() }
  for notice in media.notices { presenter.say(notice) }
  presenter.prepareWindow(address: address, server: server.address, isMirrored: media.isCamera)

  let call = try CallPlan(
    options: options, keys: keys, user: user, server: server, bounds: bounds,
    media: media.setup(bounds), presenter: presenter, inbox: inbox, input: input)
  let result = Mutex<Result<Int, any Error>>(.success(70))
  let network = try Thread.start("network") {
    let ended = Result { try call.run() }
    result.withLock { $0 = ended }
    media.windowModel?.close()
  }
  if let model = media.windowModel {
    showWindow(model, isNamed: options.view == .window, presenter: presenter, inbox: inbox)
  }
  network.join()
  let code = try result.withLock { try $0.get() }
  return ExitCode(rawValue: Int32(code)) ?? .internalError
}

private func roomAddress(
  _ argument: RoomArgument, input: StandardInput
) throws -> RoomAddress {
  switch argument {
  case .address(let address): return address
  case .standardInput:
    guard let line = input.readFirstLine() else {
      throw UsageError("standard input ended before a room id came; write it as the first line")
    }
    return try RoomAddress(typed: line)
  case .prompt:
    guard isatty(STDIN_FILENO) == 1, let terminal = Terminal() else {
      throw UsageError(
        "there is no room id; write p2pcall join ROOMID, or - to read it from standard input")
    }
    let signals = try Signals()
    let answer = withExtendedLifetime(signals) {
      terminal.ask("Room id: ", unless: signals.fileDescriptor)
    }
    switch answer {
    case .line(let line): return try RoomAddress(typed: line)
    case .none: throw UsageError("no room id was typed; write p2pcall join ROOMID")
    case .interrupted: throw Failure(.interrupted, "interrupted before a room id was typed")
    }
  }
}

/// Flags are part of the id: who can't meet a room's demands doesn't enter it as if it had none.
private func refuseDemands(of room: RoomID) throws {
  for (flag, demand) in [
    (RoomFlags.lobby, "the admission of its owner"),
    (.authority, "certificates of a CA"),
  ] where room.flags.contains(flag) {
    throw UsageError(
      "the room demands \(demand), which this version of p2pcall does not know; update p2pcall")
  }
}

/// The window's loop, on the main thread, until the call ends. Where no window opens the call goes on
/// without, unless it was asked for by name.
private func showWindow(
  _ model: WindowModel, isNamed: Bool, presenter: CallPresenter,
  inbox: OrderedMailbox<ConferenceInput>
) {
  MainActor.assumeIsolated {
    do throws(MediaError) {
      let window = try CallWindow(model)
      if let notice = window.fontNotice { presenter.say(notice) }
      window.run { presenter.perform($0) }
    } catch {
      inbox.post(.deviceFailed(.view, error))
      if isNamed { inbox.post(.leave(.deviceAtStart)) }
    }
  }
}

/// All that the network thread needs to run the call.
private struct CallPlan: Sendable {
  private let conference: @Sendable () throws -> Conference
  private let server: ServerChoice
  private let media: MediaSetup
  private let presenter: CallPresenter
  private let user: LocalUser
  private let inbox: OrderedMailbox<ConferenceInput>
  private let input: StandardInput
  private let log: CallLog
  private let doors: PeerDoors

  init(
    options: JoinOptions, keys: RoomKeys, user: LocalUser, server: ServerChoice,
    bounds: MediaBounds, media: MediaSetup, presenter: CallPresenter,
    inbox: OrderedMailbox<ConferenceInput>, input: StandardInput
  ) throws {
    self.input = input
    self.server = server
    self.media = media
    self.presenter = presenter
    self.user = user
    self.inbox = inbox
    log = CallLog(level: options.logLevel)
    doors = PeerDoors(
      interface: options.ways.interface, listens: !options.ways.relayOnly)
    let people = try user.knownPeers { presenter.say($0) }
    let name = NeutralText.name(options.name ?? user.defaultName)
    let hasVideo = media.videoSource != nil
    let hasAudio = media.audioSource != nil
    let isOnLoopback = server.isOnLoopback
    conference = {
      let suite = OpenSSLCipherSuite()
      let session = newSession(suite)
      let hub = LinkHub(
        LinkHubConfiguration(
          roomID: keys.rid, ownSession: session, authenticationKey: keys.authentication,
          displayName: name, transport: Transport(options.ways.transport),
          ways: Ways(options.ways),
          sessions: OpenSSLSessionFactory(LinkCertificate()), ciphers: suite,
          identity: user.identity, relaySessions: server.relaySessions,
          stunServers: server.resolved, allowsLoopback: isOnLoopback))
      let rendezvous = RendezvousClient(
        RendezvousClient.Configuration(
          admissionSeed: keys.admissionSeed, session: session, peerID: user.key.bytes,
          record: nil, seed: suite.randomSeed()),
        ciphers: suite)
      var configuration = ConferenceConfiguration(
        roomHint: keys.hint(with: suite), ownSession: session, sendsVideo: hasVideo,
        sendsAudio: hasAudio, picture: bounds.picture,
        framesPerSecond: bounds.framesPerSecond, bitrateLimit: bounds.bitrate,
        duration: options.duration)
      configuration.receive = ReceiveBounds(options.receive)
      configuration.content = options.content
      configuration.hasPassword = keys.room.flags.contains(.password)
      return Conference(
        configuration: configuration, hub: hub, rendezvous: rendezvous,
        boxes: SealedBoxes(keys, own: session, with: suite),
        people: people, folding: UnistringFolding(),
        erasureCode: CauchyErasureCode(),
        charter: CharterWatch(
          keys, own: user.identity, wallSeconds: UInt64(max(0, Clock.wallSeconds)), at: Clock.now,
          with: suite))
    }
  }

  /// Runs the call on this thread; returns the exit code.
  func run() throws -> Int {
    // Safe on the disk is who was met only after its cache was emptied (fsync), which may take as long as
    // several pictures; media waits for none of that.
    let disk = try SerialThread("disk", capacity: 256)
    defer { disk.finish() }
    // Sources and encoders take as long to begin as the way to the server.
    let threads = try MediaThreads(media, inbox: inbox)
    try threads.start()
    defer { threads.stop() }
    let loop = try CallLoop(
      conference: try conference(), doors: doors, serverAddresses: server.resolved, inbox: inbox,
      media: threads, makeServerSession: server.makeSession, decideServer: accepts, log: log.note
    ) { output, now in
      if case .remember(let entry) = output { disk.postWaiting { remember(entry) } }
      presenter.show(output, at: now)
    }
    return try loop.run()
  }

  /// Lines are read for the call only once the server is accepted: before that what is typed may
  /// answer the question whether it is.
  private func accepts(_ facts: RendezvousClient.ServerFacts, mayAsk: Bool) -> Bool? {
    let isRight = server.accepts(facts, mayAsk: mayAsk)
    if isRight == true { input.start { presenter.perform($0) } }
    return isRight
  }

  private func remember(_ entry: KnownPeers.Entry) {
    do { try user.changePeers { $0.merge(entry) } } catch {
      presenter.say("who was met could not be remembered: \(error)")
    }
  }
}
