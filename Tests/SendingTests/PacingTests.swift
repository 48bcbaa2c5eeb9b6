import Media
import Sending
import Testing
import Units
import Wire

@Suite struct PacingTests {
  private let frame = [UInt8](repeating: 0x11, count: 12_000)

  @Test func `sound leaves at once while a picture is being paced`() throws {
    var sending = SendingRun()
    sending.send(video: frame, isKeyFrame: true)
    sending.send(audio: [0x78, 1])
    let sources = try sending.packets.map { try RTPPacket(decoding: $0).source }
    #expect(sources.last == MediaStream.Source.audio)
    #expect(sources.count < 8, "the rest of the picture has not left yet")
    sending.run(for: .milliseconds(100))
    #expect(try sending.media(MediaStream.Source.video).count == 11)
  }

  @Test func `a picture is spread over time, and well within its interval`() throws {
    var sending = SendingRun()
    sending.send(video: frame, isKeyFrame: true)
    sending.run(for: .milliseconds(33))
    #expect(sending.packets.count == 11)
    let span = sending.sentAt.last! - sending.sentAt.first!
    #expect(span > .milliseconds(2))
    #expect(span < .milliseconds(20))
  }

  @Test
  func `repair on top of pictures is no burst: three times the target in a tenth of a second`()
    throws
  {
    var sending = SendingRun()
    sending.handle(.roundTrip(.milliseconds(40)))
    sending.handle(.limit(.kilobits(400)))
    for number in 0..<60 {
      sending.send(video: [UInt8](repeating: 1, count: 1_500), isKeyFrame: number == 0)
      sending.run(for: .milliseconds(33))
      sending.acknowledge()
    }
    let newest = try #require(try sending.media(MediaStream.Source.video).last).sequence.value
    let before = sending.packets.count
    sending.send(video: [UInt8](repeating: 1, count: 20_000), isKeyFrame: false)
    sending.feed(
      .nack(
        GenericNack(
          reporter: 2, source: MediaStream.Source.video,
          lost: (newest - 9...newest).map { SequenceNumber($0) })))
    sending.run(for: .milliseconds(600))
    let sizes = sending.packets.map { $0.count + 66 }
    #expect(sizes[before...].reduce(0, +) > 30_000, "all of it left")
    for (first, start) in sending.sentAt.enumerated() {
      let burst = sending.sentAt.indices[first...].prefix {
        sending.sentAt[$0] <= start + .milliseconds(100)
      }
      #expect(burst.reduce(0) { $0 + sizes[$1] } <= 23_000, "15 000 and a head start")
    }
  }

  @Test func `no delta frame passes before a key frame, and one is asked for once`() {
    var sending = SendingRun()
    for _ in 0..<3 {
      sending.send(video: frame, isKeyFrame: false)
      sending.run(for: .milliseconds(33))
    }
    #expect(sending.packets.isEmpty)
    #expect(sending.keyFramesAsked == 1)
  }

  @Test func `a full carrier holds pictures, and what has become stale is dropped whole`() throws {
    var sending = SendingRun()
    sending.send(video: frame, isKeyFrame: true)
    sending.run(for: .milliseconds(33))
    sending.handle(.queued(ByteCount(200_000)))
    #expect(!sending.sender.wantsVideo)
    let before = try sending.media(MediaStream.Source.video).count
    for _ in 0..<10 {
      sending.send(video: frame, isKeyFrame: false)
      sending.run(for: .milliseconds(33))
    }
    #expect(try sending.media(MediaStream.Source.video).count == before)
    sending.handle(.queued(.zero))
    #expect(sending.keyFramesAsked == 1, "for what was dropped")
    sending.send(video: frame, isKeyFrame: false)
    sending.run(for: .milliseconds(33))
    #expect(try sending.media(MediaStream.Source.video).count == before)
    sending.send(video: frame, isKeyFrame: true)
    sending.run(for: .milliseconds(60))
    let after = try sending.media(MediaStream.Source.video)
    #expect(after.count == before + 11)
    let numbers = after.map(\.sequence.value)
    #expect(numbers == (0..<UInt16(numbers.count)).map { $0 }, "what was dropped had no number")
    #expect(sending.sender.takeStatistics(at: sending.now).droppedFrames >= 10)
  }

  @Test func `more than 100 ms in a carrier hold sound, and what became too old of it is dropped`()
    throws
  {
    var sending = SendingRun()
    sending.handle(.stream)
    // 5 kB at the 400 kbit/s that a stream begins with.
    sending.handle(.queued(ByteCount(4_800)))
    sending.send(audio: [0x78, 1])
    #expect(try sending.media(MediaStream.Source.audio).count == 1)
    sending.handle(.queued(ByteCount(5_200)))
    for _ in 0..<50 {
      sending.send(audio: [0x78, 1])
      sending.run(for: .milliseconds(20))
    }
    #expect(try sending.media(MediaStream.Source.audio).count == 1)
    sending.handle(.queued(.zero))
    let sent = try sending.media(MediaStream.Source.audio)
    #expect((15...17).contains(sent.count - 1), "the newest 300 ms")
    let last = try #require(sent.last)
    #expect(sent.dropFirst().allSatisfy { last.timestamp &- $0.timestamp <= 300 * 48 })
  }

