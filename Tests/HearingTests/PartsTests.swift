import Media
import Testing
import Units

@testable import Hearing

@Suite struct RealTransformTests {
  @Test func `each bin is what the definition says`() {
    var random = SeededRandom(seed: 3)
    let sound = (0..<1_024).map { _ in Float(random.unit() - 0.5) }
    let transform = RealTransform()
    let spectrum = Spectrum()
    transform.forward(sound, spectrum.real.values, spectrum.imaginary.values)
    for bin in [0, 1, 2, 100, 255, 256, 300, 511] {
      var re = 0.0
      var im = 0.0
      for (index, sample) in sound.enumerated() {
        let turns = Double(index * bin % 1_024) / 1_024
        re += Double(sample) * sine(turns: turns + 0.25)
        im -= Double(sample) * sine(turns: turns)
      }
      #expect(abs(re - Double(spectrum.real.values[bin])) < 1e-3, "bin \(bin)")
      #expect(abs(im - Double(spectrum.imaginary.values[bin])) < 1e-3, "bin \(bin)")
    }
  }

  @Test func `back and forth gives the samples again`() {
    // Nothing at 24 kHz, which has no bin.
    let sound = (0..<1_024).map { Float(sine(turns: Double($0) * 0.01) + 0.2) }
    let transform = RealTransform()
    let spectrum = Spectrum()
    transform.forward(sound, spectrum.real.values, spectrum.imaginary.values)
    var back = [Float](repeating: 0, count: 1_024)
    transform.inverse(spectrum.real.values, spectrum.imaginary.values, &back)
    // The ramp at the ends has a little at 24 kHz.
    #expect(zip(sound, back).allSatisfy { abs($0 - $1) < 0.01 })
  }
}

@Suite struct SampleClockTests {
  @Test(arguments: [-100e-6, 0, 100e-6])
  func `a clock's rate is found under jitter`(rate: Double) {
    var clock = SampleClock()
    var random = SeededRandom(seed: 4)
    for block in 0..<1_500 {
      let jitter = (random.unit() - 0.5) * 1e-3
      let stamp = Instant.zero + .seconds(1 + Double(block) * 0.01 * (1 + rate) + jitter)
      #expect(clock.note(stamp) == .zero)
    }
    #expect(abs(clock.rate - rate) < 10e-6)
    let truth = Instant.zero + .seconds(1 + 1_499 * 0.01 * (1 + rate))
    #expect((clock.time - truth).magnitude < .microseconds(150))
  }

  @Test func `a gap is told and does not bend the rate`() {
    var clock = SampleClock()
    for block in 0..<500 { _ = clock.note(.zero + .milliseconds(Int64(10 * block))) }
    let jump = clock.note(.zero + .milliseconds(5_040))
    #expect((jump - .milliseconds(40)).magnitude < .microseconds(100))
    #expect(abs(clock.rate) < 1e-6)
  }
}

@Suite struct EchoReferenceTests {
  private func tone(_ place: Double) -> Double { sine(turns: place * 440 / 48_000) }

  /// Plays a tone in blocks whose first is heard at 1 s and reads what was heard from 1.5 s on.
  private func read(gapAfter gap: Int? = nil) -> [Float] {
    var reference = EchoReference()
    var lost = Interval.zero
    for block in 0..<60 {
      if block == gap { lost = .milliseconds(30) }
      let samples = (0..<480).map { Int16(20_000 * tone(Double(block * 480 + $0))) }
      samples.withUnsafeBufferPointer {
        reference.add($0, heardAt: .zero + .milliseconds(Int64(1_000 + 10 * block)) + lost)
      }
    }
    var target = [Float](repeating: 0, count: 480)
    reference.read(capturedAt: .zero + .milliseconds(1_400), into: &target)
    return target
  }

  @Test func `what is read is what was heard then, 10 ms ahead`() {
    for (index, sample) in read().enumerated() {
      let wanted = tone(Double(index) + 0.41 * 48_000) * 20_000 / 32_768
      #expect(abs(Double(sample) - wanted) < 0.002)
    }
  }

  @Test func `after a gap in the playing the rest is read later`() {
    for (index, sample) in read(gapAfter: 20).enumerated() {
      let wanted = tone(Double(index) + 0.38 * 48_000) * 20_000 / 32_768
      #expect(abs(Double(sample) - wanted) < 0.002)
    }
  }

  @Test func `before anything was played there is silence`() {
    var reference = EchoReference()
    var target = [Float](repeating: 1, count: 480)
    reference.read(capturedAt: .zero + .milliseconds(1_400), into: &target)
    #expect(target.allSatisfy { $0 == 0 })
  }
}
