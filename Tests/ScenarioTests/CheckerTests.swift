import Media
import Simulation
import Testing
import Units
import Wire

/// Each checker is silent about a right run and turns red for the fault it is there for.
@Suite struct CheckerTests {
  private let world = World(seed: 1)
  private let findings: Findings
  private let size = PictureSize(width: 640, height: 360)

  init() { findings = Findings(world) }

  private func instant(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

  private func pictures(_ count: Int) -> [EncodedVideoFrame] {
    var camera = ScriptedCamera(camera: 1, random: SeededRandom(seed: 1))
    let settings = VideoEncoderSettings(
      size: size, framesPerSecond: 30, bitrate: .kilobits(500))
    return (0..<count).map {
      camera.picture(
        at: instant(Int64($0) * 33), settings: settings, forceKeyFrame: false)
    }
  }

  /// Decodes pictures by their indices, each 50 ms after its capture.
  private func decode(_ order: [Int], of count: Int = 20, age: Int64 = 50, alter: Bool = false) {
    let made = pictures(count)
    var checker = PictureChecker(
      "a", camera: 1, oldest: .milliseconds(300), findings: findings)
    for index in order {
      var bytes = made[index].bytes
      if alter { bytes[20] ^= 1 }
      _ = checker.decode(bytes, at: instant(Int64(index) * 33 + age)) {
        instant(Int64($0 - 1) * 33)
      }
    }
  }

  @Test func `pictures in order are right`() {
    decode(Array(0..<20))
    #expect(findings.isEmpty)
  }

  @Test(arguments: [[0, 1, 1], [0, 1, 2, 1], [0, 1, 3], [1, 2], [0, 2, 1]])
  func `a picture that is repeated, swapped or without its reference is found`(order: [Int]) {
    decode(order)
    #expect(findings.has("picture"))
  }

  @Test func `an altered and an old picture are found`() {
    decode([0], alter: true)
    #expect(findings.count == 1)
    // In the first two seconds a receiver cannot know.
    decode(Array(0..<61), of: 62, age: 301)
    #expect(findings.count == 1)
    decode(Array(0..<62), of: 62, age: 301)
    #expect(findings.count == 2)
  }

  @Test func `a picture of another camera is found`() {
    var checker = PictureChecker("a", camera: 2, oldest: .seconds(1), findings: findings)
    _ = checker.decode(pictures(1)[0].bytes, at: .zero) { _ in .zero }
    #expect(findings.has("picture"))
  }

  @Test func `a deadline ahead is right and one in the past is found`() {
    var checker = TurnChecker("a", findings: findings)
    checker.turned(
      byTimer: true, outputs: 1, at: instant(5), deadline: Deadline("x", at: instant(6)))
    checker.turned(byTimer: true, outputs: 1, at: instant(6), deadline: nil)
    #expect(findings.isEmpty)
    checker.turned(
      byTimer: false, outputs: 1, at: instant(7), deadline: Deadline("x", at: instant(6)))
    #expect(findings.isEmpty)
    checker.turned(
      byTimer: true, outputs: 1, at: instant(7), deadline: Deadline("x", at: instant(6)))
    #expect(findings.has("turn"))
  }

  @Test func `a timer that fires again and again at one instant is found`() {
    var checker = TurnChecker("a", findings: findings)
    for _ in 0..<30 {
      checker.turned(
        byTimer: true, outputs: 0, at: instant(5), deadline: Deadline("x", at: instant(5)))
    }
    #expect(findings.count == 1)
  }

  @Test func `a timer that fires ten times a millisecond and an endless turn are found`() {
    var checker = TurnChecker("a", findings: findings)
    for step in 0..<9_999 {
      checker.turned(
        byTimer: true, outputs: 0, at: .zero + .microseconds(Int64(step) * 100), deadline: nil)
    }
    #expect(findings.count == 1)
    checker.turned(byTimer: false, outputs: 5_000, at: instant(2_000), deadline: nil)
    #expect(findings.count == 2)
  }

  @Test func `chat that comes once, in order and is then acknowledged is right`() {
    var checker = ChatChecker("a", findings: findings)
    for line in ["x", "y", "x"] { checker.say(line, id: line + "1") }
    checker.hear("x")
    checker.deliver(id: "x1")
    checker.hear("y")
    checker.hear("x")
    checker.deliver(id: "y1")
    checker.deliver(id: "x1")
    checker.finish()
    #expect(findings.isEmpty)
  }

  @Test func `chat that is doubled, swapped, lost or acknowledged too early is found`() {
    func count(_ faults: (inout ChatChecker) -> Void) -> Int {
      let findings = Findings(world)
      var checker = ChatChecker("a", findings: findings)
      checker.say("x", id: "1")
      checker.say("y", id: "2")
      faults(&checker)
      return findings.count
    }
    let doubled = count {
      $0.hear("x")
      $0.hear("x")
    }
    let swapped = count {
      $0.hear("y")
      $0.hear("x")
    }
    let invented = count {
      for line in ["x", "y", "z"] { $0.hear(line) }
    }
    let lost = count {
      $0.hear("x")
      $0.deliver(id: "1")
      $0.finish()
    }
    let early = count { $0.deliver(id: "1") }
    let outOfTurn = count { $0.deliver(id: "2") }
    #expect([doubled, swapped, invented, lost, early, outOfTurn].allSatisfy { $0 > 0 })
  }

  @Test func `a steady sender is right and one that bursts is found once`() {
    var checker = PaceChecker("a", findings: findings)
    let target = Bitrate.kilobits(1_000)
    for step in 0..<1_000 { checker.send(1_250, target: target, at: instant(Int64(step) * 10)) }
    #expect(findings.isEmpty)
    for _ in 0..<100 { checker.send(1_200, target: target, at: instant(10_000)) }
    #expect(findings.count == 1)
  }

  @Test func `picture and sound together are right and apart are found`() {
    func check(_ late: Int64) -> Bool {
      let findings = Findings(world)
      var checker = SkewChecker(
        "a", limit: .milliseconds(40), since: instant(1_000), findings: findings)
      for step in 0..<300 {
        let captured = instant(Int64(step) * 20)
        checker.heard(capturedAt: captured, at: captured + .milliseconds(80))
        checker.shown(capturedAt: captured, at: captured + .milliseconds(80 + late))
      }
      checker.finish()
      return findings.has("skew")
    }
    #expect(!check(30) && check(60) && check(-60))
  }

  @Test func `media after an introduction is right, before it is found`() {
    var checker = GateChecker(findings: findings)
    checker.sent(.segment, from: [1], to: [2])
    checker.introduce([1], to: [2])
    checker.sent(.rtp, from: [1], to: [2])
    #expect(findings.isEmpty && checker.mediaFrames == 1)
    checker.sent(.rtp, from: [2], to: [1])
    #expect(findings.has("gate"))
  }

  @Test func `findings name their seed and instant`() {
    world.schedule(after: .milliseconds(3)) { findings.report("turn", "late") }
    world.run(for: .seconds(1))
    #expect(findings.summary == "seed 1: 1 findings\n  turn at 3.0 ms: late")
  }
}
