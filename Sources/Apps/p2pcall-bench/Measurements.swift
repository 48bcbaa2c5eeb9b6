import AudioCodec
import CLinux
import Judging
import Media
import Runtime
import Units
import VideoCodec

/// B1, B3, B10 and B11 of the benchmarks, through real processes with encryption on.
struct Measurements {
  let programs: Programs
  let seconds: Int
  private let size = PictureSize(width: 1280, height: 720)

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

  /// B3: from the start of the second program to the first picture out of it, and out of the
  /// first.
  func firstPicture(transport: String, repeats: Int = 10) throws(BenchError) -> Report {
    let workspace = try Workspace()
    let rendezvous = try Rendezvous(programs, in: workspace)
    let book = FrameBook.pattern(size, seconds: 1)
    var joining: [Double] = []
    var waiting: [Double] = []
    for number in 0..<repeats {
      progress("join \(number + 1) of \(repeats) over \(transport)")
      var parties = ["ann", "bob"].map(PartyPlan.init)
      for index in parties.indices {
        parties[index].frames = book
        parties[index].isListening = false
      }
      let plan = CallPlan(parties: parties, size: size, transport: transport, seconds: 2)
      let script = CallScript(
        programs: programs, workspace: workspace, rendezvous: rendezvous, label: "join\(number)")
      let record = try script.run(plan)
      let begun = record.parties[1].startedAt
      let first = record.parties.map { party in
        party.views.first?.seen.first.map { ($0.at - begun).milliseconds } ?? .infinity
      }
      waiting.append(first[0])
      joining.append(first[1])
    }
    var report = Report("B3 \(transport)")
    report.add(
      "first picture after the second program's start, 0 RTT",
      [
        .atMost("who joins, p50", 500, "ms", seen: percentile(50, of: joining)),
        .atMost("who joins, p95", 500, "ms", seen: percentile(95, of: joining)),
        .atMost("who waited, p95", 500, "ms", seen: percentile(95, of: waiting)),
        .goal("who joins, p50", 60, "ms", seen: percentile(50, of: joining)),
        .goal("who waited, p50", 60, "ms", seen: percentile(50, of: waiting)),
      ])
    return report
  }

  /// B10: processor time of one endpoint with all its processes, beside the codecs alone on the
  /// same pictures, second by second at the rate and the encoder's speed that the call used.
  ///
  /// Calls and codecs take turns, since a shared machine's own speed changes within a minute.
  func processorTime() throws(BenchError) -> Report {
    progress("drawing pictures")
    let book = FrameBook.pattern(size, seconds: 5)
    var rounds: [ProcessorRound] = []
    for number in 1...Self.processorRounds {
      progress("a call of \(seconds) s, \(number) of \(Self.processorRounds)")
      rounds.append(try processorRound(book))
    }
    func percent(_ used: KeyPath<ProcessorRound, Double>) -> Double {
      100 * rounds.reduce(0) { $0 + $1[keyPath: used] } / rounds.reduce(0) { $0 + $1.span }
    }
    let endpoint = percent(\.endpoint)
    let paced = percent(\.paced)
    let codecs = percent(\.codecs)
    let efforts = rounds.flatMap(\.efforts)
    let speeds = efforts.map { Double($0.cpuUsed) }
    var report = Report("B10")
    report.add(
      "one endpoint, 720p30 and sound both ways, \(Self.processorRounds) calls",
      [
        .shown("endpoint", "% of a core", seen: endpoint),
        .shown("codecs alone, at the call's pace", "% of a core", seen: paced),
        .shown("codecs alone, without a pause", "% of a core", seen: codecs),
        .shown("of both: cpu-used, p50", "", seen: percentile(50, of: speeds)),
        .shown("of both: cpu-used, lowest", "", seen: speeds.min()),
        .shown("of both: cpu-used, highest", "", seen: speeds.max()),
        .shown(
          "of both: video rate, p50", "kbit/s",
          seen: percentile(50, of: efforts.map(\.rate.kilobitsPerSecond))),
        .atMost("ratio", 1.5, "", seen: paced > 0 ? endpoint / paced : nil),
        .goal("ratio", 1.1, "", seen: paced > 0 ? endpoint / paced : nil),
        .shown("ratio, without a pause", "", seen: codecs > 0 ? endpoint / codecs : nil),
        .atLeast("luma PSNR, least", 20, "dB", seen: rounds.compactMap(\.quality).min()),
      ])
    return report
  }

  private static let processorRounds = 3

