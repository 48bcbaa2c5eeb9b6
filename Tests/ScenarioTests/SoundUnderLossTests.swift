import Media
import Sending
import Simulation
import Testing
import Units

/// Whole directions of media over lines that lose packets: what is heard (BENCHMARKS B2, B9).
@Suite struct SoundUnderLossTests {
  private func heard(
    _ conditions: LinkConditions, seed: UInt64, for duration: Interval = .seconds(60),
    limit: Bitrate = .kilobits(2_500)
  ) -> (figures: ViewingFigures, sound: Bitrate) {
    let world = World(seed: seed)
    let findings = Findings(world)
    let line = AccessLine(
      name: "lossy", up: conditions, down: LinkConditions(delay: conditions.delay))
    let pair = MediaPair(
      world, network: SimulatedNetwork(world), from: line, to: .local, limit: limit,
      skewLimit: .milliseconds(200), findings: findings)
    var sound = Bitrate.zero
    // After the first seconds, in which copies go along for all that might come.
    world.schedule(after: .seconds(10)) { _ = pair.statistics() }
    world.schedule(after: duration - .milliseconds(1)) { sound = pair.statistics().audio }
    world.run(for: duration)
    return (pair.viewer.figures, sound)
  }

  private func concealed(_ figures: ViewingFigures) -> Double {
    let missing = figures.concealedSamples + figures.silentSamples
    return Double(missing) / Double(missing + figures.heardSamples)
  }

  private static func lossy(_ loss: Double) -> LinkConditions {
    var conditions = LinkConditions(delay: .milliseconds(25))
    conditions.loss = loss
    return conditions
  }

  @Test(arguments: [(0.05, 0.002), (0.1, 0.003), (0.2, 0.02)], [1, 2, 3] as [UInt64])
  func `losses are hardly heard, for less than 96 kbit/s on the wire`(
    loss: (share: Double, concealed: Double), seed: UInt64
  ) {
    let (figures, sound) = heard(Self.lossy(loss.share), seed: seed)
    #expect(concealed(figures) <= loss.concealed, "\(concealed(figures))")
    #expect(figures.longestSoundGap <= .milliseconds(40))
    #expect(sound <= .kilobits(96), "\(sound.kilobitsPerSecond)")
    #expect(figures.heardSamples > 48_000 * 58)
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `short bursts are bridged by copies that lie apart`(seed: UInt64) {
    var conditions = LinkConditions(delay: .milliseconds(25))
    // 2 % in bursts of 5 packets on average.
    conditions.burst = BurstLoss(toBad: 0.004, toGood: 0.2)
    let (figures, _) = heard(conditions, seed: seed)
    #expect(concealed(figures) <= 0.004, "\(concealed(figures))")
  }

  @Test func `a clean line costs no copies and no delay`() {
    let (figures, sound) = heard(LinkConditions(delay: .milliseconds(25)), seed: 1)
    #expect(concealed(figures) < 0.0005)
    // 32 kbit/s of Opus in packets of 10 ms, and their headers.
    #expect(sound <= .kilobits(103), "\(sound.kilobitsPerSecond)")
    // One packet, the path, the device; and no more than one period of it, the least step of lateness
    // that is told apart, and the tolerance.
    let median = figures.soundDelays.percentile(0.5)
    #expect(median <= .milliseconds(10 + 25 + 20 + 10 + 4 + 2), "\(median)")
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `30 ms of jitter are hardly heard`(seed: UInt64) {
    var conditions = LinkConditions(delay: .milliseconds(25))
    conditions.jitter = .milliseconds(30)
    let (figures, _) = heard(conditions, seed: seed)
    #expect(concealed(figures) < 0.003, "\(concealed(figures))")
    #expect(figures.longestSoundGap <= .milliseconds(40))
  }

  @Test(arguments: [80, 150] as [Int64])
  func `on a narrow path sound leaves more than half to the picture`(kilobits: Int64) {
    let (figures, sound) = heard(
      LinkConditions(delay: .milliseconds(25)), seed: 1, limit: .kilobits(kilobits))
    #expect(sound <= .kilobits(kilobits / 2), "\(sound.kilobitsPerSecond)")
    #expect(concealed(figures) < 0.01)
  }

  @Test func `after an outage sound is back at once`() {
    let world = World(seed: 1)
    let findings = Findings(world)
    let line = AccessLine(
      name: "line", up: LinkConditions(delay: .milliseconds(25)),
      down: LinkConditions(delay: .milliseconds(25)))
    let pair = MediaPair(
      world, network: SimulatedNetwork(world), from: line, to: .local,
      skewLimit: .milliseconds(200), findings: findings)
    world.schedule(after: .seconds(10)) { pair.source.change { $0.isDown = true } }
    world.schedule(after: .seconds(15)) { pair.source.change { $0.isDown = false } }
    var heardAt: Interval?
    for step in 0..<50 {
      world.schedule(after: .seconds(15) + .milliseconds(Int64(step) * 10)) {
        if heardAt == nil, let last = pair.viewer.figures.lastHeardAt,
          last > .zero + .seconds(15)
        {
          heardAt = last - .zero - .seconds(15)
        }
      }
    }
    world.run(for: .seconds(17))
    // A packet of 20 ms, the path, one period and the device.
    let limit = Interval.milliseconds(20 + 25 + 20 + 20 + 10)
    #expect(heardAt.map { $0 <= limit } == true, "\(heardAt as Any)")
  }
}
