import Judging
import Media
import Runtime
import Units

/// B1 and B11 of the benchmarks, through real processes with encryption on; B3 and B10 have files of their own.
struct Measurements {
  let programs: Programs
  let seconds: Int
  let size = PictureSize(width: 1280, height: 720)

  /// B1: from just before a picture is handed to one program until the other has handed it out,
  /// 720p30 both ways, in a call without sound: with it pictures that are ahead of their sound wait
  /// for it, and the figure is one before playout. What they wait is shown beside it, from a second
  /// call. An undelivered picture counts as infinitely late.
  func delay(transport: String) throws(BenchError) -> Report {
    let workspace = try Workspace()
    let rendezvous = try Rendezvous(programs, in: workspace)
    progress("drawing pictures")
    let book = FrameBook.pattern(size, seconds: 5)
    var report = Report("B1 \(transport)")
    progress("a call of \(seconds) s over \(transport), pictures only")
    let record = try call(book, transport, workspace, rendezvous, isSilent: true)
    for (sender, receiver, view) in directions(of: record) {
      let findings = findings(sender, receiver, view)
      let all = delays(findings)
      let rate = sender.events.all("stats").compactMap { $0.number("send.video_kbps") }
      report.add(
        "\(sender.name) → \(receiver.name)",
        [
          .atMost("delay p50", 15, "ms", seen: percentile(50, of: all)),
          .goal("delay p50", 7, "ms", seen: percentile(50, of: all)),
          .goal("delay p95", 14, "ms", seen: percentile(95, of: all)),
          .goal("delay p99", 14, "ms", seen: percentile(99, of: all)),
          .atLeast("pictures delivered", 98, "%", seen: findings.deliveredPercent),
          .goal("freezes over 150 ms", 0, "", seen: Double(findings.freezes)),
          .atLeast("luma PSNR", 20, "dB", seen: view.quality),
          .atMost(
            "below the encoder alone", 0.5, "dB",
            seen: view.localQuality.flatMap { local in view.quality.map { local - $0 } }),
          .shown("video rate", "kbit/s", seen: percentile(50, of: rate)),
        ])
    }
    progress("a call of \(seconds) s over \(transport), with sound")
    let sounding = try call(book, transport, workspace, rendezvous)
    for (sender, receiver, view) in directions(of: sounding) {
      let all = delays(findings(sender, receiver, view))
      report.add(
        "\(sender.name) → \(receiver.name), with sound",
        [
          .shown("delay p50, until shown with its sound", "ms", seen: percentile(50, of: all)),
          .shown("delay p99, until shown with its sound", "ms", seen: percentile(99, of: all)),
          .shown("sound p50, mouth to ear", "ms", seen: soundDelay(sender, receiver)),
        ])
    }
    return report
  }

  private func directions(
    of record: CallRecord
  ) -> [(PartyRecord, PartyRecord, PartyRecord.View)] {
    record.parties.compactMap { receiver in
      let sender = record.parties.first { $0.name != receiver.name }
      guard let sender, let view = receiver.views.first else { return nil }
      return (sender, receiver, view)
    }
  }

  private func findings(
    _ sender: PartyRecord, _ receiver: PartyRecord, _ view: PartyRecord.View
  ) -> FrameFindings {
    FrameFindings(
      sent: sender.sent, seen: view.seen, size: size,
      end: min(receiver.endedAt, sender.endedAt) - .seconds(1))
  }

  private func delays(_ findings: FrameFindings) -> [Double] {
    findings.latencies.map(\.milliseconds)
      + [Double](repeating: .infinity, count: max(0, findings.sent - findings.delivered))
  }

  private func soundDelay(_ sender: PartyRecord, _ receiver: PartyRecord) -> Double? {
    guard let log = receiver.sound, let from = sender.soundFrom, let to = sender.soundTo else {
      return nil
    }
    let chirps = ChirpFindings(
      marks: ChirpDetector().marks(in: log.samples), log: log, voice: sender.voice,
      from: from + .seconds(2), to: to - .seconds(1))
    return percentile(50, of: chirps.latencies.map(\.milliseconds))
  }

  /// B11: proportional set size of one endpoint's process tree, at 720p and at 360p.
  func memory() throws(BenchError) -> Report {
    var report = Report("B11")
    let cases = [(size, 60.0), (PictureSize(width: 640, height: 360), 30.0)]
    for (size, limit) in cases {
      let workspace = try Workspace()
      let rendezvous = try Rendezvous(programs, in: workspace)
      let book = FrameBook.pattern(size, seconds: 2)
      progress("a call of \(seconds) s at \(size)")
      var samples: [Double] = []
      _ = try call(book, "udp", workspace, rendezvous) { watched, _ in
        for _ in 0..<max(2, seconds - 6) {
          sleep(.seconds(1))
          if let size = proportionalMegabytes(of: watched[0].identifier) { samples.append(size) }
        }
      }
      let growth = samples.last.flatMap { last in samples.first.map { last - $0 } }
      report.add(
        "\(size)",
        [
          .atLeast("samples", 2, "", seen: Double(samples.count)),
          .shown("PSS, highest", "MB", seen: samples.max()),
          .goal("PSS, highest", limit, "MB", seen: samples.max()),
          .atMost("growth over the call", 10, "MB", seen: growth),
        ])
    }
    return report
  }

  func call(
    _ book: FrameBook, _ transport: String, _ workspace: Workspace, _ rendezvous: Rendezvous,
    isSilent: Bool = false, during: ([Watched], String) -> Void = { _, _ in }
  ) throws(BenchError) -> CallRecord {
    let keepEvery = 29
    var parties = ["ann", "bob"].map(PartyPlan.init)
    for index in parties.indices {
      parties[index].frames = book
      parties[index].speech = isSilent ? nil : [Int16](repeating: 0, count: 48_000)
      parties[index].isListening = !isSilent
      parties[index].keepEvery = keepEvery
    }
    let plan = CallPlan(parties: parties, size: book.size, transport: transport, seconds: seconds)
    let script = CallScript(
      programs: programs, workspace: workspace, rendezvous: rendezvous,
      label: "\(transport)-\(book.size)\(isSilent ? "-silent" : "")")
    var record = try script.run(plan, during: during)
    try record.addLocalQuality(book, keepEvery: keepEvery)
    return record
  }
}

/// PSS of a process and its descendants; `nil` where the kernel does not tell (root may ask).
private func proportionalMegabytes(of process: Int32) -> Double? {
  var total = 0.0
  var waiting = [process]
  while let next = waiting.popLast() {
    let rollup = fileText("/proc/\(next)/smaps_rollup")
    let line = rollup.split(separator: "\n").first { $0.hasPrefix("Pss:") }
    let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap { Double($0) }
    if next == process, kilobytes == nil { return nil }
    total += (kilobytes ?? 0) / 1024
    waiting += fileText("/proc/\(next)/task/\(next)/children").split(separator: " ")
      .compactMap { Int32($0) }
  }
  return total
}
