import Media
import Simulation
import Testing
import Units

/// One direction of media over each kind of line, with every checker watching.
@Suite struct MediaPairTests {
  private struct Run {
    let world: World
    let findings: Findings
    let pair: MediaPair
    var figures: ViewingFigures { pair.viewer.figures }
  }

  private func run(
    _ line: AccessLine, to: AccessLine = .cable, seed: UInt64 = 1,
    for duration: Interval = .seconds(30), skewLimit: Interval = .milliseconds(40),
    oldest: Interval = .seconds(3), limit: Bitrate = .kilobits(2_500), sabotage: Sabotage? = nil,
    during: (World, MediaPair) -> Void = { _, _ in }
  ) -> Run {
    let world = World(seed: seed)
    let findings = Findings(world)
    let pair = MediaPair(
      world, network: SimulatedNetwork(world), from: line, to: to, limit: limit,
      skewLimit: skewLimit,
      oldest: oldest,
      sabotage: sabotage, findings: findings)
    during(world, pair)
    world.schedule(after: .seconds(10)) { pair.source.beginMeasurement() }
    world.run(for: duration)
    pair.viewer.finish()
    return Run(world: world, findings: findings, pair: pair)
  }

  @Test(arguments: [AccessLine.local, .cable, .wifi, .mobile])
  func `picture and sound arrive in time over each preset`(line: AccessLine) {
    let run = run(line)
    #expect(run.figures.shown > 880)
    #expect(run.figures.frozen < .seconds(1))
    #expect(run.figures.playedPackets > 1_450)
    #expect(run.figures.delays.percentile(0.95) < .milliseconds(200))
    #expect(run.findings.isEmpty, "\(run.findings.summary)")
  }

  @Test func `a satellite's round trip costs freezes but never the call`() {
    // A lost picture waits for its repair, two thirds of a second, and the sound does not.
    let run = run(.satellite, skewLimit: .milliseconds(700))
    #expect(run.figures.shown > 800)
    #expect(run.figures.playedPackets > 1_400)
    #expect(run.findings.isEmpty, "\(run.findings.summary)")
  }

  private static let narrow = AccessLine(
    name: "1 Mbit/s with 300 ms of queue",
    up: LinkConditions(
      rate: .kilobits(1_000), queue: .milliseconds(300), delay: .milliseconds(20)),
    down: LinkConditions(delay: .milliseconds(20)))

  @Test(arguments: [UInt64(1), 2])
  func `a narrow line is filled and its queue is not`(seed: UInt64) {
    let run = run(Self.narrow, seed: seed, for: .seconds(40))
    let counters = run.pair.source.upCounters
    #expect(counters.utilisation(at: run.world.now) >= 0.70)
    #expect(counters.waits.percentile(0.95) <= .milliseconds(150))
    #expect(run.figures.shown > 1_133)
    #expect(run.findings.isEmpty, "\(run.findings.summary)")
  }

  @Test func `the rate follows a line that narrows and widens again`() {
    var wide = Self.narrow
    wide.up.rate = .kilobits(3_000)
    var narrowTarget = Bitrate.zero
    let run = run(wide, for: .seconds(70)) { world, pair in
      world.schedule(after: .seconds(20)) { pair.source.change { $0.rate = .kilobits(500) } }
      world.schedule(after: .seconds(40)) { narrowTarget = pair.target }
      world.schedule(after: .seconds(40)) { pair.source.change { $0.rate = .kilobits(3_000) } }
    }
    #expect(narrowTarget < .kilobits(550))
    #expect(run.pair.target > .kilobits(1_200))
    #expect(run.findings.isEmpty, "\(run.findings.summary)")
  }

  @Test func `a limit below the start rate holds before anything was measured`() {
    let run = run(.satellite, for: .seconds(3), skewLimit: .seconds(1), limit: .kilobits(200))
    let sent = Bitrate(of: run.pair.source.upCounters.sentBytes, in: .seconds(3))
    #expect(run.pair.target <= .kilobits(200))
    #expect(sent < .kilobits(260))
  }

  @Test func `random loss of a tenth does not make the rate collapse`() {
    var lossy = AccessLine.cable
    lossy.up.loss = 0.1
    let run = run(lossy)
    #expect(run.pair.target > .kilobits(1_000))
    #expect(run.figures.shown > 750)
    #expect(run.findings.isEmpty, "\(run.findings.summary)")
  }

  @Test(arguments: [UInt64(1), 2])
  func `the worst line breaks nothing that is shown or heard`(seed: UInt64) {
    let run = run(.worst, seed: seed, skewLimit: .milliseconds(300), oldest: .milliseconds(600))
    #expect(run.figures.shown > 150)
    // As much as 1300 packets of 20 ms; where the rate falls they are longer.
    #expect(run.figures.heardSamples > 1_300 * 960, "\(run.figures.heardSamples)")
    #expect(run.findings.isEmpty, "\(run.findings.summary)")
  }

  @Test(arguments: [1.0, 5, 25])
  func `after an outage the picture is back within two seconds`(seconds: Double) throws {
    let run = run(.cable, for: .seconds(20 + seconds)) { world, pair in
      world.schedule(after: .seconds(10)) { pair.source.change { $0.isDown = true } }
      world.schedule(after: .seconds(10 + seconds)) {
        pair.source.change { $0.isDown = false }
      }
    }
    #expect(run.figures.longestGap > .seconds(seconds))
    #expect(run.figures.longestGap < .seconds(seconds + 2))
    #expect(run.findings.isEmpty, "\(run.findings.summary)")
  }

  @Test func `the same seed gives the same trace`() {
    let first = run(.wifi, for: .seconds(5))
    let second = run(.wifi, for: .seconds(5))
    #expect(first.world.trace.value == second.world.trace.value)
    #expect(first.world.trace.count > 1_000)
    #expect(run(.wifi, seed: 2, for: .seconds(5)).world.trace.value != first.world.trace.value)
  }

  @Test(arguments: [
    (Sabotage.frameDropped, "picture"), (.frameDoubled, "picture"), (.framesSwapped, "picture"),
    (.soundLate, "skew"), (.soundStale, "sound"), (.burst, "pace"), (.deadlineInThePast, "turn"),
  ])
  func `a planted bug is found`(bug: Sabotage, checker: String) {
    let run = run(.cable, for: .seconds(12), sabotage: bug)
    #expect(run.findings.list.contains { $0.checker == checker }, "\(run.findings.summary)")
  }
}
