import Call
import Media
import Simulation
import Testing
import Units

/// Calls of three and more over lines that carry very different rates.
@Suite struct GroupTests {
  /// A line that brings little, and keeps a fifth of a second of it.
  private func slow(_ kilobits: Int64) -> AccessLine {
    AccessLine(
      name: "slow",
      up: LinkConditions(rate: .kilobits(10_000), delay: .milliseconds(15)),
      down: LinkConditions(
        rate: .kilobits(kilobits), queue: .milliseconds(200), delay: .milliseconds(15)))
  }

  private func options(_ kilobits: Int64 = 2_400) -> SimulatedMember.Options {
    var options = SimulatedMember.Options()
    options.size = PictureSize(width: 640, height: 360)
    options.bitrateLimit = .kilobits(kilobits)
    return options
  }

  /// Two on fast lines, and one whose line brings 700 kbit/s, which the two others share.
  private func threeSided(seed: UInt64) throws -> (SimulatedCall, [SimulatedMember]) {
    // Both begin at more than the slow line carries, and its queue takes a while to drain.
    var limits = SimulatedCall.Limits()
    limits.skew = .milliseconds(200)
    let call = try SimulatedCall(seed: seed, limits: limits)
    let anna = call.add("Anna", options: options())
    let ben = call.add("Ben", options: options(), after: .milliseconds(400))
    let cleo = call.add("Cleo", line: slow(700), options: options(), after: .milliseconds(800))
    return (call, [anna, ben, cleo])
  }

