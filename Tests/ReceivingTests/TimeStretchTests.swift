import Receiving
import Testing
import Units

/// Sound that becomes longer or shorter must keep its pitch, its loudness and its smoothness.
@Suite struct TimeStretchTests {
  /// A voice-like wave of that period: a saw's harmonics, made without a library's sine.
  private func voice(period: Int, count: Int) -> [Int16] {
    (0..<count).map { place in
      let phase = place % period
      // Two ramps and a bump: rich in harmonics and without a jump.
      let ramp = phase < period / 3 ? phase * 3 : (period - phase) * 3 / 2
      let bump = phase % max(1, period / 4) * 8
      return Int16((ramp - period / 2) * 12_000 / period + bump * 100 / max(1, period))
    }
  }

  private func noise(_ count: Int, seed: UInt64, peak: Int) -> [Int16] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in Int16(Int.random(in: -peak...peak, using: &random)) }
  }

  private func power(_ samples: ArraySlice<Int16>) -> Double {
    samples.reduce(0) { $0 + Double($1) * Double($1) } / Double(max(1, samples.count))
  }

  /// Upward crossings of zero.
  private func crossings(_ samples: [Int16]) -> Int {
    zip(samples, samples.dropFirst()).count { $0 < 0 && $1 >= 0 }
  }

  private func steepest(_ samples: [Int16]) -> Int {
    zip(samples, samples.dropFirst()).map { abs(Int($0) - Int($1)) }.max() ?? 0
  }

  @Test(arguments: [130, 200, 320, 436, 590])
  func `a voice is shortened by its own period, and nothing else changes`(period: Int) {
    let before = voice(period: period, count: 2_400)
    var after = before
    let gone = TimeStretch.shorten(&after, from: 100)
    #expect(gone > 0)
    #expect(gone % period <= 2 || gone % period >= period - 2, "\(gone)")
    #expect(after.count == before.count - gone)
    #expect(after[..<100] == before[..<100], "what was played stays")
    #expect(after.suffix(500) == before.suffix(500))
    #expect(steepest(after) <= steepest(before) * 11 / 10 + 1)
    #expect(abs(power(after[...]) / power(before[...]) - 1) < 0.05)
    #expect(
      abs(crossings(before) - crossings(after) - gone / period * crossings(before) * period / 2_400)
        <= 1)
  }

  @Test(arguments: [130, 200, 320, 436, 590])
  func `a voice is lengthened by its own period, and nothing else changes`(period: Int) {
    let before = voice(period: period, count: 2_400)
    var after = before
    let more = TimeStretch.lengthen(&after, at: 1_200)
    #expect(more > 0)
    #expect(more % period <= 2 || more % period >= period - 2, "\(more)")
    #expect(after.count == before.count + more)
    #expect(after[..<1_200] == before[..<1_200], "what was played stays")
    #expect(after.suffix(1_200) == before.suffix(1_200))
    #expect(steepest(after) <= steepest(before) * 11 / 10 + 1)
    #expect(abs(power(after[...]) / power(before[...]) - 1) < 0.05)
  }

  @Test(arguments: [200, 436, 590])
  func `a voice that becomes softer has no step where it was cut`(period: Int) {
    let source = voice(period: period, count: 2_400).enumerated().map { place, sample in
      Int16(Int(sample) * (4_800 - place) / 4_800)
    }
    var shorter = source
    #expect(TimeStretch.shorten(&shorter, from: 90) > 0)
    #expect(steepest(shorter) <= steepest(source) * 5 / 4 + 1)
    var longer = source
    #expect(TimeStretch.lengthen(&longer, at: 1_290) > 0)
    #expect(steepest(longer) <= steepest(source) * 5 / 4 + 1)
  }

  @Test func `packets of 10 ms lengthened again and again keep the wave whole`() {
    let period = 218
    let source = voice(period: period, count: 48_000)
    var after: [Int16] = Array(source[..<960])
    for start in stride(from: 960, to: 48_000, by: 480) {
      let joint = after.count
      after += source[start..<start + 480]
      _ = TimeStretch.lengthen(&after, at: joint)
    }
    #expect(after.count > 48_000 * 13 / 10)
    // Every period of the result is the same wave as every period of the source.
    let rate = Double(crossings(after)) / Double(after.count)
    let wanted = Double(crossings(source)) / Double(source.count)
    #expect(abs(rate / wanted - 1) < 0.01)
    #expect(steepest(after) <= steepest(source) * 11 / 10 + 1)
    #expect(abs(power(after[...]) / power(source[...]) - 1) < 0.03)
  }

  @Test func `noise is left alone unless it is in haste or hardly heard`() {
    var loud = noise(2_400, seed: 1, peak: 8_000)
    #expect(TimeStretch.shorten(&loud, from: 0) == 0)
    #expect(TimeStretch.lengthen(&loud, at: 1_200) == 0)
    #expect(loud.count == 2_400)
    var faint = noise(2_400, seed: 1, peak: 60)
    #expect(TimeStretch.shorten(&faint, from: 0) == 480)
    #expect(TimeStretch.lengthen(&faint, at: 960) == 480)
    var silence = [Int16](repeating: 0, count: 960)
    #expect(TimeStretch.shorten(&silence, from: 0) > 0)
  }

  @Test func `where there is too little sound nothing happens, and nothing traps`() {
    for count in 0..<260 {
      var samples = noise(count, seed: 2, peak: 32_767)
      let gone = TimeStretch.shorten(&samples, from: count / 3, inHaste: true)
      #expect(samples.count == count - gone)
    }
    for count in 0..<260 {
      for joint in [0, count / 2, count] {
        var samples = noise(count, seed: 2, peak: 32_767)
        let more = TimeStretch.lengthen(&samples, at: joint, inHaste: true)
        #expect(samples.count == count + more)
      }
    }
  }
}
