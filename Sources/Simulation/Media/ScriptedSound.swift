package import Media
package import Units
import Wire

/// One packet of a scripted microphone: from outside an Opus packet of one frame (RFC 6716 §3.1),
/// inside its number and a check.
package struct ScriptedSound: Hashable, Sendable {
  /// Which microphone made it.
  package var microphone: UInt32
  /// Counts the packets of one microphone from 1.
  package var number: UInt32
  /// 480, 960, 1 920 or 2 880.
  package var samples: Int
  /// Holds the packet before again (RFC 6716 §2.1.7).
  package var hasRedundancy: Bool

  private static let leastBytes = 18
  private static let lengths = [480, 960, 1_920, 2_880]

  package init(microphone: UInt32, number: UInt32, samples: Int, hasRedundancy: Bool = false) {
    self.microphone = microphone
    self.number = number
    self.samples = samples
    self.hasRedundancy = hasRedundancy
  }

  /// SILK, wide band, mono, one frame of that many samples.
  private static func contents(_ samples: Int) -> UInt8 {
    UInt8(8 + (lengths.firstIndex(of: samples) ?? 1)) << 3
  }

  package func encoded(count: Int) -> [UInt8] {
    var writer = ByteWriter(reserving: count)
    writer.u8(Self.contents(samples))
    // Voice is active; redundancy.
    writer.u8(hasRedundancy ? 0xC0 : 0x80)
    writer.u32(microphone)
    writer.u32(number)
    let filler = max(0, count - Self.leastBytes)
    writer.append(ScriptedPicture.filler(filler, from: Int(number)))
    writer.append(Self.check(writer.bytes[...]))
    return writer.bytes
  }

  /// `nil` unless every byte is as it was made.
  package init?(decoding bytes: [UInt8]) {
    guard bytes.count >= Self.leastBytes,
      let samples = Self.lengths.first(where: { bytes[0] == Self.contents($0) }),
      bytes.suffix(8).elementsEqual(Self.check(bytes.dropLast(8)))
    else { return nil }
    var reader = ByteReader(bytes[2...])
    guard let microphone = try? reader.u32(), let number = try? reader.u32() else { return nil }
    self.microphone = microphone
    self.number = number
    self.samples = samples
    hasRedundancy = bytes[1] & 0x40 != 0
  }

  private static func check(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var hash = MixingHash(domain: 0x534F_554E)
    hash.absorb(bytes)
    return hash.bytes(8)
  }
}

/// A microphone and its encoder: numbered packets of a constant rate, and redundancy where libopus
/// 1.3 gives it (`Tests/AudioCodecTests` compares).
package struct ScriptedMicrophone: Sendable {
  package let microphone: UInt32
  private var number: UInt32 = 0

  package init(microphone: UInt32) { self.microphone = microphone }

  /// Where libopus puts the packet before into the next one: speech of 20 ms or less, from 20 kbit/s on
  /// if a tenth is expected to be lost (10 ms packets: 24 kbit/s). Quiet packets have none.
  package static func hasRedundancy(
    bitrate: Bitrate, expectedLossPercent: Int, packet: Interval
  ) -> Bool {
    expectedLossPercent >= 10 && packet <= .milliseconds(20)
      && bitrate >= .kilobits(packet == .milliseconds(10) ? 24 : 20)
  }

  package mutating func packet(
    at capturedAt: Instant, bitrate: Bitrate, of duration: Interval,
    expectedLossPercent: Int = 0
  ) -> EncodedAudioFrame {
    number += 1
    // A speaker pauses a third of the time.
    let wasSpeech = number / 40 % 3 != 2
    let sound = ScriptedSound(
      microphone: microphone, number: number, samples: AudioFormat.samples(in: duration),
      hasRedundancy: wasSpeech
        && Self.hasRedundancy(
          bitrate: bitrate, expectedLossPercent: expectedLossPercent, packet: duration)
    )
    return EncodedAudioFrame(
      bytes: sound.encoded(count: bitrate.bytes(in: duration).bytes), samples: sound.samples,
      capturedAt: capturedAt)
  }
}

/// Decodes scripted packets to samples that all hold their packet's number (modulo 32 768), and
/// conceals by zeros.
package final class ScriptedAudioDecoder: AudioDecoder {
  package init() {}

  package func decode(_ packet: [UInt8]) throws(MediaError) -> [Int16] {
    guard let sound = ScriptedSound(decoding: packet) else {
      throw MediaError(.malformed, "this packet is not a scripted one", remedy: "look at the wire")
    }
    return Self.samples(of: sound, count: sound.samples)
  }

  /// In-band redundancy holds the packet before; without it libopus conceals.
  package func recover(from packet: [UInt8], count: Int) throws(MediaError) -> [Int16] {
    guard var sound = ScriptedSound(decoding: packet), sound.number > 0 else {
      throw MediaError(.malformed, "this packet is not a scripted one", remedy: "look at the wire")
    }
    guard sound.hasRedundancy else { return try conceal(count: count) }
    sound.number -= 1
    return Self.samples(of: sound, count: count)
  }

  package func conceal(count: Int) throws(MediaError) -> [Int16] {
    [Int16](repeating: 0, count: count)
  }

  private static func samples(of sound: ScriptedSound, count: Int) -> [Int16] {
    [Int16](repeating: Int16(truncatingIfNeeded: sound.number % 32_768), count: count)
  }
}
