import Judging
import Media
import Simulating
import Simulation
import Testing
import Units

@Suite struct RealRunTests {
  private let size = PictureSize(width: 1280, height: 720)
  /// The scenario's clock began at 100 s of the real one.
  private let start = Instant.zero + .seconds(100)

  private func scenario(seconds: Double, shocks: [Shock] = []) -> Scenario {
    Scenario(
      name: "real", duration: .seconds(seconds),
      forward: ScenarioLine(LinkConditions(rate: .kilobits(1_000))),
      flows: [
        ScenarioFlow(
          name: "media", kind: .media(limit: .kilobits(2_500)), delay: .milliseconds(25),
          end: .zero + .seconds(seconds - 1))
      ], shocks: shocks)
  }

  /// 25 pictures a second from a second before the scenario on; `delay` tells what becomes of each.
  private func flow(
    seconds: Int, delay: (Int) -> Interval?
  ) -> RealFlow {
    var sent: [SentFrame] = []
    var seen: [SeenFrame] = []
    for number in 0..<(seconds + 1) * 25 {
      let at = start - .seconds(1) + .milliseconds(40) * Double(number)
      let clock = PaintedClock(number: UInt32(number), at: at)
      sent.append(SentFrame(number: UInt32(number), at: clock.instant))
      if let delay = delay(number) {
        seen.append(SeenFrame(clock: clock, at: clock.instant + delay, size: size))
      }
    }
    return RealFlow(sent: sent, seen: seen, size: size)
  }

  private func samples(_ count: Int) -> [ScenarioSample] {
    (1...count).map { number in
      let line = ScenarioSample.OfLine(capacity: 1_000, used: number % 2 == 0 ? 1_000 : 800)
      return ScenarioSample(
        time: Double(number) / 10, flows: [.init(sent: 900, received: 880)], forward: line,
        backward: .init(capacity: nil, used: 20))
    }
  }

  @Test func `figures are of what was captured while the flow lasted`() throws {
    // Late before the scenario began and after the flow ended; 10 s of it are 250 pictures. Five
    // in a row are lost, and one is slow.
    var flow = flow(seconds: 11) { number in
      switch number {
      case ..<25, 276...: .seconds(1)
      case 100..<105: nil
      case 200: .milliseconds(70)
      default: .milliseconds(30)
      }
    }
    flow.pictureRates = [500, 700]
    flow.concealed = [0, 0, 3]
    let run = RealRun(
      scenario: scenario(seconds: 11), start: start, samples: samples(130), flows: [flow],
      queues: [.forward: (3, 12), .backward: (80, 90)])
    let figures = run.figures
    #expect(figures[.frameP50] == 30)
    #expect(figures[.frameMax] == 70)
    let delivered = try #require(figures[.delivered])
    #expect((delivered - 246.0 / 251).magnitude < 0.000_1)
    #expect(figures[.freezes] == 1)
    #expect(figures[.longestFreeze] == 240)
    // Five of 251 never came.
    #expect(run.strictPercentile(99, of: 0) == .infinity)
    #expect(run.strictPercentile(98, of: 0) == 70)
    #expect(run.strictPercentile(97, of: 0) == 30)
    #expect(figures[.utilisation] == 0.9)
    #expect(figures[.queueP95] == 12)
    #expect(figures[.concealed] == 0.01)
    let media = try #require(figures[.media])
    #expect((media - 600 * delivered).magnitude < 0.000_1)
    #expect(figures[.overhead] == 0.5)
    #expect(run.wireRate(of: 0) == 880)
    #expect(run.samples.count == 110)
  }

  @Test func `the newest picture's age is held against an omniscient sender's`() throws {
    // 4 s in which a picture comes every 40 ms with a delay of 30, but for half a second.
    let flow = flow(seconds: 5) { (50..<62).contains($0) ? nil : .milliseconds(30) }
    var scenario = scenario(seconds: 5)
    // One opportunity every 20 ms, but for 300 in each second.
    let instants: [Int32] = Array(stride(from: 20, through: 700, by: 20)) + [1_000]
    scenario.forward.first.trace = try DeliveryTrace(instants: instants)
    let figures = RealRun(
      scenario: scenario, start: start, samples: samples(50), flows: [flow]
    ).figures
    // Of 4 s, 0.52 are spent between two pictures: 95 % of the time the age is below 30 + 520 − 200.
    let age = try #require(figures[.ageP95])
    #expect((345...352).contains(age), "\(age)")
    // One way takes 25 ms. From 45 ms on, 5 % of the time are 198 ms; three times nothing comes for
    // 300 ms, and at last for 275 until the end: 3 × (325 − 269) + (300 − 269).
    let packets = try #require(figures[.omniscientPackets])
    #expect((269...270).contains(packets), "\(packets)")
    // The camera's picture is up to 33 ms old when its last opportunity comes.
    let pictures = try #require(figures[.omniscientPictures])
    #expect((276...309).contains(pictures), "\(pictures)")
    #expect(figures[.timesOmniscient] == age / pictures)
  }

  @Test func `without a recorded link there is no omniscient sender`() {
    let figures = RealRun(
      scenario: scenario(seconds: 5), start: start, samples: samples(50),
      flows: [flow(seconds: 5) { _ in .milliseconds(30) }]
    ).figures
    #expect(figures[.ageP95].map { (65...70).contains($0) } == true)
    #expect(figures[.timesOmniscient] == nil)
  }

  @Test func `a call in which nothing was seen is endlessly late`() {
    let run = RealRun(
      scenario: scenario(seconds: 5), start: start, samples: samples(50),
      flows: [flow(seconds: 5) { _ in nil }])
    #expect(run.figures[.frameP50] == .infinity)
    #expect(run.figures[.delivered] == 0)
  }

  @Test func `recovery from a shock is counted on the scenario's clock`() {
    // From second 3 on pictures take 400 ms, for a second.
    let flow = flow(seconds: 8) {
      (100..<125).contains($0) ? .milliseconds(400) : .milliseconds(30)
    }
    let run = RealRun(
      scenario: scenario(seconds: 8, shocks: [Shock(.drop, at: .zero + .seconds(3))]),
      start: start, samples: samples(80), flows: [flow])
    // The last late one is number 124, captured 0.96 s after the shock.
    #expect(run.figures[.afterDrop] == 1_360)
  }

  @Test func `a shorter scenario ends its flows with it and forgets what would come later`() {
    var long = scenario(
      seconds: 60,
      shocks: [Shock(.drop, at: .zero + .seconds(20)), Shock(.rise, at: .zero + .seconds(30))])
    long.flows.append(
      ScenarioFlow(
        name: "late", kind: .media(limit: .kilobits(500)), delay: .zero,
        start: .zero + .seconds(40), end: .zero + .seconds(50)))
    let short = long.shortened(to: .seconds(25))
    #expect(short.duration == .seconds(25))
    #expect(short.flows.map(\.end) == [.zero + .seconds(24)])
    #expect(short.shocks.count == 1)
    #expect(long.shortened(to: .seconds(90)).flows.count == 2)
  }
}
