import CLinux
import Judging
import Media
import Runtime
import Units

/// What one party of a call sends and wants, and how the call runs.
struct PartyPlan {
  var name: String
  /// `nil`: `--video none`.
  var frames: FrameBook?
  /// Instead of frames through a pipe: `file:…` or `pattern`.
  var videoOption: String?
  /// `nil`: `--audio none`.
  var speech: [Int16]?
  var audioOption: String?
  var isWatching = true
  var isListening = true
  /// Instead of what the judge hears: `speaker:…`.
  var playOption: String?
  var chat: [String] = []
  /// Pictures kept for quality: every n-th.
  var keepEvery = 0
  var extra: [String] = []
  /// The network that it lives in, if not this computer's.
  var network: String?

  init(_ name: String) { self.name = name }
}

struct CallPlan {
  var parties: [PartyPlan]
  var size: PictureSize
  var transport = "udp"
  var seconds = 12
  /// Chat starts when all have seen each other, and lines are that far apart.
  var chatInterval = Interval.milliseconds(300)

  var path: String { "\(transport)-direct" }
}

/// Runs a call between real programs and records it.
struct CallScript {
  let programs: Programs
  let workspace: Workspace
  let rendezvous: Rendezvous
  /// Distinguishes the files of several calls in one workspace.
  let label: String

  struct Actor {
    var plan: PartyPlan
    var voice: Int
    var watched: Watched
    var frames: FrameFeeder?
    var sound: SoundFeeder?
    /// By session id in a group, by name in a call of two.
    var views: Guarded<[(from: String, tap: FrameTap)]>
    var ear: SoundTap?
  }

  /// `during` is called when all see each other and have chatted, with the running programs and
  /// the room's id.
  func run(
    _ plan: CallPlan, during: ([Watched], String) -> Void = { _, _ in }
  ) throws(BenchError) -> CallRecord {
    let (actors, room) = try begin(plan)
    awaitPictures(actors)
    chat(actors, plan)
    during(actors.map(\.watched), room)
    return collect(actors, plan)
  }

  /// Everybody has entered the room, whose id comes with them.
  func begin(_ plan: CallPlan) throws(BenchError) -> ([Actor], room: String) {
    let room = try rendezvous.createRoom(as: "\(label)-\(plan.parties[0].name)", in: workspace)
    var actors: [Actor] = []
    for (index, party) in plan.parties.enumerated() {
      actors.append(try start(party, voice: index, in: plan, room: room))
      guard actors[index].watched.event("room", within: .seconds(10)) != nil else {
        throw BenchError("\(party.name) did not enter the room: \(actors[index].watched.errors)")
      }
    }
    return (actors, room)
  }

  private func start(
    _ party: PartyPlan, voice: Int, in plan: CallPlan, room: String
  ) throws(BenchError) -> Actor {
    let folder = workspace.folder("\(label)-\(party.name)")
    var arguments = [
      "join", "-", "--name", party.name, "--transport", plan.transport, "--events", "json",
      "--for", "\(plan.seconds)s",
    ]
    arguments += rendezvous.options
    var frames: FrameFeeder?
    var sound: SoundFeeder?
    var ear: SoundTap?
    let views = Guarded<[(from: String, tap: FrameTap)]>([])
    if let book = party.frames {
      let pipe = try workspace.pipe("\(label)-\(party.name)-video")
      frames = try FrameFeeder(book.numbered(from: UInt32(voice) * 1_000_000), into: pipe)
      arguments += ["--video", "pipe:\(pipe)"]
    } else {
      arguments += ["--video", party.videoOption ?? "none"]
    }
    if let speech = party.speech {
      let pipe = try workspace.pipe("\(label)-\(party.name)-audio")
      sound = try SoundFeeder(speech, voice: voice, into: pipe)
      arguments += ["--audio", "pipe:\(pipe)"]
    } else {
      arguments += ["--audio", party.audioOption ?? "none"]
    }
    if party.isWatching {
      if plan.parties.count > 2 {
        arguments += ["--view", "pipe:\(workspace.path)/\(label)-\(party.name)-{peer}"]
      } else {
        let pipe = try workspace.pipe("\(label)-\(party.name)-view")
        let other = plan.parties.first { $0.name != party.name }?.name ?? ""
        let tap = try FrameTap(pipe, keepEvery: party.keepEvery)
        views.change { $0.append((other, tap)) }
        arguments += ["--view", "pipe:\(pipe)"]
      }
    } else {
      arguments += ["--view", "none"]
    }
    if let play = party.playOption {
      arguments += ["--play", play]
    } else if party.isListening {
      let pipe = try workspace.pipe("\(label)-\(party.name)-ear")
      ear = try SoundTap(pipe)
      arguments += ["--play", "pipe:\(pipe)"]
    } else {
      arguments += ["--play", "none"]
    }
    let command = try programs.command("p2pcall", arguments + party.extra, in: party.network)
    let watched = try Watched(
      command.program, command.arguments, name: party.name, folder: folder,
      onLine: viewOpener(party, in: plan, views))
    watched.say(room)
    return Actor(
      plan: party, voice: voice, watched: watched, frames: frames, sound: sound, views: views,
      ear: ear)
  }

