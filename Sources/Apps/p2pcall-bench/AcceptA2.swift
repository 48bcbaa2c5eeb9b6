import CLinux
import Judging
import Media
import Rooms
import Runtime
import Units

/// A2: the server, trust, and what users are told when something is wrong.
struct AcceptA2 {
  let programs: Programs
  private let workspace: Workspace
  private let rendezvous: Rendezvous
  private let size = PictureSize(width: 320, height: 240)

  init(programs: Programs) throws(BenchError) {
    self.programs = programs
    workspace = try Workspace()
    rendezvous = try Rendezvous(programs, in: workspace)
  }

  func run() throws(BenchError) -> Report {
    var report = Report("accept A2")
    report.add("rooms and mistakes", try mistakes())
    report.add("secrets", try secrets())
    report.add("identity and people", try people())
    report.add("a changed key", try changedKey())
    report.add("the server restarted in mid-call", try restart())
    report.add("a program killed", try killed())
    report.add("a program interrupted", try interrupted())
    report.add("pipes closed in mid-call", try closedPipes())
    report.add("hostile clients of the server", try hostile())
    report.add("proof", ProofTrial.criteria())
    report.add("the server's end", [.equal("exit code", 0, seen: rendezvous.stop())])
    return report
  }

  private func join(
    _ name: String, _ room: String, _ more: [String] = [], server: [String]? = nil,
    seconds: Int = 4
  ) throws(BenchError) -> Watched {
    let watched = try Watched(
      programs.path("p2pcall"),
      [
        "join", "-", "--name", name, "--events", "json", "--for", "\(seconds)s", "--video", "none",
        "--audio", "none", "--view", "none", "--play", "none",
      ] + (server ?? rendezvous.options) + more, name: name, folder: workspace.folder(name))
    watched.say(room)
    return watched
  }

  /// Exit code and one sentence of each mistake.
  private func mistakes() throws(BenchError) -> [Criterion] {
    progress("rooms and mistakes")
    let room = try rendezvous.createRoom(as: "owner", in: workspace)
    let id = String(room.prefix { $0 != "@" })
    var letters = Array(id)
    // The second symbol of the second group.
    letters[11] = letters[11] == "7" ? "8" : "7"
    let nobody = ["--server", "127.0.0.1:9", "--server-pin", rendezvous.pin]
    let otherPin = "sha256:" + String(repeating: "A", count: 43)
    let elsewhere = try Rendezvous(programs, in: workspace, folder: "elsewhere")
    var criteria: [Criterion] = []
    func expect(
      _ name: String, _ code: Int, _ words: [String], _ start: () throws(BenchError) -> Watched
    ) throws(BenchError) {
      let watched = try start()
      criteria.append(.equal("\(name): exit", code, seen: watched.exitCode(within: .seconds(30))))
      let said = watched.errors
      let lines = said.split(separator: "\n").filter { $0.hasPrefix("p2pcall: ") }
      criteria.append(
        Criterion(
          "\(name): one sentence", limit: words.joined(separator: ", "),
          seen: String((lines.first ?? "nothing").prefix(60)),
          isMet: lines.count == 1 && words.allSatisfy { lines[0].contains($0) }))
    }
    try expect("mistyped room id", 2, ["12"]) { () throws(BenchError) in
      try join("typist", String(letters), server: nobody)
    }
    try expect("unknown option", 2, ["--video"]) { () throws(BenchError) in
      try join("optimist", id, ["--vidoe", "none"])
    }
    try expect("no server", 3, ["127.0.0.1:9"]) { () throws(BenchError) in
      try join("lonely", id, server: nobody)
    }
    try expect("unknown room", 4, []) { () throws(BenchError) in
      try join("lost", id, server: elsewhere.options)
    }
    try expect("wrong pin", 5, ["pin"]) { () throws(BenchError) in
      try join("careful", id, server: ["--server", rendezvous.address, "--server-pin", otherPin])
    }
    try expect("absent film", 7, ["absent.mp4"]) { () throws(BenchError) in
      try join("viewer", id, ["--video", "file:\(workspace.path)/absent.mp4"])
    }
    try expect("absent camera", 7, ["/dev/video99"]) { () throws(BenchError) in
      try join("filmer", id, ["--video", "camera:/dev/video99"])
    }
    let alone = try join("patient", room, seconds: 2)
    criteria.append(
      .equal("alone in a room: exit", 0, seen: alone.exitCode(within: .seconds(20))))
    criteria.append(
      .equal(
        "room create prints ROOMID@server", true,
        seen: room.hasSuffix("@\(rendezvous.address)") && id.hasPrefix("p2p-")))
    criteria.append(.equal("second server's end: exit", 0, seen: elsewhere.stop()))
    return criteria
  }

