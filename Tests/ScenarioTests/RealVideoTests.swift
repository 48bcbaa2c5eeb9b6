import CommandLine
import Media
import Simulating
import Simulation
import Testing
import Units

/// Real codecs inside a simulation.
@Suite struct RealVideoTests {
  private let scenario = Scenario(
    name: "real", duration: .seconds(5),
    forward: ScenarioLine(LinkConditions(rate: .kilobits(1_500), queue: .milliseconds(300))),
    flows: [
      ScenarioFlow(
        name: "media", kind: .media(limit: .kilobits(2_000)), delay: .milliseconds(20),
        end: .zero + .seconds(4))
    ])

  @Test func `libvpx's pictures cross a line, look like the originals, and are the same each time`()
    throws
  {
    let result = ScenarioRun(scenario, seed: 3, pictures: .pattern(MediaPair.size)).run()
    #expect(result.findingCount == 0, "\(result.findings)")
    #expect(try #require(result.figures[.quality]) > 36)
    #expect((0.9...1.1).contains(try #require(result.figures[.made])))
    #expect(try #require(result.figures[.delivered]) > 0.9)
    #expect(result.text.contains("luma PSNR"))
    let again = ScenarioRun(scenario, seed: 3, pictures: .pattern(MediaPair.size)).run()
    #expect(again.trace == result.trace)
    #expect(again.figures == result.figures)
    #expect(ScenarioRun(scenario, seed: 3).run().figures[.quality] == nil)
  }

  @Test func `a frame that the decoder refuses is a finding`() {
    var pictures = RealPictures.pattern(MediaPair.size)
    pictures.makeDecoder = { RefusingDecoder() }
    let result = ScenarioRun(scenario.shortened(to: .seconds(3)), seed: 3, pictures: pictures)
      .run()
    #expect(result.findings.contains { $0.contains("refused picture 1:") }, "\(result.findings)")
  }

  @Test func `real video goes with scenarios only`() {
    #expect(throws: UsageError.self) { try SimulationOptions.parse(["--real-video"]) }
    guard case .result(let options)? = try? SimulationOptions.parse(["--real-video", "a.json"])
    else {
      Issue.record("refused")
      return
    }
    #expect(options.hasRealVideo)
  }
}

private final class RefusingDecoder: VideoDecoder {
  func decode(_ frame: [UInt8]) throws(MediaError) -> Picture? {
    throw MediaError(.malformed, "no", remedy: "none")
  }
}