  @Test(arguments: [1, 2] as [UInt64])
  func `a slow peer gets the small picture and the fast ones keep theirs`(seed: UInt64) throws {
    let (call, members) = try threeSided(seed: seed)
    let (anna, ben, cleo) = (members[0], members[1], members[2])
    call.run(for: .seconds(6))
    let before = call.figures(of: anna, at: cleo).shown
    let encoders = anna.studio.encoders
    let captured = anna.studio.captured
    call.run(for: .seconds(8))
    call.finish()

    let toBen = try #require(anna.statistics[ben.peer])
    let toCleo = try #require(anna.statistics[cleo.peer])
    #expect(toBen.send.width == 640)
    #expect(toBen.send.video > .kilobits(850), "\(toBen.send.video)")
    #expect(toBen.send.framesPerSecond > 28)
    #expect((1...320).contains(toCleo.send.width))
    // Not starved: pictures of the whole rate.
    #expect(call.figures(of: anna, at: cleo).shown - before > 8 * 25)
    #expect(call.figures(of: anna, at: ben).delays.percentile(0.95) < .milliseconds(80))
    // Each is made once a picture, whoever gets it, and key frames are rare.
    for (now, then) in zip(anna.studio.encoders, encoders) {
      #expect(now.pictures - then.pictures <= anna.studio.captured - captured)
      #expect(now.pictures - then.pictures > 8 * 27)
    }
    #expect(anna.studio.encoders[0].keyFrames - encoders[0].keyFrames <= 1)
    #expect(anna.studio.encoders[1].keyFrames - encoders[1].keyFrames <= 3)
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  /// Both fill its queue before the first packet that is measured, so that no delay shows it: what it
  /// loses would pass for a lossy path, and parity for that would keep it full.
  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `two that fill a slow line's queue at once do not keep it full with parity`(seed: UInt64)
    throws
  {
    let (call, members) = try threeSided(seed: seed)
    let cleo = members[2]
    call.run(for: .seconds(9))
    var (pictures, repair) = (Bitrate.zero, Bitrate.zero)
    for _ in 0..<6 {
      call.run(for: .seconds(1))
      for sender in members.prefix(2) {
        let sent = try #require(sender.statistics[cleo.peer]).send
        pictures = pictures + sent.video
        repair = repair + sent.repair
      }
    }
    #expect(pictures > .kilobits(6 * 250), "\(pictures)")
    #expect(repair * 3 < pictures, "\(repair) of \(pictures)")
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `where one encoding fits all, only one is made`() throws {
    let call = try SimulatedCall(seed: 5)
    let anna = call.add("Anna", options: options())
    for name in ["Ben", "Cleo"] { call.add(name, options: options(), after: .milliseconds(300)) }
    call.run(for: .seconds(7))
    call.finish()
    #expect(anna.studio.encoders[0].pictures > 180)
    #expect(anna.studio.encoders[1].pictures == 0)
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `a path that recovers gets the large picture back, and the small one ends`() throws {
    let (call, members) = try threeSided(seed: 4)
    let (anna, cleo) = (members[0], members[2])
    call.run(for: .seconds(6))
    #expect((1...320).contains(anna.statistics[cleo.peer]?.send.width ?? 0))
    cleo.host.change { $0.rate = .kilobits(20_000) }
    let shown = call.figures(of: anna, at: cleo).shown
    call.run(for: .seconds(9))
    // The change itself cost no pause.
    #expect(call.figures(of: anna, at: cleo).shown - shown > 9 * 28)
    #expect(anna.statistics[cleo.peer]?.send.width == 640)
    let made = anna.studio.encoders[1].pictures
    call.run(for: .seconds(1))
    call.finish()
    #expect(anna.studio.encoders[1].pictures == made)
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  /// On a crushed line media overtakes the messages that prove who sends it: it waits for them, and
  /// what is reported of it leaves in the turn in which the user hears of its sender.
  @Test func `nothing is sent to whom the user was not told of, by eight over a crushed line`()
    throws
  {
    var limits = SimulatedCall.Limits()
    limits.skew = .seconds(60)
    limits.oldest = .seconds(60)
    let call = try SimulatedCall(seed: 2, limits: limits)
    for number in 0..<8 {
      call.add(
        "P\(number)", line: number == 3 ? slow(1_000) : .cable, options: options(4_000),
        after: .milliseconds(Int64(100 * number)))
    }
    call.run(for: .milliseconds(3_200))
    #expect(call.findings.list.filter { $0.checker == "gate" }.map(\.description) == [])
    #expect(call.mediaFrames > 1_000)
  }

  @Test func `six people's pictures are encoded no oftener than two people's`() throws {
    let call = try SimulatedCall(seed: 6)
    let anna = call.add("Anna", options: options(4_000))
    for number in 1...5 {
      call.add(
        "Peer\(number)", line: number == 3 ? slow(1_800) : .cable, options: options(4_000),
        after: .milliseconds(Int64(100 * number)))
    }
    // Five senders that begin at once first overfill the slow line.
    call.run(for: .seconds(8))
    let others = call.members.dropFirst()
    let before = others.map { call.figures(of: anna, at: $0).shown }
    call.run(for: .seconds(3))
    for encoder in anna.studio.encoders { #expect(encoder.pictures <= anna.studio.captured) }
    #expect(anna.studio.encoders[0].pictures > 310)
    #expect(anna.studio.encoders[1].pictures > 190)
    for (other, shown) in zip(others, before) {
      #expect(call.figures(of: anna, at: other).shown - shown > 3 * 20, "\(other.name)")
    }
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `a receiver gets less within a second of asking, and the others all the same`() throws
  {
    let call = try SimulatedCall(seed: 7)
    let anna = call.add("Anna", options: options())
    let ben = call.add("Ben", options: options(), after: .milliseconds(300))
    let cleo = call.add("Cleo", options: options(), after: .milliseconds(300))
    call.run(for: .seconds(5))
    cleo.receive(atMost: ReceiveBounds(size: PictureSize(width: 160, height: 90)))
    ben.receive(atMost: ReceiveBounds(bitrate: .kilobits(800)))
    call.run(for: .milliseconds(1_000))
    #expect(call.figures(of: anna, at: cleo).size == PictureSize(width: 160, height: 90))
    call.run(for: .milliseconds(2_000))
    call.finish()
    #expect(anna.statistics[cleo.peer]?.send.width == 160)
    #expect((.zero..<Bitrate.kilobits(90)).contains(anna.statistics[cleo.peer]!.send.video))
    #expect(anna.statistics[ben.peer]?.send.width == 640)
    #expect((.kilobits(500)...Bitrate.kilobits(850)).contains(anna.statistics[ben.peer]!.send.rate))
    // Nobody asked the others for less.
    #expect(ben.statistics[anna.peer]!.send.video > .kilobits(850))
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `a picture is made ready for the first who is on the way, not with the camera off`()
    throws
  {
    let call = try SimulatedCall(seed: 5)
    let anna = call.add("Anna", options: options())
    var blind = options()
    blind.sendsVideo = false
    let ben = call.add("Ben", options: blind, after: .milliseconds(400))
    call.run(for: .seconds(2))
    #expect(anna.expectations == 1)
    #expect(ben.expectations == 0)
    // She encodes already.
    let cleo = call.add("Cleo", options: options())
    call.run(for: .seconds(2))
    #expect(anna.expectations == 1)
    // Both were there when she came.
    #expect(cleo.expectations == 2)
    call.finish()
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }
}