  /// With several peers a view's pipe is named after a session id, known once the peer is
  /// announced; it must be there before the first picture.
  private func viewOpener(
    _ party: PartyPlan, in plan: CallPlan, _ views: Guarded<[(from: String, tap: FrameTap)]>
  ) -> @Sendable (EventLine) -> Void {
    guard plan.parties.count > 2, party.isWatching else { return { _ in } }
    let prefix = "\(workspace.path)/\(label)-\(party.name)-"
    let keepEvery = party.keepEvery
    return { line in
      guard line.kind == "peer-joined", let peer = line["peer"]?.string,
        mkfifo(prefix + peer, 0o600) == 0,
        let tap = try? FrameTap(prefix + peer, keepEvery: keepEvery)
      else { return }
      views.change { $0.append((peer, tap)) }
    }
  }

  /// Until everybody has seen everybody who sends, or 10 s.
  private func awaitPictures(_ actors: [Actor]) {
    for actor in actors where actor.plan.isWatching {
      let senders = actors.count {
        $0.plan.name != actor.plan.name && ($0.frames != nil || $0.plan.videoOption != nil)
      }
      let end = Clock.now + .seconds(10)
      while Clock.now < end, actor.watched.events.all("first-frame").count < senders,
        actor.watched.exitCode() == nil
      { sleep(.milliseconds(10)) }
    }
  }

  private func chat(_ actors: [Actor], _ plan: CallPlan) {
    let rounds = plan.parties.map(\.chat.count).max() ?? 0
    for round in 0..<rounds {
      for actor in actors where actor.plan.chat.indices.contains(round) {
        actor.watched.say(actor.plan.chat[round])
      }
      sleep(plan.chatInterval)
    }
  }

  /// Waits until all have left.
  func collect(_ actors: [Actor], _ plan: CallPlan) -> CallRecord {
    let codes = actors.map { $0.watched.exitCode(within: .seconds(Double(plan.seconds) + 20)) }
    for actor in actors {
      actor.frames?.stop()
      actor.sound?.stop()
      actor.ear?.finish()
      for view in actor.views.value { view.tap.finish() }
    }
    let parties = actors.enumerated().map { index, actor in
      var party = PartyRecord(
        name: actor.plan.name, voice: actor.voice, startedAt: actor.watched.startedAt)
      party.sent = actor.frames?.sent ?? []
      party.soundFrom = actor.sound?.from
      party.soundTo = actor.sound?.to
      party.chatSent = actor.plan.chat
      party.events = actor.watched.events
      keepEvents(of: actor.watched)
      party.exitCode = codes[index]
      party.endedAt = actor.watched.endedAt ?? .distantFuture
      party.sound = actor.ear?.log
      let sessions = party.events.sessions()
      party.views = actor.views.value.map { from, tap in
        let name = sessions.first { $0.peer == from }?.name ?? from
        var view = PartyRecord.View(from: name, seen: tap.seen)
        let sender = actors.first { $0.plan.name == name }
        let book = sender?.plan.frames?.numbered(from: UInt32(sender?.voice ?? 0) * 1_000_000)
        let limits = sender.flatMap { $0.frames?.sent }
        view.quality = book.flatMap { quality(of: tap, $0, from: limits ?? []) }
        return view
      }
      return party
    }
    return CallRecord(parties: parties, size: plan.size, path: plan.path)
  }

  /// For `--log`.
  private func keepEvents(of watched: Watched) {
    guard let folder = eventFolder.value else { return }
    mkdir(folder, 0o755)
    let text = watched.output.map { $0.text + "\n" }.joined() + watched.errors
    try? writeBytes("\(folder)/\(label)-\(watched.name).events", Array(text.utf8))
  }

  /// Mean PSNR of the kept pictures that were sent and came after the first three seconds.
  private func quality(of tap: FrameTap, _ book: FrameBook, from sent: [SentFrame]) -> Double? {
    guard let start = tap.seen.first?.clock?.instant else { return nil }
    let numbers = Set(sent.map(\.number))
    let kept = tap.kept.filter {
      numbers.contains($0.clock.number) && $0.picture.size == book.size
        && $0.clock.instant > start + .seconds(3)
    }
    guard !kept.isEmpty else { return nil }
    let sum = kept.reduce(0.0) {
      $0 + peakSignalToNoise($1.picture, against: book.original($1.clock))
    }
    return sum / Double(kept.count)
  }
}

extension CallRecord {
  /// Adds what the encoder alone makes of the same pictures at the same bytes, as the sender's own
  /// `stats` counted them, for every view whose quality was measured.
  mutating func addLocalQuality(_ book: FrameBook, keepEvery: Int) throws(BenchError) {
    for receiver in parties.indices {
      for view in parties[receiver].views.indices
      where parties[receiver].views[view].quality != nil {
        let seen = parties[receiver].views[view].seen
        guard let sender = parties.first(where: { $0.name == parties[receiver].views[view].from }),
          let start = seen.first?.clock?.instant, let end = seen.last?.clock?.instant
        else { continue }
        let rates = sender.events.all("stats").filter {
          $0["name"]?.string == parties[receiver].name && $0.at > start + .seconds(3)
            && $0.at < end
        }.compactMap { $0.number("send.video_kbps") }
        guard !rates.isEmpty else { continue }
        let mean = rates.reduce(0, +) / Double(rates.count)
        let sent = sender.sent.filter { $0.at > start + .seconds(3) && $0.at < end }
        let sampled = Set(
          seen.compactMap(\.clock?.number).filter { $0 % UInt32(keepEvery) == 0 })
        parties[receiver].views[view].localQuality = try LocalEncoder.quality(
          book.numbered(from: UInt32(sender.voice) * 1_000_000), sent: sent, sampled: sampled,
          rate: .kilobits(Int64(mean)))
      }
    }
  }
}