  /// Seconds of processor time that a call took, and the codecs for as long a time.
  private struct ProcessorRound {
    var span = 0.0
    var endpoint = 0.0
    var paced = 0.0
    var codecs = 0.0
    var efforts: [EncodingEffort] = []
    var quality: Double?
  }

  private func processorRound(_ book: FrameBook) throws(BenchError) -> ProcessorRound {
    let workspace = try Workspace()
    let rendezvous = try Rendezvous(programs, in: workspace)
    var round = ProcessorRound()
    var from = Instant.zero
    let record = try call(book, "udp", workspace, rendezvous) { watched, _ in
      sleep(.seconds(2))
      let begun = (ProcessUsage.tree(from: watched[0].identifier).processorTime, Clock.now)
      sleep(.seconds(Double(seconds) - 6))
      let ended = (ProcessUsage.tree(from: watched[0].identifier).processorTime, Clock.now)
      round.endpoint = (ended.0 - begun.0).seconds
      round.span = (ended.1 - begun.1).seconds
      from = begun.1
    }
    guard round.span > 0 else { throw BenchError("the call was too short to measure") }
    round.quality = record.parties[1].views.first?.quality
    round.efforts = EncodingEffort.perSecond(
      of: record.parties[0].events, from: from, to: from + .seconds(round.span))
    guard !round.efforts.isEmpty else {
      throw BenchError("the call told no encoder's speed or rate")
    }
    progress("the codecs alone")
    round.paced = try codecsAlone(book, round.efforts, seconds: round.span, isPaced: true)
    round.codecs = try codecsAlone(book, round.efforts, seconds: round.span)
    return round
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

  private func call(
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

  /// Seconds of processor time that encoding and decoding of picture and sound take by themselves,
  /// for `seconds` of a call. `isPaced`: one picture and its sound a frame's time, as in a call, which
  /// is what an endpoint's own share is counted from; else without a pause, which takes a tenth less.
  private func codecsAlone(
    _ book: FrameBook, _ efforts: [EncodingEffort], seconds: Double, isPaced: Bool = false
  ) throws(BenchError) -> Double {
    let count = Int(seconds * Double(book.framesPerSecond))
    // Painted before the clock starts: an endpoint gets its pictures ready.
    let frames = (0..<min(count, 150)).map { number in
      let clock = PaintedClock(
        number: UInt32(number), at: .zero + .milliseconds(Int64(number) * 100 / 3))
      return VideoFrame(picture: book.original(clock), capturedAt: clock.instant)
    }
    do {
      let encoder = VP8Encoder(processors: 2)
      let decoder = try VP8Decoder()
      let sound = try SoundAlone()
      let begun = (processorSeconds(), Clock.now)
      for number in 0..<count {
        let effort = efforts[min(number / book.framesPerSecond, efforts.count - 1)]
        if number % book.framesPerSecond == 0 { try encoder.hold(cpuUsed: effort.cpuUsed) }
        let settings = VideoEncoderSettings(
          size: book.size, framesPerSecond: Double(book.framesPerSecond), bitrate: effort.rate)
        var frame = frames[number % frames.count]
        let elapsed = Interval.seconds(Double(number) / Double(book.framesPerSecond))
        frame.capturedAt = .zero + elapsed
        if isPaced { sleep(until: begun.1 + elapsed) }
        if let encoded = try encoder.encode(frame, settings: settings, forceKeyFrame: number == 0) {
          _ = try decoder.decode(encoded.bytes)
        }
        try sound.run(until: elapsed)
      }
      return processorSeconds() - begun.0
    } catch { throw BenchError("the codecs alone failed: \(error)") }
  }
}

/// Opus alone over a tone, one packet of 10 ms after the other.
private final class SoundAlone {
  private let encoder: OpusSpeechEncoder
  private let decoder: OpusSpeechDecoder
  /// One second, again and again: drawing the tone is not the codec's work.
  private let packets: [[Int16]]
  private var done = 0

  init() throws(MediaError) {
    encoder = try OpusSpeechEncoder()
    decoder = try OpusSpeechDecoder()
    let tone = ToneSignal()
    packets = (0..<100).map { tone.samples(from: .zero + .milliseconds($0 * 10), count: 480) }
  }

  func run(until elapsed: Interval) throws(MediaError) {
    while Double(done) * 0.01 <= elapsed.seconds {
      _ = try decoder.decode(try encoder.encode(packets[done % packets.count]))
      done += 1
    }
  }
}

/// User and system time of this process so far.
private func processorSeconds() -> Double {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  let times = [usage.ru_utime, usage.ru_stime]
  return times.reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
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
