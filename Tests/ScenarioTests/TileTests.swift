import Call
import Media
import Simulation
import Testing
import Units

/// What the sizes of people's tiles do to what is sent to them.
@Suite struct TileTests {
  private let full = PictureSize(width: 1_280, height: 720)
  private let hidden = PictureSize(width: 0, height: 0)

  private func call(_ names: [String], seed: UInt64) throws -> (SimulatedCall, [SimulatedMember]) {
    let call = try SimulatedCall(seed: seed)
    var options = SimulatedMember.Options()
    options.bitrateLimit = .kilobits(8_000)
    let members = names.enumerated().map { number, name in
      call.add(name, options: options, after: .milliseconds(300 * Int64(number)))
    }
    return (call, members)
  }

  private func width(_ sender: SimulatedMember, to other: SimulatedMember) -> Int {
    sender.statistics[other.peer]?.send.width ?? 0
  }

  private func keyFrames(_ member: SimulatedMember) -> Int {
    member.studio.encoders.reduce(0) { $0 + $1.keyFrames }
  }

  @Test func `a small tile lowers what is sent to its viewer alone`() throws {
    let (call, members) = try call(["Anna", "Ben", "Cleo"], seed: 1)
    let (anna, ben, cleo) = (members[0], members[1], members[2])
    call.run(for: .seconds(5))
    cleo.show(anna, in: PictureSize(width: 300, height: 200))
    cleo.show(ben, in: full)
    call.run(for: .seconds(4))
    #expect(width(anna, to: cleo) == 320)
    #expect(anna.statistics[cleo.peer]!.send.video < .kilobits(320))
    #expect(width(anna, to: ben) == 1_280)
    #expect(anna.statistics[ben.peer]!.send.video > .kilobits(2_000))
    #expect(width(ben, to: cleo) == 1_280)
    #expect(width(ben, to: anna) == 1_280)
    // The tile becomes large again.
    cleo.show(anna, in: full)
    call.run(for: .seconds(5))
    #expect(width(anna, to: cleo) == 1_280)
    call.finish()
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `two people's small tiles do not make the picture of a third small`() throws {
    let (call, members) = try call(["Anna", "Ben", "Cleo", "Dora"], seed: 2)
    let (anna, ben, cleo, dora) = (members[0], members[1], members[2], members[3])
    call.run(for: .seconds(5))
    ben.show(anna, in: full)
    cleo.show(anna, in: PictureSize(width: 640, height: 360))
    // Who shares with Ben decides about the rate, but not about the size.
    cleo.receive(atMost: ReceiveBounds(bitrate: .kilobits(1_900)))
    dora.show(anna, in: hidden)
    call.run(for: .seconds(6))
    #expect(width(anna, to: ben) == 1_280)
    #expect(anna.statistics[ben.peer]!.send.video > .kilobits(1_500))
    #expect(width(anna, to: cleo) >= 640)
    #expect(width(anna, to: dora) < 640)
    call.finish()
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `of the tile and what the user allows, the smaller counts`() throws {
    let (call, members) = try call(["Anna", "Ben"], seed: 3)
    let (anna, ben) = (members[0], members[1])
    call.run(for: .seconds(2))
    ben.receive(atMost: ReceiveBounds(size: PictureSize(width: 640, height: 360)))
    call.run(for: .seconds(3))
    #expect(width(anna, to: ben) == 640)
    ben.show(anna, in: full)
    call.run(for: .seconds(3))
    #expect(width(anna, to: ben) == 640)
    ben.show(anna, in: PictureSize(width: 320, height: 180))
    call.run(for: .seconds(3))
    #expect(width(anna, to: ben) == 320)
    // Minimised: the least.
    ben.show(anna, in: hidden)
    call.run(for: .seconds(3))
    #expect(width(anna, to: ben) == 160)
    call.finish()
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `a window that is dragged to and fro for ten seconds costs four key frames at most`()
    throws
  {
    let (call, members) = try call(["Anna", "Ben"], seed: 4)
    let (anna, ben) = (members[0], members[1])
    ben.show(anna, in: full)
    call.run(for: .seconds(5))
    let before = keyFrames(anna)
    for frame in 0..<600 {
      let step = abs(frame % 120 - 60)
      ben.show(anna, in: PictureSize(width: 160 + 18 * step, height: 90 + 10 * step))
      call.run(for: .milliseconds(16))
    }
    #expect(keyFrames(anna) - before <= 4)
    call.finish()
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `one who asks for another size a hundred times a second costs few key frames`() throws
  {
    let (call, members) = try call(["Anna", "Ben", "Mallory"], seed: 5)
    let (anna, ben, mallory) = (members[0], members[1], members[2])
    call.run(for: .seconds(6))
    let before = keyFrames(anna)
    let shown = call.figures(of: anna, at: ben).shown
    for turn in 0..<1_000 {
      let width = turn % 2 == 0 ? 160 : 1_280 - 2 * (turn % 50)
      mallory.receive(atMost: ReceiveBounds(size: PictureSize(width: width, height: 720)))
      call.run(for: .milliseconds(10))
    }
    // One at once for each of the first four, and one every two seconds, twice where the other
    // rendition is taken.
    #expect(keyFrames(anna) - before <= 18, "\(keyFrames(anna) - before)")
    #expect(call.figures(of: anna, at: ben).shown - shown > 10 * 28)
    #expect(width(anna, to: ben) == 1_280)
    call.finish()
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }
}
