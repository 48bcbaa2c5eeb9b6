import Media
import Sending
import Testing
import Units
import Wire

@Suite struct BudgetTests {
  private let source = PictureSize(width: 1_280, height: 720)

  @Test func `the encoder's share leaves room for headers and sound`() throws {
    var sending = SendingRun()
    sending.handle(.source(source, framesPerSecond: 30))
    let start = try #require(sending.advice.last)
    #expect(start.size == source)
    #expect(start.framesPerSecond == 30)
    // 1200 kbit/s at 30 pictures a second are five packets each, 92 bytes of headers in them.
    #expect(start.bitrate > .kilobits(1_050))
    #expect(start.bitrate < .kilobits(1_120))
    for _ in 0..<100 {
      sending.send(audio: [UInt8](repeating: 0x78, count: 114))
      sending.run(for: .milliseconds(20))
      sending.acknowledge()
    }
    // 50 sound packets of 200 bytes on the wire a second.
    let less = try #require(sending.advice.last)
    #expect((start.bitrate - less.bitrate).kilobitsPerSecond.rounded() <= 90)
    #expect((start.bitrate - less.bitrate).kilobitsPerSecond.rounded() >= 65)
  }

  @Test(arguments: [(900, 30), (300, 15), (220, 10), (130, 5)] as [(Int64, Double)])
  func `of a screen the size is kept, and pictures become fewer`(limit: Int64, rate: Double) throws
  {
    var sending = SendingRun()
    sending.handle(.source(source, framesPerSecond: 30, .detail))
    sending.handle(.limit(.kilobits(limit)))
    var acknowledged = sending.packets.count
    for _ in 0..<180 {
      sending.send(video: [UInt8](repeating: 1, count: 500), isKeyFrame: false)
      sending.run(for: .milliseconds(33))
      sending.acknowledge(from: acknowledged)
      acknowledged = sending.packets.count
    }
    let advice = try #require(sending.advice.last)
    #expect(advice.size == source)
    #expect(advice.framesPerSecond == rate, "\(advice)")
  }

  @Test func `a low limit goes down the ladder after a second, a high one back up, in one step`()
    throws
  {
    var sending = SendingRun()
    sending.handle(.source(source, framesPerSecond: 30))
    func hold(_ limit: Int64, for seconds: Int, in sending: inout SendingRun) {
      sending.handle(.limit(.kilobits(limit)))
      var acknowledged = sending.packets.count
      for step in 0..<(seconds * 30) {
        // Pictures of a few packets: enough to measure a path that carries everything.
        sending.send(
          video: [UInt8](repeating: 1, count: 6_000), isKeyFrame: step % 30 == 0)
        sending.run(for: .milliseconds(33))
        sending.acknowledge(from: acknowledged)
        acknowledged = sending.packets.count
      }
    }
    hold(2_500, for: 2, in: &sending)
    #expect(sending.advice.last?.size == source)
    hold(250, for: 2, in: &sending)
    let small = try #require(sending.advice.last?.size)
    #expect(small.width < 700)
    #expect(small.isValid)
    #expect(Double(small.width) / Double(small.height) > 1.7)
    hold(2_500, for: 6, in: &sending)
    #expect(sending.advice.last?.size == source)
    let sizes = sending.advice.compactMap(\.size)
    let changes = zip(sizes, sizes.dropFirst()).count { $0 != $1 }
    #expect(changes == 2, "each costs a key frame")
  }

  @Test func `a key frame behind a fall of the rate comes at once in the size that is worth it`()
    throws
  {
    var sending = SendingRun()
    sending.handle(.source(source, framesPerSecond: 30))
    for step in 0..<60 {
      let first = sending.packets.count
      sending.send(video: [UInt8](repeating: 1, count: 6_000), isKeyFrame: step == 0)
      sending.run(for: .milliseconds(33))
      sending.acknowledge(from: first)
    }
    sending.handle(.limit(.kilobits(300)))
    sending.run(for: .milliseconds(20))
    let asked = sending.keyFramesAsked
    // A fall by itself is waited out.
    #expect(sending.advice.last?.size == source)
    sending.feed(
      .pictureLoss(PictureLossIndication(reporter: 2, source: MediaStream.Source.video)))
    let size = try #require(sending.advice.last?.size)
    #expect(size.width == source.width / 2)
    #expect(sending.keyFramesAsked == asked + 1)
  }

  @Test func `before a path is measured a key frame is no reason for a smaller picture`() throws {
    var sending = SendingRun()
    sending.handle(.source(source, framesPerSecond: 30))
    // A stream begins with 400 kbit/s.
    sending.handle(.stream)
    sending.send(video: [1], isKeyFrame: true)
    sending.run(for: .milliseconds(500))
    let asked = sending.keyFramesAsked
    sending.feed(
      .pictureLoss(PictureLossIndication(reporter: 2, source: MediaStream.Source.video)))
    #expect(sending.keyFramesAsked == asked + 1)
    #expect(sending.advice.last?.size == source)
  }

  @Test func `an encoder that overshoots is asked for less`() throws {
    var sending = SendingRun()
    sending.handle(.source(source, framesPerSecond: 30))
    let asked = try #require(sending.advice.last?.bitrate)
    var acknowledged = 0
    for step in 0..<120 {
      let wanted = try #require(sending.advice.last?.bitrate)
      sending.send(
        video: [UInt8](repeating: 1, count: Int(wanted.bitsPerSecond * 3 / 2 / 8 / 30)),
        isKeyFrame: step == 0)
      sending.run(for: .microseconds(33_333))
      if step == 0 { sending.handle(.limit(.kilobits(1_200))) }
      sending.acknowledge(from: acknowledged)
      acknowledged = sending.packets.count
    }
    let corrected = try #require(sending.advice.last?.bitrate)
    #expect(corrected < asked * 0.75)
    #expect(corrected > asked * 0.55)
  }

  @Test func `Opus is told of losses in coarse steps`() {
    var sending = SendingRun()
    for _ in 0..<60 {
      let first = sending.packets.count
      for _ in 0..<10 { sending.send(audio: [0x78, 1]) }
      sending.run(for: .milliseconds(64))
      // Three of ten are lost.
      sending.tell(from: first) { [1, 4, 7].contains($0 - first) ? nil : .milliseconds(10) }
    }
    let losses = sending.audio.map(\.lossPercent)
    #expect(losses.last == 30)
    #expect(losses == losses.sorted())
    #expect(sending.audio.map(\.copies).last == 3)
    let steps = zip(losses, losses.dropFirst()).count { $0 != $1 }
    #expect(steps <= 6)
  }
}