  /// The room id is not to be seen in the process list, the log or the events.
  private func secrets() throws(BenchError) -> [Criterion] {
    progress("secrets")
    let room = try rendezvous.createRoom(as: "owner", in: workspace)
    let group = String(room.dropFirst(4).prefix(5))
    let folder = workspace.folder("secretive")
    let watched = try Watched(
      programs.path("p2pcall"),
      [
        "join", room, "--events", "json", "--for", "2s", "--video", "none", "--audio", "none",
        "--view", "none", "--play", "none", "--log-level", "debug",
      ] + rendezvous.options, name: "secretive", folder: folder)
    let entered = watched.event("room", within: .seconds(10))
    let title = fileText("/proc/\(watched.identifier)/cmdline")
    let code = watched.exitCode(within: .seconds(20))
    let state = try? ChildProcess(
      "/bin/grep", ["-rqs", group, "\(folder)/config", "\(folder)/state"], output: .nothing)
    return [
      .equal("entered by argument", true, seen: entered != nil && code == 0),
      .equal("the process list keeps the program's name", true, seen: title.contains("p2pcall")),
      .equal("room id in the process list", false, seen: title.contains(group)),
      .equal("room id in events", false, seen: watched.output.contains { $0.text.contains(group) }),
      .equal("room id in the log", false, seen: watched.errors.contains(group)),
      .equal("room id in files", false, seen: state.map { $0.wait() == .code(0) }),
    ]
  }

  private func people() throws(BenchError) -> [Criterion] {
    progress("identity and people")
    let folder = workspace.folder("owner")
    func ask(_ arguments: [String]) throws(BenchError) -> (Int?, String) {
      let watched = try Watched(
        programs.path("p2pcall"), arguments, name: "owner", folder: folder)
      let code = watched.exitCode(within: .seconds(10))
      return (code, watched.output.map(\.text).joined(separator: "\n"))
    }
    let (first, identity) = try ask(["identity"])
    let (_, again) = try ask(["identity"])
    let (list, _) = try ask(["peers", "list"])
    let (unknown, _) = try ask(["peers", "show", "nobody-of-that-name"])
    let (help, text) = try ask(["--help"])
    return [
      .equal("identity: exit", 0, seen: first),
      .equal("identity shows the fingerprint", true, seen: identity.contains("sha256:")),
      .equal("identity stays the same", true, seen: identity == again),
      .equal("peers list: exit", 0, seen: list),
      .equal("peers show of nobody: exit", 2, seen: unknown),
      .equal("help: exit", 0, seen: help),
      .equal("help names join", true, seen: text.contains("p2pcall join")),
    ]
  }

