import Testing
import Units

@testable import Media

struct ToneSignalTests {
  private static let values: [(turns: Double, sine: Double)] = [
    (0, 0), (0.25, 1), (0.5, 0), (0.75, -1), (1.0 / 12, 0.5), (1e6 + 0.25, 1), (-0.25, -1),
    (0.125, 0.707_106_781_186_547_5),
  ]

  @Test(arguments: values)
  func `the sine is right to nine places`(_ turns: Double, _ value: Double) {
    #expect(abs(sine(turns: turns) - value) < 1e-9)
  }

  @Test func `blocks join without a seam wherever the clock starts`() {
    let tone = ToneSignal()
    let start = Instant(nanoseconds: 7_995_123_457)
    let whole = tone.samples(from: start, count: 4_800)
    let blocks = (0..<10).flatMap {
      tone.samples(from: start + .milliseconds(10 * $0), count: 480)
    }
    #expect(whole == blocks)
  }

  @Test(arguments: 0..<4)
  func `every second's chirp is found at its sample`(_ voice: Int) {
    let start = Instant(nanoseconds: 99_600_000_000)
    let sound = ToneSignal(voice: voice).samples(from: start, count: 48_000 * 4)
    let marks = ChirpDetector().marks(in: sound)
    #expect(marks.map(\.start) == (0..<4).map { 19_200 + 48_000 * $0 })
    #expect(marks.map(\.shape) == (100..<104).map { Chirp.shape(second: $0, voice: voice) })
    #expect(marks.allSatisfy { $0.strength > 0.98 })
  }

  @Test func `chirps are found in a mixture of two voices and noise`() {
    var random = SeededRandom(seed: 3)
    let one = ToneSignal(voice: 0).samples(from: .zero + .milliseconds(500), count: 144_000)
    let other = ToneSignal(voice: 1).samples(from: .zero + .milliseconds(470), count: 144_000)
    let sound = zip(one, other).map { left, right in
      Int16(clamping: Int(left) + Int(right) + Int(random.next() >> 52) - 2_048)
    }
    let marks = ChirpDetector().marks(in: sound)
    #expect(marks.count == 6)
    for second in 0..<3 {
      for (voice, offset) in [(0, 24_000), (1, 25_440)] {
        let shape = Chirp.shape(second: Int64(second) + 1, voice: voice)
        let start = offset + second * 48_000
        #expect(marks.contains { $0.shape == shape && abs($0.start - start) <= 6 })
      }
    }
  }

  @Test func `no chirp is heard in silence, noise or the tone between them`() {
    var random = SeededRandom(seed: 4)
    let noise = (0..<96_000).map { _ in Int16(truncatingIfNeeded: Int(random.next() >> 50) - 8_192)
    }
    let tone = ToneSignal().samples(from: .zero + .milliseconds(100), count: 40_000)
    for sound in [[Int16](repeating: 0, count: 96_000), noise, tone, []] {
      #expect(ChirpDetector().marks(in: sound).isEmpty)
    }
  }

  @Test func `chirps can be added to other sound`() {
    var sound = [Int16](repeating: 900, count: 96_000)
    ToneSignal().addChirps(to: &sound, from: .zero + .milliseconds(250))
    let marks = ChirpDetector().marks(in: sound)
    #expect(marks.map(\.start) == [36_000, 84_000])
    #expect(sound[0] == 900)
  }
}
