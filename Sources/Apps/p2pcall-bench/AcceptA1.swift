import Judging
import Media
import Runtime
import Units

/// A1: two programs in a call over pipes, by UDP and by TCP, then three.
struct AcceptA1 {
  let programs: Programs
  let clip: String?
  private let size = PictureSize(width: 640, height: 480)
  private let keepEvery = 7

  /// `--sabotage` takes one good call and breaks one thing at a time in what was seen of it.
  func run(sabotage: Bool) throws(BenchError) -> Report {
    let book: FrameBook
    let speech: [Int16]
    if let clip {
      book = try .clip(clip, size: size)
      speech = try clipSound(clip)
    } else {
      book = .pattern(size, seconds: 10)
      speech = [Int16](repeating: 0, count: 48_000)
    }
    let workspace = try Workspace()
    let rendezvous = try Rendezvous(programs, in: workspace)
    if sabotage { return try sabotaged(book, speech, workspace, rendezvous) }
    var report = Report("accept A1")
    for transport in ["udp", "tcp"] {
      progress("two people over \(transport)")
      let record = try call(["ann", "bob"], transport, book, speech, workspace, rendezvous)
      report.add("two people over \(transport)", CallJudgement(record).report(""))
    }
    progress("three people over udp")
    let record = try call(["ann", "bob", "cat"], "udp", book, speech, workspace, rendezvous)
    report.add("three people over udp", CallJudgement(record).report(""))
    report.add("proof", ProofTrial.criteria())
    report.add(
      "server", [.equal("exit code after SIGTERM", 0, seen: rendezvous.stop())])
    return report
  }

  /// A call that is approved, then broken in one way at a time. A busy machine may spoil the call
  /// itself, so three are tried.
  private func sabotaged(
    _ book: FrameBook, _ speech: [Int16], _ workspace: Workspace, _ rendezvous: Rendezvous
  ) throws(BenchError) -> Report {
    var record = try call(["ann", "bob"], "udp", book, speech, workspace, rendezvous)
    for attempt in 2...3 where !CallJudgement(record).report("honest").isMet {
      progress("that call was not good enough to be broken; call \(attempt) of 3")
      record = try call(
        ["ann", "bob"], "udp", book, speech, workspace, rendezvous, label: "attempt\(attempt)")
    }
    var report = Sabotage.report(on: record)
    var skipped = Report("PROOF skipped")
    skipped.add("proof", ProofTrial.criteria(sabotage: true))
    report.add(
      "verdict when PROOF is not looked at",
      [.equal("PROOF skipped", "NO", seen: skipped.verdict)])
    report.add("nothing broken", CallJudgement(record).report(""))
    return report
  }

  private func call(
    _ names: [String], _ transport: String, _ book: FrameBook, _ speech: [Int16],
    _ workspace: Workspace, _ rendezvous: Rendezvous, label: String? = nil
  ) throws(BenchError) -> CallRecord {
    let parties = names.map { name in
      var party = PartyPlan(name)
      party.frames = book
      party.speech = speech
      party.keepEvery = keepEvery
      party.chat = (1...5).map { "line \($0) from \(name): \"quoted\", \\ and \u{1F600}" }
      return party
    }
    let script = CallScript(
      programs: programs, workspace: workspace, rendezvous: rendezvous,
      label: label ?? "\(transport)\(names.count)")
    let plan = CallPlan(parties: parties, size: size, transport: transport, seconds: 14)
    var record = try script.run(plan)
    progress("  comparing pictures with the encoder alone")
    try record.addLocalQuality(book, keepEvery: keepEvery)
    return record
  }
}
