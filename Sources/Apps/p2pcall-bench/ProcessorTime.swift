import Judging
import Media
import Runtime
import Units

/// B10 of the benchmarks: what a call costs beside the codecs alone.
extension Measurements {
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
    let codecs = percent(\.codecs)
    let efforts = rounds.flatMap(\.efforts)
    let speeds = efforts.map { Double($0.cpuUsed) }
    var report = Report("B10")
    report.add(
      "one endpoint, 720p30 and sound both ways, \(Self.processorRounds) calls",
      [
        .shown("endpoint", "% of a core", seen: endpoint),
        .shown("codecs alone, at the call's pace", "% of a core", seen: codecs),
        .shown("of both: cpu-used, p50", "", seen: percentile(50, of: speeds)),
        .shown("of both: cpu-used, lowest", "", seen: speeds.min()),
        .shown("of both: cpu-used, highest", "", seen: speeds.max()),
        .shown(
          "of both: video rate, p50", "kbit/s",
          seen: percentile(50, of: efforts.map(\.rate.kilobitsPerSecond))),
        .atMost("ratio", 1.5, "", seen: codecs > 0 ? endpoint / codecs : nil),
        .goal("ratio", 1.1, "", seen: codecs > 0 ? endpoint / codecs : nil),
        .atLeast("luma PSNR, least", 20, "dB", seen: rounds.compactMap(\.quality).min()),
      ])
    return report
  }

  private static let processorRounds = 3

  /// Seconds of processor time that a call took, and the codecs for as long a time.
  private struct ProcessorRound {
    var span = 0.0
    var endpoint = 0.0
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
    // Painted before the clock starts: an endpoint gets its pictures ready.
    let frames = (0..<150).map { number in
      let clock = PaintedClock(
        number: UInt32(number), at: .zero + .milliseconds(Int64(number) * 100 / 3))
      return VideoFrame(picture: book.original(clock), capturedAt: clock.instant)
    }
    let alone = CodecsAlone(
      frames: frames, framesPerSecond: book.framesPerSecond, efforts: round.efforts,
      voice: record.parties[0].voice, seconds: round.span)
    round.codecs = try alone.run()
    return round
  }
}
