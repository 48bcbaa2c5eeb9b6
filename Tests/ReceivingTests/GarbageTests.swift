import ErasureCoding
import Media
import Receiving
import Sending
import Testing
import Units
import Wire

@Suite struct GarbageTests {
  /// Real packets and reports of a short call, both ways.
  private func recorded() -> (packets: [[UInt8]], reports: [[UInt8]]) {
    var sender = MediaSender(erasureCode: CauchyErasureCode())
    var receiver = MediaReceiver(erasureCode: CauchyErasureCode())
    var packets: [[UInt8]] = []
    var reports: [[UInt8]] = []
    for step in 0..<20 {
      let now = Instant(nanoseconds: Int64(step) * 33_000_000)
      let frame = ScriptedFrame(
        number: step, reference: step == 0 ? nil : step - 1, byteCount: 3_000)
      sender.handle(
        .video(
          EncodedVideoFrame(
            bytes: frame.bytes, isKeyFrame: step == 0, size: ScriptedFrame.size, capturedAt: now)),
        at: now)
      sender.handle(
        .audio(EncodedAudioFrame(bytes: [0x78, 1, 2], samples: 960, capturedAt: now)), at: now)
      sender.handle(.timeout, at: now + .milliseconds(20))
      while let output = sender.nextOutput() {
        switch output {
        case .packet(let bytes):
          packets.append(bytes)
          // Every fifth is lost, so that NACKs are among the reports.
          if packets.count % 5 != 0 {
            receiver.handle(.packet(bytes[...]), at: now + .milliseconds(20))
          }
        case .report(let bytes): reports.append(bytes)
        default: break
        }
      }
      receiver.handle(.timeout, at: now + .milliseconds(30))
      while let output = receiver.nextOutput() {
        guard case .report(let bytes) = output else { continue }
        reports.append(bytes)
        // The sender learns of the losses, so that parity is among the packets.
        sender.handle(.feedback(bytes[...]), at: now + .milliseconds(30))
      }
    }
    return (packets, reports)
  }

  private func mutated(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    var bytes = bytes
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return random.bytes(Int.random(in: 0..<80, using: &random))
    case 1: return Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
    default:
      for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
        // Mostly headers: the rest is payload.
        let at = Int.random(in: 0..<min(bytes.count, 40), using: &random)
        bytes[at] = random.bytes(1)[0]
      }
      return bytes
    }
  }

  @Test(arguments: [1, 2] as [UInt64])
  func `fifty thousand broken packets and reports trap neither end and stall no deadline`(
    seed: UInt64
  ) {
    let (packets, reports) = recorded()
    #expect(packets.count > 60)
    let sources = packets.compactMap { (try? RTPPacket(decoding: $0))?.source }
    #expect(sources.count { $0 == MediaStream.Source.videoParity } > 10)
    #expect(reports.count > 10)
    var random = SeededRandom(seed: seed)
    var sender = MediaSender(erasureCode: CauchyErasureCode())
    var receiver = MediaReceiver(erasureCode: CauchyErasureCode())
    var audio = AudioJitterBuffer()
    var now = Instant(nanoseconds: 1)
    var pastDeadlines = 0
    for step in 0..<50_000 {
      now += .microseconds(Int64.random(in: 0...3_000, using: &random))
      if random.chance(0.5) {
        receiver.handle(
          .packet(mutated(packets.randomElement(using: &random)!, &random)[...]), at: now)
      } else {
        let bytes = mutated(reports.randomElement(using: &random)!, &random)
        receiver.handle(.report(bytes[...]), at: now)
        sender.handle(.feedback(bytes[...]), at: now)
      }
      if step % 16 == 0 {
        let frame = ScriptedFrame(
          number: step, reference: step % 160 == 0 ? nil : 1, byteCount: 2_000)
        sender.handle(
          .video(
            EncodedVideoFrame(
              bytes: frame.bytes, isKeyFrame: frame.reference == nil, size: ScriptedFrame.size,
              capturedAt: now)), at: now)
        _ = audio.pull(pending: random.chance(0.5) ? 0 : 480, at: now)
        receiver.handle(.timeout, at: now)
        sender.handle(.timeout, at: now)
        if let deadline = receiver.nextDeadline, deadline.at <= now { pastDeadlines += 1 }
        if let deadline = sender.nextDeadline, deadline.at <= now { pastDeadlines += 1 }
      }
      while let output = receiver.nextOutput() {
        if case .audio(let packet) = output { audio.insert(packet) }
      }
      while sender.nextOutput() != nil {}
    }
    #expect(pastDeadlines == 0)
    #expect(receiver.refused > 1_000)
    #expect(sender.target >= .kilobits(80))
  }

  @Test func `a key frame of an absurd size is not given out`() {
    for (width, height) in [(0, 720), (1_281, 720), (16_383, 16_383), (8, 8)] {
      var frame = ScriptedFrame(number: 0, reference: nil, byteCount: 100).bytes
      frame[6] = UInt8(width & 0xFF)
      frame[7] = UInt8(width >> 8)
      frame[8] = UInt8(height & 0xFF)
      frame[9] = UInt8(height >> 8)
      var sender = MediaSender(erasureCode: CauchyErasureCode())
      var receiver = MediaReceiver(erasureCode: CauchyErasureCode())
      sender.handle(
        .video(
          EncodedVideoFrame(
            bytes: frame, isKeyFrame: true, size: ScriptedFrame.size, capturedAt: .zero)),
        at: .zero)
      while let output = sender.nextOutput() {
        if case .packet(let bytes) = output { receiver.handle(.packet(bytes[...]), at: .zero) }
      }
      while let output = receiver.nextOutput() {
        if case .decode = output { Issue.record("given out at \(width)x\(height)") }
      }
    }
  }
}