  /// Somebody else under a known name: shown as changed, sent nothing, and the end of a call of two.
  private func changedKey() throws(BenchError) -> [Criterion] {
    progress("a changed key")
    let room = try rendezvous.createRoom(as: "owner", in: workspace)
    let ann = try join("key-ann", room, ["--name", "Ann"], seconds: 5)
    let bob = try join("key-bob", room, ["--name", "Bob"], seconds: 4)
    let met = ann.line(within: .seconds(10)) { $0.kind == "trust" }
    let codes = [bob.exitCode(within: .seconds(20)), ann.exitCode(within: .seconds(20))]

    let view = try workspace.pipe("impostor-view")
    let tap = try FrameTap(view, keepEvery: 0)
    let again = try join("key-ann", room, ["--name", "Ann", "--video", "pattern"], seconds: 20)
    _ = again.event("room", within: .seconds(10))
    let impostor = try join(
      "key-impostor", room, ["--name", "Bob", "--view", "pipe:\(view)"], seconds: 8)
    let changed = again.line(within: .seconds(10)) { $0["state"]?.string == "changed" }
    let code = again.exitCode(within: .seconds(40))
    _ = impostor.exitCode(within: .seconds(60))
    tap.finish()
    var criteria: [Criterion] = [
      .equal("first meeting: trust", "new", seen: met?["state"]?.string),
      .equal("first meeting: exits", [0, 0], seen: codes.compactMap { $0 }),
      .equal("impostor: trust", "changed", seen: changed?["state"]?.string),
      .equal("impostor: exit of the one who knows", 5, seen: code),
      .equal("impostor: pictures seen", 0, seen: tap.seen.count),
    ]
    let fingerprint = changed?["peer_id"]?.string ?? ""
    let trust = try Watched(
      programs.path("p2pcall"), ["peers", "trust", fingerprint], name: "key-ann",
      folder: workspace.folder("key-ann"))
    criteria.append(.equal("peers trust: exit", 0, seen: trust.exitCode(within: .seconds(10))))
    let third = try join("key-ann", room, ["--name", "Ann"], seconds: 5)
    let later = try join("key-impostor", room, ["--name", "Bob"], seconds: 4)
    let known = third.line(within: .seconds(10)) { $0.kind == "trust" }
    _ = later.exitCode(within: .seconds(20))
    criteria.append(.equal("after peers trust", "known", seen: known?["state"]?.string))
    criteria.append(
      .equal("after peers trust: exit", 0, seen: third.exitCode(within: .seconds(20))))
    return criteria
  }

  /// The call outlives the server; who comes after its return finds the room.
  private func restart() throws(BenchError) -> [Criterion] {
    progress("the server restarted in mid-call")
    let first = try Rendezvous(programs, in: workspace, folder: "mortal")
    let book = FrameBook.pattern(size, seconds: 3)
    var parties = ["res-ann", "res-bob"].map(PartyPlan.init)
    for index in parties.indices { parties[index].frames = book }
    let script = CallScript(
      programs: programs, workspace: workspace, rendezvous: first, label: "restart")
    var late: Watched?
    var second: Rendezvous?
    let plan = CallPlan(parties: parties, size: size, transport: "udp", seconds: 16)
    let record = try script.run(plan) { _, room in
      first.process.send(signal: SIGKILL)
      _ = first.process.exitCode(within: .seconds(5))
      sleep(.seconds(2))
      second = try? Rendezvous(
        programs, in: workspace, listen: first.address, folder: "mortal")
      sleep(.seconds(3))
      late = try? join("res-cat", room, server: first.options, seconds: 4)
      _ = late?.line(within: .seconds(8)) { $0.kind == "link" }
    }
    let linked = late?.events.all("link").count ?? 0
    let lateCode = late?.exitCode(within: .seconds(20))
    var criteria: [Criterion] = [
      .equal("server came back with its pin", first.pin, seen: second?.pin),
      .equal("who came later: links", true, seen: linked >= 2),
      .equal("who came later: exit", 0, seen: lateCode),
    ]
    for receiver in record.parties {
      let sender = record.parties.first { $0.name != receiver.name }
      let findings = FrameFindings(
        sent: sender?.sent ?? [], seen: receiver.views.first?.seen ?? [], size: size,
        end: min(receiver.endedAt, sender?.endedAt ?? .zero) - .seconds(1))
      criteria.append(.equal("\(receiver.name): exit", 0, seen: receiver.exitCode))
      criteria.append(
        .atLeast(
          "\(receiver.name): pictures delivered", 98, "%", seen: findings.deliveredPercent))
      criteria.append(.equal("\(receiver.name): freezes", 0, seen: findings.freezes))
    }
    criteria.append(.equal("server's end: exit", 0, seen: second?.stop()))
    return criteria
  }

  /// kill -9 of one side: reconnecting within 5 s, gone by 31 s, and the other goes on.
  private func killed() throws(BenchError) -> [Criterion] {
    progress("a program killed (half a minute)")
    let room = try rendezvous.createRoom(as: "owner", in: workspace)
    let ann = try join("kill-ann", room, seconds: 45)
    let bob = try join("kill-bob", room, seconds: 45)
    let linked = ann.event("link", within: .seconds(10)) != nil
    sleep(.seconds(2))
    bob.send(signal: SIGKILL)
    _ = bob.exitCode(within: .seconds(5))
    let died = Clock.now
    let silent = ann.line(within: .seconds(8)) { $0["path"]?.string == "reconnecting" }
    let gone = ann.event("peer-left", within: .seconds(40))
    ann.say("/leave")
    return [
      .equal("linked before", true, seen: linked),
      .atMost("reconnecting after", 5, "s", seen: silent.map { ($0.at - died).seconds }),
      .atMost("peer-left after", 31.5, "s", seen: gone.map { ($0.at - died).seconds }),
      .equal("the other leaves: exit", 0, seen: ann.exitCode(within: .seconds(10))),
    ]
  }

