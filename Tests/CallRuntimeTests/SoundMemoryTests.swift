import Call
import ErasureCoding
import Glibc
import Media
import Receiving
import Sending
import Testing
import Units
import Wire

@testable import CallRuntime

@Suite struct SoundMemoryTests {
  @Test func `ten minutes of lossy sound take no more memory than their first`() async {
    await #expect(processExitsWith: .success) {
      var path = SoundPath()
      path.run(for: .seconds(60))
      let before = SoundPath.residentBytes
      path.run(for: .seconds(540))
      let grown = SoundPath.residentBytes - before
      // Of 27 000 packets 100 bytes each would be ten times as much.
      #expect(before > 1_000_000)
      #expect(grown < 256 * 1_024, "\(grown) bytes")
      #expect(path.sent > 29_000)
      #expect(path.heard > 550 * AudioFormat.sampleRate)
    }
  }
}

/// Sound from the encoder's packets to the loudspeaker's samples, every tenth packet lost, over
/// clocks that drift apart.
private struct SoundPath {
  private var sender = MediaSender(erasureCode: CauchyErasureCode())
  private var receiver = MediaReceiver(erasureCode: CauchyErasureCode())
  private var voice = Voice(
    session: SessionID(bytes: [UInt8](repeating: 1, count: 16))!, decoder: RampDecoder())
  private var random = SeededRandom(seed: 1)
  private var now = Instant(nanoseconds: 1_000_000_000)
  private var blocks = 0
  private(set) var sent = 0
  /// Samples that were not silent.
  private(set) var heard = 0

  mutating func run(for duration: Interval) {
    let end = now + duration
    while now < end {
      if blocks % 2 == 0 { capture() }
      exchange()
      heard += voice.nextBlock(at: now).count { $0 != 0 }
      blocks += 1
      // The loudspeaker's clock is 0.01 % slower.
      now = now + .nanoseconds(10_001_000)
    }
  }

  private mutating func capture() {
    let size = 30 + sent % 20
    sender.handle(
      .audio(
        EncodedAudioFrame(
          bytes: [0x48, 0x80] + [UInt8](repeating: UInt8(sent & 0xFF), count: size), samples: 960,
          capturedAt: now - .milliseconds(20))), at: now)
  }

  private mutating func exchange() {
    sender.handle(.timeout, at: now)
    receiver.handle(.timeout, at: now)
    while let output = sender.nextOutput() {
      switch output {
      case .packet(let bytes):
        sent += 1
        if !random.chance(0.1) { receiver.handle(.packet(bytes[...]), at: now) }
      case .report(let bytes): receiver.handle(.report(bytes[...]), at: now)
      case .encoder, .audio, .keyFrameNeeded: break
      }
    }
    while let output = receiver.nextOutput() {
      switch output {
      case .audio(let packet): voice.insert(packet)
      case .audioHold(let hold): voice.hold(hold)
      case .report(let bytes): sender.handle(.feedback(bytes[...]), at: now)
      case .decode: break
      }
    }
    if case .audioPlayed(_, let timestamp, let at, let delay) = voice.playoutReport(
      at: now, deviceDelay: .milliseconds(20))
    {
      receiver.handle(.audioPlayed(rtpTimestamp: timestamp, at: at, deviceDelay: delay), at: now)
    }
    _ = voice.concealmentReport()
  }

  /// Of this process, now.
  static var residentBytes: Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var text = [CChar](repeating: 0, count: 128)
    guard fgets(&text, 128, file) != nil else { return 0 }
    let bytes = text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
    let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
  }
}

/// Decodes every packet to one wave of 200 samples a period.
private final class RampDecoder: AudioDecoder {
  private var phase = 0

  func decode(_ packet: [UInt8]) throws(MediaError) -> [Int16] { wave(960) }
  func recover(from packet: [UInt8], count: Int) throws(MediaError) -> [Int16] { wave(count) }
  func conceal(count: Int) throws(MediaError) -> [Int16] { wave(count) }

  private func wave(_ count: Int) -> [Int16] {
    (0..<count).map { _ in
      phase = (phase + 1) % 200
      return Int16((phase < 100 ? phase - 50 : 150 - phase) * 100 + 7)
    }
  }
}
