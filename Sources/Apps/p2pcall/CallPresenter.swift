import Call
import CommandLine
import Media
import Rooms
import Runtime
import Synchronization
import Units
import Window
import Wire

/// Shows the call to its user, in the terminal and in the window, and turns what he does in either
/// into inputs of the conference. Used from several threads.
final class CallPresenter: Sendable {
  private let printer: EventPrinter
  /// Where nobody reads what is printed, the call goes on.
  private let output: SerialThread
  private let window: WindowModel?
  private let inbox: OrderedMailbox<ConferenceInput>
  private let state: Mutex<State>

  private struct State {
    var isMicrophoneOn: Bool
    var isCameraOn: Bool
    var hasAudio: Bool
    var hasVideo: Bool
    /// Devices may come back after they failed; pipes and files do not.
    let mayComeBack: (audio: Bool, video: Bool)
    let given: MediaBounds
    var roster: [RosterEntry] = []
    var statistics: [String: CallStatistics] = [:]
    var lastNotice = 0
    /// Was told that what is typed waits for somebody to come.
    var knowsSolitude = false
    /// Lines for which there was no room since the last that was printed.
    var lostLines = 0
  }

  /// Lines that may wait for whoever reads them.
  private static let waitingLines = 4_096

  init(
    printer: EventPrinter, window: WindowModel?, inbox: OrderedMailbox<ConferenceInput>,
    bounds: MediaBounds, sources: (audio: Bool, video: Bool),
    mayComeBack: (audio: Bool, video: Bool)
  ) throws(SystemError) {
    self.printer = printer
    output = try SerialThread("output", capacity: Self.waitingLines)
    self.window = window
    self.inbox = inbox
    state = Mutex(
      State(
        isMicrophoneOn: sources.audio, isCameraOn: sources.video, hasAudio: sources.audio,
        hasVideo: sources.video, mayComeBack: mayComeBack, given: bounds))
  }

  func prepareWindow(address: RoomAddress, server: ServerAddress, isMirrored: Bool) {
    let passed = RoomAddress(
      address.room, server: server == .standard ? nil : address.server ?? server)
    let (audio, video) = state.withLock { ($0.hasAudio, $0.hasVideo) }
    window?.update {
      $0.roomID = passed.text
      $0.joinCommand = "p2pcall join \(passed.text)"
      $0.microphone = audio ? .on : .absent
      $0.camera = video ? .on : .absent
      $0.isSelfMirrored = isMirrored
    }
  }

  /// Text for the user that is no event.
  func say(_ text: String) {
    tell(text)
    notice(text, isWarning: true)
  }

  /// The same without the window.
  private func tell(_ text: String) { write { $0.say(text) } }

  private func write(_ job: @escaping @Sendable (EventPrinter) -> Void) {
    let lost = state.withLock { $0.lostLines }
    let isTaken = output.post { [printer] in
      if lost > 0 {
        printer.say("p2pcall: \(lost) lines are missing here: nobody read them in time")
      }
      job(printer)
    }
    state.withLock { $0.lostLines = isTaken ? $0.lostLines - lost : $0.lostLines + 1 }
  }

  /// Prints what waits, for two seconds at most. To be called once, at the end.
  func finish() { output.finish(within: .seconds(2)) }

  // MARK: What the user does

  func perform(_ line: InputLine) {
    switch line {
    // Standard input is read no faster than the call takes it.
    case .chat(let text): inbox.postWaiting(.chat(text))
    case .notice(let text): tell(text)
    case .command(let command): perform(command)
    }
  }

  private func perform(_ command: CallCommand) {
    switch command {
    case .mute: setMicrophone(on: false)
    case .unmute: setMicrophone(on: true)
    case .camera(let isOn): setCamera(on: isOn ?? !state.withLock { $0.isCameraOn })
    case .stats: tell(statisticsText)
    case .who: tell(rosterText)
    case .quality(let quality): setQuality(quality)
    case .receive(let choice):
      inbox.post(.receiveBounds(ReceiveBounds(choice)))
      tell("* the others are asked to keep to that")
    case .lock: inbox.post(.lock(isOn: true))
    case .unlock: inbox.post(.lock(isOn: false))
    case .kick(let who): inbox.post(.kick(who))
    case .leave: inbox.postWaiting(.leave(.user))
    case .help: tell(CallCommand.helpText)
    }
  }

  func perform(_ action: WindowAction) {
    switch action {
    case .toggleMute: setMicrophone(on: !state.withLock { $0.isMicrophoneOn })
    case .toggleCamera: setCamera(on: !state.withLock { $0.isCameraOn })
    case .sendChat(let text): inbox.post(.chat(text))
    case .leave: inbox.post(.leave(.user))
    case .placed(let peer, let place):
      guard let session = SessionID(text: peer) else { return }
      inbox.post(.shownIn(session, PictureSize(width: place.width, height: place.height)))
    case .fullScreen, .statistics, .chat, .copyRoomID, .copyCommand, .resized: break
    }
  }

  private func setMicrophone(on isOn: Bool) {
    guard state.withLock({ $0.hasAudio }) else {
      return say("you send no sound; join with --audio to have some")
    }
    state.withLock { $0.isMicrophoneOn = isOn }
    inbox.post(.microphone(isOn: isOn))
    tell(isOn ? "* your microphone is on" : "* your microphone is off")
    window?.update { $0.microphone = isOn ? .on : .off }
  }