  @Test func `sound is held once the carrier has stood still for 100 ms, not while it drains`()
    throws
  {
    var sending = SendingRun()
    sending.handle(.stream)
    func sound() throws -> Int { try sending.media(MediaStream.Source.audio).count }
    func speak() {
      sending.run(for: .milliseconds(20))
      sending.send(audio: [UInt8](repeating: 0x78, count: 150))
    }
    // What waits is always the newest 80 ms.
    sending.handle(.queued(ByteCount(800)))
    for _ in 0..<50 {
      speak()
      sending.acknowledge()
      sending.handle(.queued(ByteCount(800)))
    }
    #expect(try sound() == 50)
    var wantsVideo = sending.sender.wantsVideo
    #expect(wantsVideo)
    for _ in 0..<20 { speak() }
    let still = try sound()
    #expect((51...54).contains(still), "until the oldest has waited 100 ms")
    wantsVideo = sending.sender.wantsVideo
    #expect(!wantsVideo)
    // A few packets may wait however long, or nothing would come through a line that is always late.
    sending.handle(.queued(ByteCount(400)))
    #expect(try sound() > still)
  }

  @Test func `a discardable picture is dropped without breaking the chain`() throws {
    var sending = SendingRun()
    sending.send(video: frame, isKeyFrame: true)
    sending.run(for: .milliseconds(33))
    sending.handle(.queued(ByteCount(200_000)))
    sending.send(video: frame, isKeyFrame: false)
    sending.run(for: .milliseconds(33))
    sending.send(video: frame, isKeyFrame: false, layer: 1, isDiscardable: true)
    sending.handle(.queued(.zero))
    sending.run(for: .milliseconds(33))
    #expect(try sending.media(MediaStream.Source.video).count == 22)
    #expect(sending.keyFramesAsked == 0)
  }

  @Test func `a receiver that falls silent stops pictures but not sound, and is probed`() throws {
    var sending = SendingRun()
    sending.send(video: frame, isKeyFrame: true)
    sending.run(for: .milliseconds(33))
    sending.acknowledge()
    for _ in 0..<40 {
      if sending.sender.wantsVideo { sending.send(video: frame, isKeyFrame: false) }
      sending.run(for: .milliseconds(33))
    }
    #expect(!sending.sender.wantsVideo)
    let repair = try sending.media(MediaStream.Source.videoRepair).count
    #expect(repair >= 2, "probes")
    let video = try sending.media(MediaStream.Source.video).count
    sending.send(audio: [0x78, 1])
    #expect(try RTPPacket(decoding: sending.packets.last!).source == MediaStream.Source.audio)
    let asked = sending.keyFramesAsked
    sending.acknowledge(from: 11)
    #expect(sending.sender.wantsVideo)
    #expect(sending.keyFramesAsked == asked + 1)
    let late = try sending.media(MediaStream.Source.video).count - video
    #expect(late <= 11, "no more than the picture that was half sent")
  }

  @Test
  func `in a long silence sound becomes a probe, so that a line that stands still keeps little`()
    throws
  {
    var sending = SendingRun()
    sending.send(video: frame, isKeyFrame: true)
    sending.run(for: .milliseconds(33))
    sending.acknowledge()
    func speak(for seconds: Int) -> Int {
      let before = sending.packets.count
      for _ in 0..<50 * seconds {
        sending.send(audio: [0x78, 1])
        sending.run(for: .milliseconds(20))
      }
      return sending.packets.count - before
    }
    #expect(speak(for: 1) >= 50)
    _ = speak(for: 2)
    let probes = speak(for: 4)
    #expect((16...30).contains(probes), "five to seven a second, not fifty: \(probes)")
    let last = try sending.packets.suffix(probes).map { try RTPPacket(decoding: $0).source }
    #expect(last.allSatisfy { $0 == MediaStream.Source.audio }, "none as large as a picture's")
  }

  @Test func `what stood in the line through a silence lowers nothing when it comes`() throws {
    var sending = SendingRun()
    for number in 0..<90 {
      sending.send(video: [UInt8](repeating: 1, count: 3_000), isKeyFrame: number == 0)
      sending.run(for: .milliseconds(33))
      sending.acknowledge(from: max(0, sending.packets.count - 20))
    }
    let usual = sending.sender.target
    let first = sending.packets.count
    for _ in 0..<20 {
      sending.send(audio: [0x78, 1])
      sending.run(for: .milliseconds(500))
    }
    // All of it at once, ten seconds late; the key frame that follows finds half of the rate.
    sending.acknowledge(after: .seconds(10), from: first)
    #expect(sending.sender.target == usual * 0.5)
    #expect(sending.sender.wantsVideo)
    for number in 0..<30 {
      let newest = sending.packets.count
      sending.send(video: [UInt8](repeating: 1, count: 3_000), isKeyFrame: number == 0)
      sending.run(for: .milliseconds(33))
      sending.acknowledge(from: newest)
    }
    #expect(sending.sender.target > usual * 0.95, "a second later nothing of it is left")
  }

  @Test func `a stall before anything was sent does not exist`() {
    var sending = SendingRun()
    sending.handle(.limit(.kilobits(1_000)))
    sending.run(for: .seconds(5))
    #expect(sending.sender.wantsVideo)
    #expect(sending.packets.isEmpty)
    #expect(sending.sender.nextDeadline == nil)
  }
}
