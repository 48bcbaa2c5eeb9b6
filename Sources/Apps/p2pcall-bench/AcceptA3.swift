import Judging
import Media
import Runtime
import Units

/// A3: a film through `p2pcall-media`, groups, one-way calls, and what devices say.
struct AcceptA3 {
  let programs: Programs
  let clip: String?
  private let size = PictureSize(width: 640, height: 480)

  func run() throws(BenchError) -> Report {
    let workspace = try Workspace()
    let rendezvous = try Rendezvous(programs, in: workspace)
    var report = Report("accept A3")
    report.add("a film", try film(workspace, rendezvous))
    report.add("a group of three, one leaves", try group(workspace, rendezvous))
    report.add("one-way calls", try oneWay(workspace, rendezvous))
    progress("devices")
    report.add(
      "devices",
      try AcceptDevices(programs: programs, workspace: workspace, rendezvous: rendezvous).run())
    return report
  }

  /// The devices alone: what a virtual machine with slow processors can be held to.
  static func devices(_ programs: Programs) throws(BenchError) -> Report {
    let workspace = try Workspace()
    let rendezvous = try Rendezvous(programs, in: workspace)
    var report = Report("accept devices")
    report.add(
      "devices",
      try AcceptDevices(programs: programs, workspace: workspace, rendezvous: rendezvous).run())
    return report
  }

  /// A film that carries painted numbers and chirps is made from the clip, then sent as `file:`.
  private func film(
    _ workspace: Workspace, _ rendezvous: Rendezvous
  ) throws(BenchError) -> [Criterion] {
    progress("a film")
    let painted = try PaintedFilm.make(clip: clip, size: size, seconds: 6, in: workspace)
    var ann = PartyPlan("film-ann")
    ann.videoOption = "file:\(painted.path)"
    ann.audioOption = "file:\(painted.path)"
    ann.isWatching = false
    ann.isListening = false
    let script = CallScript(
      programs: programs, workspace: workspace, rendezvous: rendezvous, label: "film")
    let plan = CallPlan(parties: [ann, PartyPlan("film-bob")], size: size, seconds: 14)
    let record = try script.run(plan)
    let receiver = record.parties[1]
    return painted.criteria(
      seen: receiver.views.first?.seen ?? [], sound: receiver.sound ?? SoundLog(), size: size)
      + record.parties.map { .equal("\($0.name): exit", 0, seen: $0.exitCode) }
  }

  private func group(
    _ workspace: Workspace, _ rendezvous: Rendezvous
  ) throws(BenchError) -> [Criterion] {
    progress("a group of three, one leaves")
    let book = FrameBook.pattern(size, seconds: 5)
    var parties = ["grp-ann", "grp-bob", "grp-cat"].map(PartyPlan.init)
    for index in parties.indices {
      parties[index].frames = book
      parties[index].speech = [Int16](repeating: 0, count: 48_000)
    }
    let script = CallScript(
      programs: programs, workspace: workspace, rendezvous: rendezvous, label: "group")
    var left = Instant.zero
    let plan = CallPlan(parties: parties, size: size, seconds: 14)
    let record = try script.run(plan) { watched, _ in
      sleep(.seconds(7))
      watched[2].say("/leave")
      left = Clock.now
    }
    var criteria: [Criterion] = [
      .equal("exit codes", [0, 0, 0], seen: record.parties.compactMap(\.exitCode))
    ]
    for (receiver, sender) in [(0, 1), (1, 0)] {
      let (receiver, sender) = (record.parties[receiver], record.parties[sender])
      let findings = FrameFindings(
        sent: sender.sent,
        seen: receiver.views.first { $0.from == sender.name }?.seen ?? [], size: size,
        end: min(receiver.endedAt, sender.endedAt) - .seconds(1))
      criteria += [
        .atLeast(
          "\(sender.name) → \(receiver.name): delivered", 98, "%", seen: findings.deliveredPercent),
        .equal("\(sender.name) → \(receiver.name): freezes", 0, seen: findings.freezes),
        .atMost(
          "\(receiver.name) knows who left after", 1, "s",
          seen: receiver.events.first("peer-left").map { ($0.at - left).seconds }),
      ]
    }
    let marks = record.parties[0].sound.map { ChirpDetector().marks(in: $0.samples) } ?? []
    for sender in record.parties.dropFirst() {
      let log = record.parties[0].sound ?? SoundLog()
      let start = record.parties[2].startedAt + .seconds(1)
      let chirps = ChirpFindings(
        marks: marks, log: log, voice: sender.voice, from: start, to: left)
      criteria.append(
        .atLeast(
          "\(sender.name)'s chirps of \(chirps.expected.count) in the mix", 98, "%",
          seen: chirps.heardPercent))
    }
    return criteria
  }

  /// Every combination of sending and receiving, on one side, with one who does both.
  private func oneWay(
    _ workspace: Workspace, _ rendezvous: Rendezvous
  ) throws(BenchError) -> [Criterion] {
    progress("one-way calls")
    let book = FrameBook.pattern(PictureSize(width: 320, height: 240), seconds: 2)
    let silence = [Int16](repeating: 0, count: 48_000)
    var criteria: [Criterion] = []
    for number in 0..<16 {
      var ann = PartyPlan("way-ann")
      if number & 1 != 0 { ann.frames = book }
      if number & 2 != 0 { ann.speech = silence }
      ann.isWatching = number & 4 != 0
      ann.isListening = number & 8 != 0
      var bob = PartyPlan("way-bob")
      bob.frames = book
      bob.speech = silence
      let plan = CallPlan(parties: [ann, bob], size: book.size, seconds: 3)
      let script = CallScript(
        programs: programs, workspace: workspace, rendezvous: rendezvous, label: "way\(number)")
      let record = try script.run(plan)
      let (one, other) = (record.parties[0], record.parties[1])
      let pictures = [one, other].map { $0.views.first?.seen.isEmpty == false }
      let sounds = [one, other].map { !ChirpDetector().marks(in: $0.sound?.samples ?? []).isEmpty }
      let expected = [
        ann.isWatching, ann.frames != nil, ann.isListening, ann.speech != nil, true,
      ]
      let name =
        [(1, "video"), (2, "audio"), (4, "view"), (8, "play")].filter { number & $0.0 != 0 }
        .map(\.1).joined(separator: " ")
      criteria.append(
        .equal(
          name.isEmpty ? "none of all" : name, expected,
          seen: pictures + sounds + [one.exitCode == 0 && other.exitCode == 0]))
    }
    return criteria
  }
}
