import Media
import Sending
import Testing
import Units
import Wire

@Suite struct PacketizingTests {
  @Test(arguments: [1, 1_097, 1_098, 5_000, 60_000])
  func `a picture is cut into nearly equal parts that fit, and comes out whole`(count: Int) throws {
    var sending = SendingRun()
    let frame = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    sending.send(video: frame, isKeyFrame: true)
    sending.run(for: .milliseconds(200))
    let packets = try sending.media(MediaStream.Source.video)
    let payloads = try packets.map { try VP8Payload(decoding: $0.payload) }
    #expect(payloads.flatMap(\.part) == frame)
    #expect(packets.count == (count + 1_096) / 1_097)
    #expect(packets.map(\.isMarked) == packets.indices.map { $0 == packets.count - 1 })
    #expect(payloads.map(\.startsFrame) == packets.indices.map { $0 == 0 })
    #expect(Set(packets.map(\.timestamp)).count == 1)
    let sizes = payloads.map(\.part.count)
    #expect(sizes.max()! - sizes.min()! <= 1)
    #expect(sending.packets.allSatisfy { $0.count <= MediaStream.packetLimit - 7 })
  }

  @Test func `picture ids, base-layer indices and sequence numbers count on across their wraps`()
    throws
  {
    var configuration = SendingConfiguration()
    configuration.firstSequence = 65_534
    var sending = SendingRun(configuration)
    for number in 0..<6 {
      sending.send(
        video: [UInt8](repeating: 1, count: 1_500), isKeyFrame: number == 0, layer: number % 2)
      sending.run(for: .milliseconds(33))
    }
    let packets = try sending.media(MediaStream.Source.video)
    #expect(packets.map(\.sequence.value) == (0..<12).map { UInt16(65_534) &+ $0 })
    let payloads = try packets.map { try VP8Payload(decoding: $0.payload) }
    #expect(
      payloads.map(\.pictureID) == [
        32_766, 32_766, 32_767, 32_767, 0, 0, 1, 1, 2, 2, 3, 3,
      ])
    #expect(payloads.map(\.baseLayerIndex) == [255, 255, 255, 255, 0, 0, 0, 0, 1, 1, 1, 1])
    #expect(payloads.map(\.temporalLayer) == [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1])
    let transport = try sending.packets.map { try RTPPacket(decoding: $0).transportSequence?.value }
    #expect(transport == (0..<12).map { UInt16(65_534) &+ $0 })
  }

  @Test func `video timestamps are 90 kHz of the capture instants`() throws {
    var sending = SendingRun()
    for _ in 0..<3 {
      sending.send(video: [0x10], isKeyFrame: true)
      sending.run(for: .milliseconds(40))
    }
    let stamps = try sending.media(MediaStream.Source.video).map(\.timestamp)
    #expect(zip(stamps, stamps.dropFirst()).allSatisfy { $1 &- $0 == 3_600 })
  }

  @Test func `sound that an encoder held while the process stood still is not sent`() throws {
    var sending = SendingRun()
    for _ in 0..<10 {
      sending.send(audio: [0x78, 1])
      sending.run(for: .milliseconds(20))
    }
    sending.run(for: .seconds(10))
    sending.send(audio: [0x78, 2], capturedLate: .milliseconds(-361))
    sending.send(audio: [0x78, 3], capturedLate: .milliseconds(-60))
    let packets = try sending.media(MediaStream.Source.audio)
    #expect(packets.count == 11)
    #expect(packets.last?.payload == [0x78, 3])
  }

  @Test func `audio timestamps count samples, and jump over a pause with a marker`() throws {
    var sending = SendingRun()
    for number in 0..<10 {
      if number == 5 { sending.run(for: .milliseconds(1_000)) }
      // Capture instants that jitter by a device's period change nothing.
      sending.send(audio: [0x78, 1], capturedLate: number % 2 == 0 ? .milliseconds(4) : .zero)
      sending.run(for: .milliseconds(20))
    }
    let packets = try sending.media(MediaStream.Source.audio)
    let steps = zip(packets, packets.dropFirst()).map { Int($1.timestamp &- $0.timestamp) }
    #expect(steps.enumerated().allSatisfy { $0 == 4 || $1 == 960 })
    #expect(abs(steps[4] - 960 - 48_000) < 480)
    #expect(packets.map(\.isMarked) == (0..<10).map { $0 == 0 || $0 == 5 })
    // Nothing is known of the path yet: copies go along.
    #expect(packets.first?.payloadType == MediaStream.PayloadType.opus)
    #expect(
      packets.dropFirst().prefix(3).allSatisfy {
        $0.payloadType == MediaStream.PayloadType.redundantOpus
      })
  }

  @Test func `reports go again with the first packet on a stream that takes over`() {
    var sending = SendingRun()
    for _ in 0..<110 {
      sending.send(audio: [0x78, 1])
      sending.run(for: .milliseconds(20))
    }
    let told = sending.reports.count
    #expect((4...5).contains(told))
    sending.handle(.stream)
    sending.send(audio: [0x78, 1])
    #expect(sending.reports.count == told + 1)
    sending.send(audio: [0x78, 1])
    #expect(sending.reports.count == told + 1)
  }

  @Test func `sender reports put both media on one clock, at the first packet and every second`()
    throws
  {
    var sending = SendingRun()
    for _ in 0..<150 {
      sending.send(video: [UInt8](repeating: 1, count: 50), isKeyFrame: true)
      sending.send(audio: [0x78, 1])
      sending.run(for: .milliseconds(20))
      sending.acknowledge(from: sending.packets.count - 2)
    }
    var video: [SenderReport] = []
    var audio: [SenderReport] = []
    for bytes in sending.reports {
      for case .senderReport(let report) in try RTCPCompound(decoding: bytes).packets {
        if report.source == MediaStream.Source.video {
          video.append(report)
        } else {
          audio.append(report)
        }
      }
    }
    #expect((5...8).contains(video.count))
    #expect((5...8).contains(audio.count))
    let seconds = { (report: SenderReport) in Double(report.time) / 4_294_967_296 }
    let first = try #require(video.first)
    let last = try #require(video.last)
    let ticks = Double(last.timestamp &- first.timestamp)
    #expect(abs(ticks / 90_000 - (seconds(last) - seconds(first))) < 0.001)
    #expect(last.packetCount > 100)
    let firstSound = try #require(audio.first)
    let lastSound = try #require(audio.last)
    let samples = Double(lastSound.timestamp &- firstSound.timestamp)
    #expect(abs(samples / 48_000 - (seconds(lastSound) - seconds(firstSound))) < 0.002)
  }

  @Test func `an empty picture, an empty or an oversized sound packet is not sent`() {
    var sending = SendingRun()
    sending.send(video: [], isKeyFrame: true)
    sending.send(audio: [])
    sending.send(audio: [UInt8](repeating: 0x78, count: 1_200))
    sending.run(for: .milliseconds(100))
    #expect(sending.packets.isEmpty)
  }
}
