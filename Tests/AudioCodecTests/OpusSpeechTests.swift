import AudioCodec
import Glibc
import Media
import Testing
import Units

struct OpusSpeechTests {
  /// A voice-like sound: harmonics of 150 Hz, louder and softer four times a second.
  private static let voice: [Int16] = (0..<96_000).map { sample in
    let time = Double(sample) / 48_000
    let envelope = 0.5 + 0.5 * sin(2 * .pi * 4 * time)
    let wave = (1...8).reduce(0.0) { $0 + sin(2 * .pi * 150 * Double($1) * time) / Double($1) }
    return Int16(wave * envelope * 6_000)
  }
  private func voice(_ range: Range<Int>) -> [Int16] { Array(Self.voice[range]) }

  /// How alike two sounds are: 1 for the same wave, 0 for unrelated ones.
  private func likeness(_ left: ArraySlice<Int16>, _ right: ArraySlice<Int16>) -> Double {
    var product = 0.0
    var powers = (1.0, 1.0)
    for (one, other) in zip(left, right) {
      product += Double(one) * Double(other)
      powers.0 += Double(one) * Double(one)
      powers.1 += Double(other) * Double(other)
    }
    return product / (powers.0 * powers.1).squareRoot()
  }

  @Test(arguments: [480, 960])
  func `speech comes back after the codec's delay`(_ count: Int) throws {
    let encoder = try OpusSpeechEncoder()
    let decoder = try OpusSpeechDecoder()
    encoder.set(bitrate: .kilobits(64), expectedLossPercent: 0)
    #expect(encoder.lookahead == 312)
    var sound: [Int16] = []
    for start in stride(from: 0, to: 48_000, by: count) {
      let packet = try encoder.encode(voice(start..<start + count))
      let samples = try decoder.decode(packet)
      #expect(samples.count == count)
      sound += samples
    }
    let best = stride(from: 0, to: 640, by: 8).max {
      likeness(sound[24_000..<36_000], Self.voice[24_000 - $0..<36_000 - $0])
        < likeness(sound[24_000..<36_000], Self.voice[24_000 - $1..<36_000 - $1])
    }
    let lag = try #require(best)
    #expect(likeness(sound[24_000...], Self.voice[24_000 - lag..<48_000 - lag]) > 0.8)
    // The high-pass before speech coding shifts low notes by some samples.
    #expect(abs(lag - encoder.lookahead) < 48, "\(lag)")
  }

  @Test(arguments: [(480, 16), (960, 24), (960, 64)])
  func `chirps are found after Opus, late by the codec's delay`(
    _ count: Int, _ kilobits: Int64
  ) throws {
    let encoder = try OpusSpeechEncoder()
    let decoder = try OpusSpeechDecoder()
    encoder.set(bitrate: .kilobits(kilobits), expectedLossPercent: 10)
    let start = Instant.zero + .milliseconds(5_500)
    let tone = ToneSignal().samples(from: start, count: 48_000 * 3)
    let heard = try stride(from: 0, to: tone.count, by: count).flatMap {
      try decoder.decode(try encoder.encode(Array(tone[$0..<$0 + count])))
    }
    let marks = ChirpDetector().marks(in: heard)
    #expect(marks.map(\.shape) == (6..<9).map { Chirp.shape(second: $0, voice: 0) })
    for (index, mark) in marks.enumerated() {
      let late = mark.start - 24_000 - 48_000 * index
      // Within a millisecond of it.
      #expect(abs(late - encoder.lookahead) < 48, "\(late)")
    }
  }

  @Test(arguments: [480, 960])
  func `redundancy in the next packet restores a lost one better than concealment`(
    _ count: Int
  ) throws {
    let encoder = try OpusSpeechEncoder()
    encoder.set(bitrate: .kilobits(40), expectedLossPercent: 20)
    let packets = try stride(from: 0, to: 96_000, by: count).map {
      try encoder.encode(voice($0..<$0 + count))
    }
    let whole = try OpusSpeechDecoder()
    let complete = try packets.map { try whole.decode($0) }
    func lossy(_ restore: (OpusSpeechDecoder, [UInt8]) throws -> [Int16]) throws -> Double {
      let decoder = try OpusSpeechDecoder()
      var sum = 0.0
      var lost = 0.0
      for index in packets.indices.dropLast() {
        if index % 7 == 5 {
          let restored = try restore(decoder, packets[index + 1])
          #expect(restored.count == count)
          sum += likeness(restored[...], complete[index][...])
          lost += 1
        } else {
          _ = try decoder.decode(packets[index])
        }
      }
      return sum / lost
    }
    let recovered = try lossy { decoder, next in try decoder.recover(from: next, count: count) }
    let concealed = try lossy { decoder, _ in try decoder.conceal(count: count) }
    #expect(recovered > 0.8)
    #expect(recovered > concealed)
  }

  @Test func `the rate follows what is asked for`() throws {
    func bytes(_ rate: Bitrate) throws -> Int {
      let encoder = try OpusSpeechEncoder(complexity: 5)
      encoder.set(bitrate: rate, expectedLossPercent: 0)
      return try stride(from: 0, to: 96_000, by: 960).reduce(0) {
        $0 + (try encoder.encode(voice($1..<$1 + 960)).count)
      }
    }
    let low = try bytes(.kilobits(16))
    let high = try bytes(.kilobits(64))
    #expect(low < 16_000 / 8 * 2 * 3 / 2)
    #expect(high > low * 2)
  }

  @Test(arguments: [0, 1, 479, 961, 1_440, 3_840])
  func `packets of other lengths are refused`(_ count: Int) throws {
    let encoder = try OpusSpeechEncoder()
    let silence = [Int16](repeating: 0, count: count)
    #expect(throws: MediaError.self) { _ = try encoder.encode(silence) }
  }

  @Test(arguments: [-120, 0, 100, 5_880])
  func `gaps that libopus cannot fill are refused`(_ count: Int) throws {
    let decoder = try OpusSpeechDecoder()
    #expect(throws: MediaError.self) { _ = try decoder.conceal(count: count) }
    #expect(throws: MediaError.self) { _ = try decoder.recover(from: [0xFC, 1, 2], count: count) }
  }

  @Test func `damaged packets are refused or decoded, never a trap`() throws {
    var random = SeededRandom(seed: 4)
    let encoder = try OpusSpeechEncoder()
    let decoder = try OpusSpeechDecoder()
    var refused = 0
    for round in 0..<10_000 {
      var packet = try encoder.encode(voice(round % 100 * 480..<round % 100 * 480 + 480))
      switch round % 4 {
      case 0: packet[Int.random(in: 0..<packet.count, using: &random)] ^= 0x55
      case 1: packet = Array(packet.prefix(Int.random(in: 0..<packet.count, using: &random)))
      case 2: packet = random.bytes(Int.random(in: 0...60, using: &random))
      default: break
      }
      do {
        let samples = try decoder.decode(packet)
        #expect(samples.count <= 5_760)
        _ = try decoder.recover(from: packet, count: 480)
      } catch {
        refused += 1
      }
    }
    #expect(refused > 10)
    #expect(throws: MediaError.self) { _ = try decoder.decode([]) }
  }
}
