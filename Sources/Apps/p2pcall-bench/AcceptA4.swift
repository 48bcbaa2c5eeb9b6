import CLinux
import Judging
import Media
import Runtime
import Units

/// A4: the window on a screen of its own, judged by its pixels, and the demonstration.
struct AcceptA4 {
  let programs: Programs

  func run() throws(BenchError) -> Report {
    var report = Report("accept A4")
    let workspace = try Workspace()
    report.add("the window", try window(workspace))
    report.add("tools/demo", try demonstration(workspace))
    return report
  }

  /// One side with a window under Xvfb: what it shows must be the other side's picture, and its
  /// keys must work.
  private func window(_ workspace: Workspace) throws(BenchError) -> [Criterion] {
    progress("the window")
    let screen = try Screen()
    let rendezvous = try Rendezvous(programs, in: workspace)
    let room = try rendezvous.createRoom(as: "ann", in: workspace)
    let common = ["--events", "json", "--audio", "none", "--play", "none"] + rendezvous.options
    let ann = try Watched(
      programs.path("p2pcall"),
      ["join", "-", "--name", "Ann", "--view", "window", "--video", "none", "--for", "60s"]
        + common, name: "ann", folder: workspace.folder("ann"),
      environment: ["DISPLAY=\(screen.display)", "SDL_VIDEODRIVER=x11"])
    ann.say(room)
    let entered = ann.event("room", within: .seconds(10)) != nil
    sleep(.seconds(2))
    let alone = try screen.shot("\(workspace.path)/alone.ppm")
    let bob = try Watched(
      programs.path("p2pcall"),
      ["join", "-", "--name", "Bob", "--view", "none", "--video", "pattern", "--for", "60s"]
        + common, name: "bob", folder: workspace.folder("bob"))
    bob.say(room)
    let seen = ann.event("first-frame", within: .seconds(10)) != nil
    sleep(.seconds(2))
    let first = try screen.shot("\(workspace.path)/first.ppm")
    sleep(.milliseconds(500))
    let second = try screen.shot("\(workspace.path)/second.ppm")
    let quitKey = screen.key("q")
    let code = ann.exitCode(within: .seconds(10))
    bob.say("/leave")
    return [
      .equal("in the room", true, seen: entered),
      .atLeast("colours on the screen while alone", 8, "", seen: Double(alone.colours)),
      .equal("first-frame event", true, seen: seen),
      .atLeast("colours with the other's picture", 200, "", seen: Double(first.colours)),
      .atLeast(
        "pixels that differ from being alone", 20, "%", seen: first.differencePercent(alone)),
      .atLeast("pixels that move in half a second", 2, "%", seen: first.differencePercent(second)),
      .equal("q pressed", true, seen: quitKey),
      .equal("q leaves: exit", 0, seen: code),
      .equal("the other: exit", 0, seen: bob.exitCode(within: .seconds(10))),
    ]
  }

  /// The demonstration, without a screen and without building again.
  private func demonstration(_ workspace: Workspace) throws(BenchError) -> [Criterion] {
    progress("tools/demo")
    let top = try repository(of: programs)
    let pictures = workspace.folder("pictures")
    let demo = try Watched(
      "\(top)/tools/demo",
      ["--no-setup", "--seconds", "8", "--programs", programs.folder, "--pictures", pictures],
      name: "demo", folder: workspace.folder("demo"))
    let code = demo.exitCode(within: .seconds(120))
    let said = demo.output.map(\.text).joined(separator: "\n")
    let words = ["path", "trust", "first frame", "frame rate", "delay", "chat", "p2pcall join"]
    var criteria = [Criterion.equal("exit", 0, seen: code)]
    criteria += words.map { word in
      .equal("says \(word)", true, seen: said.lowercased().contains(word))
    }
    for name in ["ann", "bob"] {
      criteria.append(
        .equal("\(name).png is there", true, seen: access("\(pictures)/\(name).png", R_OK) == 0))
    }
    return criteria
  }
}