  private func interrupted() throws(BenchError) -> [Criterion] {
    progress("a program interrupted")
    let room = try rendezvous.createRoom(as: "owner", in: workspace)
    let ann = try join("int-ann", room, seconds: 30)
    let bob = try join("int-bob", room, seconds: 30)
    let cat = try join("int-cat", room, seconds: 30)
    _ = ann.line(within: .seconds(10)) { _ in ann.events.all("link").count >= 2 }
    let began = Clock.now
    bob.send(signal: SIGINT)
    let code = bob.exitCode(within: .seconds(5))
    let left = ann.event("peer-left", within: .seconds(5))
    cat.send(signal: SIGTERM)
    let terminated = cat.exitCode(within: .seconds(5))
    ann.say("/leave")
    return [
      .equal("SIGINT: exit", 130, seen: code),
      .atMost("the others know after", 1, "s", seen: left.map { ($0.at - began).seconds }),
      .equal("SIGTERM ends it in order", true, seen: [0, 130, 143].contains(terminated ?? -1)),
      .equal("the other leaves: exit", 0, seen: ann.exitCode(within: .seconds(10))),
    ]
  }

  /// A reader or writer that goes away ends that source or sink, not the call.
  private func closedPipes() throws(BenchError) -> [Criterion] {
    progress("pipes closed in mid-call")
    let room = try rendezvous.createRoom(as: "owner", in: workspace)
    let source = try workspace.pipe("closing-source")
    let sink = try workspace.pipe("closing-sink")
    let feeder = try FrameFeeder(.pattern(size, seconds: 1), into: source)
    let reader = clinux_open(sink, O_RDONLY | O_NONBLOCK, 0)
    let ann = try join(
      "pipe-ann", room, ["--video", "pipe:\(source)", "--view", "pipe:\(sink)"], seconds: 10)
    let bob = try join("pipe-bob", room, ["--video", "pattern"], seconds: 10)
    let seen = bob.event("first-frame", within: .seconds(8)) != nil
    feeder.stop()
    close(reader)
    sleep(.seconds(2))
    ann.say("still here")
    let heard = bob.event("chat", within: .seconds(3))
    return [
      .equal("picture before", true, seen: seen),
      .equal("chat after both pipes closed", "still here", seen: heard?["text"]?.string),
      .equal("exit of the one with the pipes", 0, seen: ann.exitCode(within: .seconds(20))),
      .equal("exit of the other", 0, seen: bob.exitCode(within: .seconds(20))),
    ]
  }

  /// Garbage, half a message, silence: closed in time, while others come and go.
  private func hostile() throws(BenchError) -> [Criterion] {
    progress("hostile clients of the server")
    let address: ServerAddress
    do { address = try ServerAddress(text: rendezvous.address) } catch {
      throw BenchError("\(error)")
    }
    var random = SeededRandom(seed: 11)
    var clients: [RawClient] = []
    for number in 0..<24 {
      let client = try RawClient(port: address.port)
      switch number % 4 {
      case 0: client.send(random.bytes(400))
      case 1: client.send([0x16, 3, 1, 2, 0])  // the head of a ClientHello, and no more
      case 2: client.send([0x16, 3, 1, 0x40, 0] + random.bytes(2000))
      default: break
      }
      clients.append(client)
    }
    let room = try rendezvous.createRoom(as: "owner", in: workspace)
    let guest = try join("hostile-guest", room, seconds: 1)
    let code = guest.exitCode(within: .seconds(15))
    let closed = clients.count { $0.isClosed(within: .seconds(20)) }
    return [
      .equal("a guest among them: exit", 0, seen: code),
      .equal("closed within 20 s", clients.count, seen: closed),
    ]
  }
}
