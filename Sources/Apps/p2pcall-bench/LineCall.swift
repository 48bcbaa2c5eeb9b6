import CLinux
import Judging
import Media
import Runtime
import Simulating
import Simulation
import Units

/// A scenario between the real programs: each media flow is a call of two, one of whom sends pictures
/// and sound while the other sends nothing, as in the simulation.
struct LineCall {
  let programs: Programs
  let scenario: Scenario
  /// Where the scenario was read from.
  let path: String
  let book: FrameBook
  var transport = "udp"
  /// Whether the sound is played and judged. Pictures then wait for it, so their delay is one until
  /// they are shown; without it they are handed out when they are decoded.
  var isListening = false

  struct Result {
    var run: RealRun
    var lateMilliseconds: Double?
    /// Luma PSNR of sampled pictures, the worst flow's, and of the encoder alone at the same bytes.
    var quality: Double?
    var localQuality: Double?
    /// Chirps heard of those sent, the worst flow's.
    var heardPercent: Double?
  }

  private static let keepEvery = 29
  /// Beyond the flow's own time: entering the room, and what is on its way at the end.
  private static let margin = 4.0
  /// Longer runs change their rate, so that no single rate of the encoder alone compares.
  private static let longestCompared = Interval.seconds(60)

  func run() throws(BenchError) -> Result {
    for flow in scenario.flows where !flow.isMedia || !flow.pauses.isEmpty {
      throw BenchError("\(flow.name) is TCP or pauses, which only p2pcall-simulate can")
    }
    let workspace = try Workspace()
    let link = try EmulatedLink(programs, scenario: path, in: workspace, label: "link")
    let rendezvous = try Rendezvous(
      programs, in: workspace, listen: "\(link.hub.address):7443", network: link.hub.network)
    var calls: [(script: CallScript, plan: CallPlan, actors: [CallScript.Actor])] = []
    let inOrder = scenario.flows.indices.sorted {
      scenario.flows[$0].start < scenario.flows[$1].start
    }
    for index in inOrder {
      let flow = scenario.flows[index]
      if !calls.isEmpty { sleep(until: link.startedAt + (flow.start - .zero)) }
      let script = CallScript(
        programs: programs, workspace: workspace, rendezvous: rendezvous, label: "flow\(index)")
      let plan = plan(flow, link.flows[index])
      let (actors, _) = try script.begin(plan)
      guard actors[1].watched.event("link", within: .seconds(20)) != nil else {
        throw BenchError("\(flow.name): nobody was reached: \(actors[1].watched.errors)")
      }
      if calls.isEmpty { try link.start() }
      calls.append((script, plan, actors))
    }
    var records: [(index: Int, record: CallRecord)] = []
    for (index, call) in zip(inOrder, calls) {
      records.append((index, call.script.collect(call.actors, call.plan)))
    }
    return try result(records.sorted { $0.index < $1.index }.map(\.record), link)
  }

  private func plan(
    _ flow: ScenarioFlow, _ places: (source: EmulatedLink.Place, sink: EmulatedLink.Place)
  ) -> CallPlan {
    var sink = PartyPlan("bob")
    sink.network = places.sink.network
    sink.isListening = isListening
    sink.keepEvery = Self.keepEvery
    var source = PartyPlan("ann")
    source.network = places.source.network
    source.frames = book
    source.speech = [Int16](repeating: 0, count: 48_000)
    source.isWatching = false
    source.isListening = false
    if case .media(let limit) = flow.kind {
      source.extra = ["--max-bitrate", "\(limit.bitsPerSecond)"]
    }
    let seconds = (flow.end - flow.start).seconds + Self.margin
    return CallPlan(
      parties: [sink, source], size: book.size, transport: transport,
      seconds: Int(seconds.rounded(.up)))
  }

  private func result(_ calls: [CallRecord], _ link: EmulatedLink) throws(BenchError) -> Result {
    let seen = try link.stop()
    var calls = calls
    var flows: [RealFlow] = []
    var heard: [Double] = []
    for index in calls.indices {
      if scenario.duration <= Self.longestCompared {
        try calls[index].addLocalQuality(book, keepEvery: Self.keepEvery)
      }
      let (sink, source) = (calls[index].parties[0], calls[index].parties[1])
      let begin = link.startedAt + (scenario.flows[index].start - .zero)
      let end = link.startedAt + (scenario.flows[index].end - .zero)
      func seconds(_ party: PartyRecord, _ path: String) -> [Double] {
        party.events.all("stats").filter { $0.at > begin && $0.at <= end }
          .compactMap { $0.number(path) }
      }
      var flow = RealFlow(sent: source.sent, seen: sink.views.first?.seen ?? [], size: book.size)
      flow.pictureRates = seconds(source, "send.video_kbps")
      if let log = sink.sound {
        flow.concealed = seconds(sink, "recv.concealed_percent")
        let chirps = ChirpFindings(
          marks: ChirpDetector().marks(in: log.samples), log: log, voice: source.voice,
          from: max(begin, source.soundFrom ?? begin), to: min(end, source.soundTo ?? end))
        heard.append(chirps.heardPercent)
      }
      flows.append(flow)
    }
    let views = calls.compactMap { $0.parties[0].views.first }
    return Result(
      run: RealRun(
        scenario: scenario, start: link.startedAt, samples: seen.samples, flows: flows,
        queues: seen.queues),
      lateMilliseconds: seen.lateMilliseconds, quality: views.compactMap(\.quality).min(),
      localQuality: views.compactMap(\.localQuality).min(), heardPercent: heard.min())
  }
}
