import Judging
import Media
import Runtime
import Units

/// Real devices: they are listed, and a call with them delivers pictures and sound; a camera that
/// is off is free. Where there are none, the report says that nothing was tried.
struct AcceptDevices {
  let programs: Programs
  let workspace: Workspace
  let rendezvous: Rendezvous
  private let size = PictureSize(width: 640, height: 360)

  func run() throws(BenchError) -> [Criterion] {
    let listing = try DeviceListing(programs, in: workspace)
    var criteria = listing.criteria
    if let camera = listing.cameras.first {
      criteria += try pictures(from: camera)
    } else {
      criteria.append(.notTried("a call with a camera", because: "no camera here"))
    }
    if let (microphone, speaker) = listing.soundPair {
      criteria += try sound(from: microphone, to: speaker, isLoop: listing.hasLoop)
    } else {
      criteria.append(
        .notTried("a call with a microphone and a speaker", because: "no devices here"))
    }
    return criteria
  }

  private func pictures(from camera: String) throws(BenchError) -> [Criterion] {
    var ann = PartyPlan("cam-ann")
    ann.videoOption = "camera:\(camera)"
    ann.isWatching = false
    ann.isListening = false
    var bob = PartyPlan("cam-bob")
    bob.isListening = false
    let script = CallScript(
      programs: programs, workspace: workspace, rendezvous: rendezvous, label: "camera")
    var held: [Bool] = []
    var off = Instant.distantFuture
    var on = Instant.distantFuture
    let plan = CallPlan(parties: [ann, bob], size: size, seconds: 14)
    let record = try script.run(plan) { watched, _ in
      func note() { held.append(watched[0].holds(camera)) }
      sleep(.seconds(4))
      note()
      off = Clock.now
      watched[0].say("/camera off")
      sleep(.seconds(2))
      note()
      on = Clock.now
      watched[0].say("/camera on")
      sleep(.seconds(3))
      note()
    }
    let seen = record.parties[1].views.first?.seen.map(\.at) ?? []
    let first = seen.first ?? off
    let before = seen.count { $0 < off }
    return [
      .atLeast(
        "camera \(camera): pictures a second", 5, "",
        seen: off > first ? Double(before) / (off - first).seconds : nil),
      // What was on its way when it was switched off may still come.
      .equal(
        "pictures while it is off", 0,
        seen: seen.count { $0 > off + .milliseconds(500) && $0 < on }),
      .equal("the program holds it while on, off, on", [true, false, true], seen: held),
      .atLeast("pictures after it is on again", 5, "", seen: Double(seen.count { $0 > on })),
      .equal("exit codes", [0, 0], seen: record.parties.compactMap(\.exitCode)),
    ]
  }

  /// Bob has the sound card; Ann speaks chirps to his speaker and hears his microphone.
  private func sound(
    from microphone: String, to speaker: String, isLoop: Bool
  ) throws(BenchError) -> [Criterion] {
    var ann = PartyPlan("card-ann")
    ann.speech = [Int16](repeating: 0, count: AudioFormat.sampleRate)
    ann.isWatching = false
    var bob = PartyPlan("card-bob")
    bob.audioOption = "mic:\(microphone)"
    bob.playOption = "speaker:\(speaker)"
    bob.isWatching = false
    let script = CallScript(
      programs: programs, workspace: workspace, rendezvous: rendezvous, label: "card")
    let record = try script.run(
      CallPlan(parties: [ann, bob], size: size, seconds: 14))
    let (hearer, owner) = (record.parties[0], record.parties[1])
    var criteria: [Criterion] = [
      .equal(
        "microphone \(microphone): sound arrives", true,
        seen: hearer.events.first("first-audio") != nil),
      .equal(
        "speaker \(speaker): gets sound", true, seen: owner.events.first("first-audio") != nil),
      .equal("devices that failed", 0, seen: owner.events.all("device").count),
      .equal("exit codes", [0, 0], seen: record.parties.compactMap(\.exitCode)),
    ]
    if isLoop {
      let log = hearer.sound ?? SoundLog()
      let findings = ChirpFindings(
        marks: ChirpDetector().marks(in: log.samples), log: log, voice: hearer.voice,
        from: (hearer.events.first("first-audio")?.at ?? hearer.startedAt) + .seconds(1),
        to: min(hearer.endedAt, owner.endedAt) - .seconds(1))
      criteria.append(
        .atLeast(
          "\(findings.expected.count) chirps through speaker, card and microphone", 98, "%",
          seen: findings.heardPercent))
    } else {
      criteria.append(
        .notTried("chirps through speaker, card and microphone", because: "no loopback card"))
    }
    return criteria
  }
}

/// What `p2pcall devices` says, and what the kernel says.
private struct DeviceListing {
  var cameras: [String] = []
  var microphones: [String] = []
  var speakers: [String] = []
  private(set) var criteria: [Criterion] = []

  /// snd-aloop: what is played to its first device is recorded from its second.
  private static let loop = (microphone: "CARD=Loopback,DEV=1", speaker: "CARD=Loopback,DEV=0")

  init(_ programs: Programs, in workspace: Workspace) throws(BenchError) {
    let watched = try Watched(
      programs.path("p2pcall"), ["devices"], name: "devices", folder: workspace.folder("devices"))
    let code = watched.exitCode(within: .seconds(20))
    for line in watched.output {
      let name = line.text.prefix { $0 != " " }
      guard let colon = name.firstIndex(of: ":") else { continue }
      let device = String(name[name.index(after: colon)...])
      switch name[..<colon] {
      case "camera": cameras.append(device)
      case "mic": microphones.append(device)
      case "speaker": speakers.append(device)
      default: break
      }
    }
    let cards = fileText("/proc/asound/pcm")
    let isSilent = watched.output.isEmpty
    criteria = [
      .equal("p2pcall devices: exit", 0, seen: code),
      // A node may be of another kind (metadata, output), so only the converse is sure.
      .equal(
        "cameras listed that have no node", 0,
        seen: cameras.count { !fileExists($0) }),
      .equal(
        "microphones are listed where a card captures", true,
        seen: !cards.contains("capture") || !microphones.isEmpty),
      .equal(
        "speakers are listed where a card plays", true,
        seen: !cards.contains("playback") || !speakers.isEmpty),
      .equal("says so where there is nothing", isSilent, seen: !watched.errors.isEmpty && isSilent),
    ]
  }

  var hasLoop: Bool {
    microphones.contains { $0.contains(Self.loop.microphone) }
      && speakers.contains { $0.contains(Self.loop.speaker) }
  }

  var soundPair: (microphone: String, speaker: String)? {
    let isLoop = hasLoop
    guard
      let microphone = microphones.first(where: {
        !isLoop || $0.contains(Self.loop.microphone)
      }), let speaker = speakers.first(where: { !isLoop || $0.contains(Self.loop.speaker) })
    else { return nil }
    return (microphone, speaker)
  }
}
