import Media
import Sending
import Testing
import Units
import Wire

@Suite struct RepairTests {
  private func sent() -> SendingRun {
    var sending = SendingRun()
    sending.handle(.roundTrip(.milliseconds(40)))
    // Past the first second, in which every repair is sent twice.
    sending.send(video: [0x10, 1, 2], isKeyFrame: true)
    sending.run(for: .milliseconds(20))
    sending.acknowledge()
    sending.run(for: .milliseconds(1_100))
    sending.send(video: (0..<5_000).map { UInt8(truncatingIfNeeded: $0) }, isKeyFrame: true)
    sending.run(for: .milliseconds(100))
    return sending
  }

  private func nack(_ numbers: UInt16...) -> RTCPCompound.Packet {
    .nack(
      GenericNack(
        reporter: 2, source: MediaStream.Source.video, lost: numbers.map { SequenceNumber($0) }))
  }

  @Test func `a packet asked for comes again on the repair source with its number in front`() throws
  {
    var sending = sent()
    sending.feed(nack(1, 3))
    let originals = try sending.media(MediaStream.Source.video)
    let repairs = try sending.media(MediaStream.Source.videoRepair)
    #expect(repairs.map(\.payloadType) == [97, 97])
    #expect(repairs.map(\.sequence.value) == [0, 1])
    for (repair, original) in zip(repairs, [originals[1], originals[3]]) {
      let payload = try RetransmissionPayload(decoding: repair.payload)
      #expect(payload.original == original.sequence)
      #expect(payload.payload == original.payload)
      #expect(repair.timestamp == original.timestamp)
      #expect(repair.isMarked == original.isMarked)
    }
    #expect(sending.packets.allSatisfy { $0.count <= MediaStream.packetLimit })
  }

  @Test func `in the first second every repair is sent twice`() throws {
    var sending = SendingRun()
    sending.handle(.roundTrip(.milliseconds(40)))
    sending.send(video: [UInt8](repeating: 0x10, count: 5_000), isKeyFrame: true)
    sending.run(for: .milliseconds(100))
    sending.feed(nack(1, 3))
    #expect(try sending.media(MediaStream.Source.videoRepair).count == 4)
  }

  @Test func `repair of a whole outage is spread, not one burst that is lost again`() throws {
    var sending = sent()
    sending.handle(.limit(.kilobits(400)))
    sending.send(video: [UInt8](repeating: 0x10, count: 60_000), isKeyFrame: true)
    for _ in 0..<100 {
      sending.run(for: .milliseconds(10))
      sending.acknowledge()
    }
    let before = sending.packets.count
    let newest = try #require(try sending.media(MediaStream.Source.video).last).sequence.value
    let lost = (newest - 45...newest).map { SequenceNumber($0) }
    sending.feed(
      .nack(GenericNack(reporter: 2, source: MediaStream.Source.video, lost: lost)))
    for _ in 0..<100 {
      sending.run(for: .milliseconds(10))
      sending.acknowledge()
    }
    let repairs = Array(zip(sending.packets, sending.sentAt).dropFirst(before)).filter {
      (try? RTPPacket(decoding: $0.0))?.source == MediaStream.Source.videoRepair
    }
    #expect(repairs.count == 22, "half a second of 400 kbit/s")
    let span = try #require(repairs.last).1 - repairs[0].1
    // All but the last 12 kB at 1 Mbit/s.
    #expect(span > .milliseconds(100))
    #expect(span < .milliseconds(150))
  }

  @Test func `a key frame is sent in place of repair that costs more`() throws {
    var sending = sent()
    sending.handle(.limit(.kilobits(400)))
    sending.send(video: [UInt8](repeating: 0x11, count: 60_000), isKeyFrame: false)
    for _ in 0..<130 {
      sending.run(for: .milliseconds(10))
      sending.acknowledge()
    }
    let asked = sending.keyFramesAsked
    let newest = try #require(try sending.media(MediaStream.Source.video).last).sequence.value
    let lost = (newest - 45...newest).map { SequenceNumber($0) }
    sending.feed(
      .nack(GenericNack(reporter: 2, source: MediaStream.Source.video, lost: lost)))
    #expect(sending.keyFramesAsked == asked + 1)
    for _ in 0..<50 {
      sending.run(for: .milliseconds(10))
      sending.acknowledge()
    }
    #expect(try sending.media(MediaStream.Source.videoRepair).count <= 1)
    sending.send(video: [0x10, 1, 2], isKeyFrame: true)
    sending.run(for: .milliseconds(20))
    #expect(try sending.media(MediaStream.Source.video).last?.payload.last == 2)
  }

