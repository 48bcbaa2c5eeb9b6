import Call
import Media
import Receiving
import Testing
import Units
import Wire

@testable import CallRuntime

/// Decodes every packet to the next stretch of one long wave of 220 samples a period.
private final class WaveDecoder: AudioDecoder {
  private(set) var concealed = 0
  static let period = 220

  static func sample(_ place: Int) -> Int16 {
    let phase = place % period
    return Int16((phase < 110 ? phase - 55 : 165 - phase) * 100)
  }
  func decode(_ packet: [UInt8]) throws(MediaError) -> [Int16] {
    let number = Int(packet[2]) << 8 | Int(packet[3])
    return (0..<480).map { Self.sample(number * 480 + $0) }
  }
  func recover(from packet: [UInt8], count: Int) throws(MediaError) -> [Int16] {
    try conceal(count: count)
  }
  func conceal(count: Int) throws(MediaError) -> [Int16] {
    concealed += count
    return [Int16](repeating: 0, count: count)
  }
}

@Suite struct VoiceTests {
  /// What is played of packets of 10 ms that come late by `lateness`; the steepest step in it.
  private func play(
    _ count: Int, lateness: (Int) -> Interval?
  ) -> (samples: [Int16], decoder: WaveDecoder) {
    let decoder = WaveDecoder()
    var voice = Voice(
      session: SessionID(bytes: [UInt8](repeating: 1, count: 16))!, decoder: decoder)
    var played: [Int16] = []
    let start = Instant(nanoseconds: 1_000_000_000)
    var waiting = (0..<count).compactMap { number in
      lateness(number).map { (start + .milliseconds(Int64(number) * 10) + $0, number) }
    }.sorted { $0.0 < $1.0 }
    for tick in 0..<count {
      let now = start + .milliseconds(Int64(tick) * 10 + 2)
      while let first = waiting.first, first.0 <= now {
        waiting.removeFirst()
        voice.insert(
          AudioPacket(
            bytes: [0x70, 0, UInt8(first.1 >> 8), UInt8(first.1 & 0xFF)],
            rtpTimestamp: Int64(first.1) * 480, index: PacketIndex(Int64(first.1)), samples: 480,
            arrivedAt: first.0))
      }
      played += voice.nextBlock(at: now)
    }
    return (played, decoder)
  }

  private func steepest(_ samples: ArraySlice<Int16>) -> Int {
    zip(samples, samples.dropFirst()).map { abs(Int($0) - Int($1)) }.max() ?? 0
  }

  @Test func `on a clean path sound is played as it was decoded`() {
    let (samples, decoder) = play(300) { _ in .milliseconds(5) }
    #expect(decoder.concealed == 0)
    let sound = samples.drop { $0 == 0 }
    #expect(sound.count >= 298 * 480)
    #expect(steepest(sound) == 100)
  }

  @Test func `when the path becomes slower and faster again the wave stays whole`() {
    // 40 ms later for two seconds, reached and left in steps too small to hear.
    let (samples, decoder) = play(1_500) { number in
      switch number {
      case 300..<700: .milliseconds(5 + min(40, Int64(number - 300)))
      case 700..<740: .milliseconds(5 + Int64(740 - number))
      default: .milliseconds(5)
      }
    }
    #expect(decoder.concealed <= 480 * 5)
    let sound = Array(samples.drop { $0 == 0 })
    // A fade of two alike stretches is hardly steeper than they are.
    let steps = zip(sound, sound.dropFirst()).count { abs(Int($0) - Int($1)) > 250 }
    #expect(steps <= 12, "only where something was concealed: \(steps)")
    // Back at the old delay: the end is as late as the beginning was.
    let last = samples.suffix(480)
    #expect(steepest(last) <= 250)
  }

  @Test(arguments: [60, 61])
  func `what was decoded before a stop of the process is not played after it`(end: Int) {
    var voice = Voice(
      session: SessionID(bytes: [UInt8](repeating: 1, count: 16))!, decoder: MarkDecoder())
    let start = Instant(nanoseconds: 1_000_000_000)
    func play(_ ticks: ClosedRange<Int>, marked mark: UInt8) -> [Int16] {
      var played: [Int16] = []
      for tick in ticks {
        let now = start + .milliseconds(Int64(tick) * 10)
        if tick % 2 == 0 {
          voice.insert(
            AudioPacket(
              bytes: [0x78, 0, mark], rtpTimestamp: Int64(tick) * 480,
              index: PacketIndex(Int64(tick / 2)), samples: 960, arrivedAt: now))
        }
        played += Array(voice.nextBlock(at: now))
      }
      return played
    }
    #expect(play(0...end, marked: 1).last == 1)
    let after = play(1_100...1_140, marked: 2)
    #expect(!after.contains(1))
    #expect(after.count { $0 == 2 } > 35 * 480)
  }
}

/// Decodes every packet to samples of its mark.
private final class MarkDecoder: AudioDecoder {
  func decode(_ packet: [UInt8]) throws(MediaError) -> [Int16] {
    [Int16](repeating: Int16(packet[2]), count: 960)
  }
  func recover(from packet: [UInt8], count: Int) throws(MediaError) -> [Int16] {
    [Int16](repeating: 0, count: count)
  }
  func conceal(count: Int) throws(MediaError) -> [Int16] { [Int16](repeating: 0, count: count) }
}
