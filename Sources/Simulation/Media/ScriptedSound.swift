package import Media
package import Units
import Wire

/// One packet of a scripted microphone: from outside an Opus packet of one frame of 10 or 20 ms
/// (RFC 6716 §3.1), inside its number and a check.
package struct ScriptedSound: Hashable, Sendable {
  /// Which microphone made it.
  package var microphone: UInt32
  /// Counts the packets of one microphone from 1.
  package var number: UInt32

  /// 480 or 960.
  package var samples: Int

  private static let leastBytes = 17

  package init(microphone: UInt32, number: UInt32, samples: Int) {
    self.microphone = microphone
    self.number = number
    self.samples = samples
  }

  /// Hybrid, full band, mono, one frame of that many samples.
  private static func contents(_ samples: Int) -> UInt8 { (samples == 480 ? 14 : 15) << 3 }

  package func encoded(count: Int) -> [UInt8] {
    var writer = ByteWriter(reserving: count)
    writer.u8(Self.contents(samples))
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
      let samples = [480, 960].first(where: { bytes[0] == Self.contents($0) }),
      bytes.suffix(8).elementsEqual(Self.check(bytes.dropLast(8)))
    else { return nil }
    var reader = ByteReader(bytes[1...])
    guard let microphone = try? reader.u32(), let number = try? reader.u32() else { return nil }
    self.microphone = microphone
    self.number = number
    self.samples = samples
  }

  private static func check(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var hash = MixingHash(domain: 0x534F_554E)
    hash.absorb(bytes)
    return hash.bytes(8)
  }
}

/// A microphone and its encoder: numbered packets of a constant rate.
package struct ScriptedMicrophone: Sendable {
  package let microphone: UInt32
  private var number: UInt32 = 0

  package init(microphone: UInt32) { self.microphone = microphone }

  package mutating func packet(
    at capturedAt: Instant, bitrate: Bitrate, of duration: Interval
  ) -> EncodedAudioFrame {
    number += 1
    let sound = ScriptedSound(
      microphone: microphone, number: number, samples: AudioFormat.samples(in: duration))
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

  /// In-band redundancy holds the packet before.
  package func recover(from packet: [UInt8], count: Int) throws(MediaError) -> [Int16] {
    guard var sound = ScriptedSound(decoding: packet), sound.number > 0 else {
      throw MediaError(.malformed, "this packet is not a scripted one", remedy: "look at the wire")
    }
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
