package import Units

/// The test tone: a soft 440 Hz sine, and a chirp at the start of every second of the clock, when
/// the test pattern flashes. A pure function of the clock.
package struct ToneSignal: Sendable {
  private let voice: Int

  /// Tones of different voices, 0…3, can be told apart when they are heard together.
  package init(voice: Int = 0) { self.voice = voice }

  /// `count` samples from `instant` on. Blocks join without a seam when each starts where the one
  /// before ended, to the nearest sample.
  package func samples(from instant: Instant, count: Int) -> [Int16] {
    let first = Self.sample(at: instant)
    return (0..<Int64(count)).map { offset in
      let index = first + offset
      let inSecond = Int(index % Int64(AudioFormat.sampleRate))
      if inSecond < Chirp.samples { return chirp(index, inSecond) }
      // 440 turns a second: whole seconds are whole turns.
      let turns = Double(440 * inSecond % AudioFormat.sampleRate) / Double(AudioFormat.sampleRate)
      return Int16(2_600 * sine(turns: turns))
    }
  }

  /// Adds the chirps alone to any sound that starts at `instant`.
  package func addChirps(to samples: inout [Int16], from instant: Instant) {
    let first = Self.sample(at: instant)
    for offset in samples.indices {
      let index = first + Int64(offset)
      let inSecond = Int(index % Int64(AudioFormat.sampleRate))
      guard inSecond < Chirp.samples else { continue }
      samples[offset] = Int16(clamping: Int(samples[offset]) + Int(chirp(index, inSecond)))
    }
  }

  /// The number of the sample nearest to an instant, counted from the clock's epoch; negative
  /// instants count as the epoch.
  package static func sample(at instant: Instant) -> Int64 {
    let nanoseconds = max(0, instant.nanoseconds)
    let seconds = nanoseconds / 1_000_000_000
    let rest = nanoseconds % 1_000_000_000
    return seconds * 48_000 + (rest * 48 + 500_000) / 1_000_000
  }

  private func chirp(_ index: Int64, _ inSecond: Int) -> Int16 {
    let shape = Chirp.shape(second: index / Int64(AudioFormat.sampleRate), voice: voice)
    return Int16(13_000 * Chirp.wave(shape: shape, sample: inSecond))
  }
}