  private func setCamera(on isOn: Bool) {
    guard state.withLock({ $0.hasVideo }) else {
      return say("you send no picture; join with --video to have one")
    }
    state.withLock { $0.isCameraOn = isOn }
    inbox.post(.camera(isOn: isOn))
    tell(isOn ? "* your picture is on" : "* your picture is off")
    window?.update { $0.camera = isOn ? .on : .off }
  }

  private func setQuality(_ quality: QualityChoice) {
    var bounds = MediaBounds(quality)
    // What was given at the start stays the upper bound.
    let given = state.withLock { $0.given }
    if quality == .auto { bounds = given }
    bounds.framesPerSecond = min(bounds.framesPerSecond, given.framesPerSecond)
    bounds.bitrate = min(bounds.bitrate, given.bitrate)
    if bounds.picture.pixels > given.picture.pixels { bounds.picture = given.picture }
    inbox.post(
      .bounds(
        bounds.picture, framesPerSecond: bounds.framesPerSecond, bitrate: bounds.bitrate))
    tell("* you send at most \(bounds.picture) from now on")
  }

  // MARK: What the call says

  func show(_ output: ConferenceOutput, at now: Instant) {
    switch output {
    case .event(let event):
      write { $0.print(event, at: now) }
      note(event)
    case .roster(let roster):
      state.withLock {
        $0.roster = roster
        if roster.contains(where: \.reads) { $0.knowsSolitude = false }
      }
      updatePeers()
    case .server(let isReached):
      say(
        isReached
          ? "the server is back"
          : "the server cannot be reached: the call goes on, but nobody new can join")
    default: break
    }
  }

  private func note(_ event: CallEvent) {
    switch event {
    case .stats(let peer, let statistics):
      state.withLock { $0.statistics[peer.peer] = statistics }
      updatePeers()
    case .peerLeft(let peer, _):
      state.withLock { $0.statistics[peer.peer] = nil }
      notice("\(peer.name.isEmpty ? "Somebody" : peer.name) left", isWarning: false)
    case .chat(let peer, let id, let text):
      window?.update {
        $0.append(
          WindowState.ChatLine(
            id: "\(peer.peer)/\(id)", author: peer.name, peer: peer.peer, text: text))
      }
    case .chatSent(let id, let text):
      window?.update { $0.append(WindowState.ChatLine(id: id, text: text, delivery: .sent)) }
      hintAtSolitude()
    case .chatDelivered(let id, _):
      window?.update { state in
        guard let index = state.chat.firstIndex(where: { $0.id == id && $0.author == nil }) else {
          return
        }
        state.chat[index].delivery = .delivered
      }
    case .device(_, _, "back"): break
    case .device(let kind, _, _): noteLost(Device(rawValue: kind))
    case .failure(_, let message, let remedy):
      notice("\(message); \(remedy)", isWarning: true)
    default: break
    }
  }

  /// The first line that waits for somebody to come gets a hint; the others after it wait too.
  private func hintAtSolitude() {
    let isNew = state.withLock { state in
      guard !state.knowsSolitude, !state.roster.contains(where: \.reads) else { return false }
      state.knowsSolitude = true
      return true
    }
    guard isNew else { return }
    let hint = "nobody is here to read it yet; whoever comes first will get it"
    tell("* \(hint)")
    notice(hint, isWarning: false)
  }

  /// A source that failed is off; what cannot be opened again is gone.
  private func noteLost(_ device: Device?) {
    switch device {
    case .camera:
      let isGone = state.withLock {
        $0.isCameraOn = false
        $0.hasVideo = $0.mayComeBack.video
        return !$0.hasVideo
      }
      window?.update { $0.camera = isGone ? .absent : .off }
    case .microphone:
      let isGone = state.withLock {
        $0.isMicrophoneOn = false
        $0.hasAudio = $0.mayComeBack.audio
        return !$0.hasAudio
      }
      window?.update { $0.microphone = isGone ? .absent : .off }
    case .view, .speaker, nil: break
    }
  }

  private func notice(_ text: String, isWarning: Bool) {
    let id = state.withLock {
      $0.lastNotice += 1
      return $0.lastNotice
    }
    window?.update {
      $0.append(WindowState.Notice(id: id, text: text, isWarning: isWarning))
    }
  }

  private func updatePeers() {
    guard let window else { return }
    let (roster, statistics) = state.withLock { ($0.roster, $0.statistics) }
    let peers = roster.map { WindowState.Peer($0, statistics[$0.label.peer]) }
    window.update { if $0.peers != peers { $0.peers = peers } }
  }

  private var rosterText: String {
    let roster = state.withLock { $0.roster }
    if roster.isEmpty { return "* nobody else is here" }
    return roster.map { entry in
      let name = entry.label.name.isEmpty ? "somebody" : entry.label.name
      let trust = entry.trust?.rawValue ?? "joining"
      let path = entry.link?.path.rawValue ?? "connecting"
      return "* \(name): \(trust), \(path)"
    }.joined(separator: "\n")
  }

  private var statisticsText: String {
    let (roster, statistics) = state.withLock { ($0.roster, $0.statistics) }
    let lines = roster.compactMap { entry in
      statistics[entry.label.peer].map { $0.text(of: entry.label) }
    }
    return lines.isEmpty ? "* there is nothing to measure yet" : lines.joined(separator: "\n")
  }
}

extension RosterEntry {
  /// Gets what is typed.
  fileprivate var reads: Bool { trust.map { $0 != .changed } ?? false }
}