  /// A frame of thirty packets, every second of which is lost while the others take so long.
  private func halfLost(after delay: Interval, packets: Int = 30) -> SendingRun {
    var sending = sent()
    sending.handle(.limit(.kilobits(400)))
    for _ in 0..<130 {
      sending.run(for: .milliseconds(10))
      sending.acknowledge()
    }
    let first = sending.packets.count
    sending.send(video: [UInt8](repeating: 0x11, count: packets * 1_000), isKeyFrame: false)
    for _ in 0..<10 {
      sending.run(for: .milliseconds(100))
      sending.tell(from: first) { $0 % 2 == 0 ? delay : nil }
    }
    return sending
  }

  @Test func `what an overfull queue has lost is made anew before anybody asks for it`() throws {
    let asked = sent().keyFramesAsked
    #expect(halfLost(after: .milliseconds(200)).keyFramesAsked == asked + 1)
    // Little of it is repaired for less, and what is lost by chance is too.
    #expect(halfLost(after: .milliseconds(200), packets: 8).keyFramesAsked == asked)
    #expect(halfLost(after: .milliseconds(10)).keyFramesAsked == asked)
  }

  @Test func `what is lost to a queue is made anew once, however long the queue stands`() {
    var sending = halfLost(after: .milliseconds(200))
    let asked = sending.keyFramesAsked
    sending.send(video: [0x10, 1, 2], isKeyFrame: true)
    for _ in 0..<80 {
      let first = sending.packets.count
      sending.send(video: [0x11, 1, 2], isKeyFrame: false)
      sending.run(for: .milliseconds(100))
      sending.acknowledge(after: .milliseconds(200), from: first)
    }
    #expect(sending.keyFramesAsked == asked)
  }

  @Test func `a repair is sent twice where packets are lost by chance, once behind a full queue`()
    throws
  {
    for (delay, count) in [(Interval.milliseconds(10), 2), (.milliseconds(200), 1)] {
      var sending = halfLost(after: delay, packets: 8)
      let before = try sending.media(MediaStream.Source.videoRepair).count
      let newest = try #require(try sending.media(MediaStream.Source.video).last).sequence.value
      sending.feed(nack(newest))
      for _ in 0..<10 {
        sending.run(for: .milliseconds(10))
        sending.acknowledge()
      }
      #expect(try sending.media(MediaStream.Source.videoRepair).count - before == count)
    }
  }

  @Test func `a second request within a round trip is not answered, a later one twice`() throws {
    var sending = sent()
    sending.feed(nack(2))
    sending.run(for: .milliseconds(20))
    sending.feed(nack(2))
    #expect(try sending.media(MediaStream.Source.videoRepair).count == 1)
    sending.run(for: .milliseconds(30))
    sending.feed(nack(2))
    sending.run(for: .milliseconds(10))
    #expect(try sending.media(MediaStream.Source.videoRepair).count == 3)
  }

  @Test func `what is unknown, too old, of another source or before a key frame is not repaired`()
    throws
  {
    var sending = sent()
    sending.feed(nack(700, 65_535))
    sending.feed(
      .nack(GenericNack(reporter: 2, source: 9, lost: [SequenceNumber(1)])))
    sending.send(video: [0x10, 1, 2], isKeyFrame: true)
    sending.run(for: .milliseconds(50))
    sending.feed(nack(1))
    sending.run(for: .seconds(3))
    sending.feed(nack(6))
    sending.run(for: .milliseconds(50))
    let repairs = try sending.media(MediaStream.Source.videoRepair)
    // Only probes of the newest packet, since this receiver never answers.
    let originals = try repairs.map { try RetransmissionPayload(decoding: $0.payload).original }
    #expect(originals.allSatisfy { $0 == SequenceNumber(6) })
  }

  @Test func `a picture loss is answered with a key frame, but not while a fresh one is under way`()
  {
    var sending = sent()
    let loss = RTCPCompound.Packet.pictureLoss(
      PictureLossIndication(reporter: 2, source: MediaStream.Source.video))
    #expect(sending.keyFramesAsked == 1)
    sending.feed(loss)
    #expect(sending.keyFramesAsked == 2)
    sending.feed(loss)
    #expect(sending.keyFramesAsked == 2, "asked a moment ago")
    sending.send(video: [0x10, 1], isKeyFrame: true)
    sending.run(for: .milliseconds(20))
    sending.feed(loss)
    #expect(sending.keyFramesAsked == 2, "it was sent before that one could be seen")
    sending.run(for: .milliseconds(60))
    sending.feed(loss)
    #expect(sending.keyFramesAsked == 3)
  }
}
