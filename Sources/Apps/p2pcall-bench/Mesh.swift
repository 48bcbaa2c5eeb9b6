import Judging
import Media
import Runtime
import Units

/// B2 and B14 of the benchmarks.
extension Measurements {
  /// B2: sound from mouth to ear without devices, and what it differs from the picture: a clean path,
  /// pictures and sound both ways.
  func sound(transport: String) throws(BenchError) -> Report {
    let workspace = try Workspace()
    let rendezvous = try Rendezvous(programs, in: workspace)
    progress("a call of \(seconds) s over \(transport), with sound")
    var record = try call(FrameBook.pattern(size, seconds: 5), transport, workspace, rendezvous)
    record.findChirps()
    var report = Report("B2 \(transport)")
    for receiver in record.parties {
      guard let sender = record.parties.first(where: { $0.name != receiver.name }),
        let log = receiver.sound, let marks = receiver.marks, let view = receiver.views.first,
        let from = sender.soundFrom, let to = sender.soundTo
      else { continue }
      let chirps = ChirpFindings(
        marks: marks, log: log, voice: sender.voice, from: from + .seconds(2),
        to: to - .seconds(1))
      let late = chirps.latencies.map(\.milliseconds)
      let skews = chirps.skews(against: view.seen).map { $0.milliseconds.magnitude }
      report.add(
        "\(sender.name) → \(receiver.name)",
        [
          .goal("mouth to ear p50", 20, "ms", seen: percentile(50, of: late)),
          .goal("mouth to ear p99", 25, "ms", seen: percentile(99, of: late)),
          .goal("sound against picture p95", 15, "ms", seen: percentile(95, of: skews)),
          .shown("chirps heard", "%", seen: chirps.heardPercent),
        ])
    }
    return report
  }

  /// B14: processor time of one endpoint among N at 360p30, who sends the judge's pictures and hands
  /// out everybody's. The others send the test pattern and a tone, and show nothing, so that eight
  /// endpoints fit in a small machine.
  func mesh() throws(BenchError) -> Report {
    let small = PictureSize(width: 640, height: 360)
    let book = FrameBook.pattern(small, seconds: 5)
    var report = Report("B14")
    for count in [2, 4, 8] {
      progress("a mesh of \(count) for \(seconds) s")
      let workspace = try Workspace()
      let rendezvous = try Rendezvous(programs, in: workspace)
      var parties = (0..<count).map { PartyPlan("person\($0)") }
      parties[0].frames = book
      parties[0].speech = [Int16](repeating: 0, count: 48_000)
      for index in 1..<count {
        parties[index].videoOption = "pattern"
        parties[index].audioOption = "tone"
        parties[index].isWatching = false
        parties[index].isListening = false
        parties[index].extra = ["--size", "\(small)", "--fps", "30"]
      }
      let plan = CallPlan(parties: parties, size: small, seconds: seconds + count)
      let script = CallScript(
        programs: programs, workspace: workspace, rendezvous: rendezvous, label: "mesh\(count)")
      var share: Double?
      let record = try script.run(plan) { watched, _ in
        sleep(.seconds(3))
        let begun = (ProcessUsage.tree(from: watched[0].identifier).processorTime, Clock.now)
        sleep(.seconds(Double(max(3, seconds - 8))))
        let ended = (ProcessUsage.tree(from: watched[0].identifier).processorTime, Clock.now)
        share = 100 * (ended.0 - begun.0).seconds / (ended.1 - begun.1).seconds
      }
      let received = record.parties[0].events.all("stats").compactMap { $0.number("recv.fps") }
      report.add(
        "one endpoint of \(count)",
        [
          count == 8
            ? .goal("processor", 18, "% of a core", seen: share)
            : .shown("processor", "% of a core", seen: share),
          .shown("pictures a second from each, p50", "", seen: percentile(50, of: received)),
        ])
    }
    return report
  }
}
