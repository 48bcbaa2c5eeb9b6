import Media
package import Units

/// What the loudspeaker played, kept for as long as it may come back, and read as the microphone's
/// clock goes: block by block, the played sound beside the captured one.
package struct EchoReference: ~Copyable {
  private let samples = Lanes(capacity)
  /// Samples ever written; the newest stands before this, modulo the capacity.
  private var written = 0
  private var playing = SampleClock()
  private var capturing = SampleClock()
  /// Where the next block is read, in samples ever written.
  private var position: Double?
  /// Weights of an interpolation between samples, for each of 64 places between two.
  private let weights = Lanes(taps * (places + 1))

  /// 0.68 s.
  private static let capacity = 32_768
  private static let block = AudioFormat.blockSamples
  private static let taps = 16
  private static let places = 64
  /// Read that much ahead of the stamps: a device that reports too much delay would have its echo
  /// come before the sound.
  private static let lead = Interval.milliseconds(10)
  /// Farther off than this the reading jumps; nearer it drifts there.
  private static let jump = 96.0
  /// How much of a difference is made up for in a block: all within some 3 s.
  private static let approach = 0.003
  /// The most by which a block is stretched.
  private static let stretch = 500e-6

  package init() {
    for place in 0...Self.places {
      for tap in 0..<Self.taps {
        // Taps stand at −7…8 around the sample before the place.
        let distance = Double(place) / Double(Self.places) - Double(tap - 7)
        weights.values[place * Self.taps + tap] = Float(Self.weight(distance))
      }
    }
  }

  /// sin(πx)/(πx) under a raised cosine.
  private static func weight(_ x: Double) -> Double {
    if abs(x) < 1e-9 { return 1 }
    if abs(x) >= 8.5 { return 0 }
    let sinc = sine(turns: x / 2) / (.pi * x)
    return sinc * 0.5 * (1 + sine(turns: x / 17 + 0.25))
  }

  /// The next 480 samples that are heard, the first of them at `heardAt`.
  package mutating func add(_ played: UnsafeBufferPointer<Int16>, heardAt: Instant) {
    precondition(played.count == Self.block, "sound is played in blocks of 10 ms")
    let gap = playing.note(heardAt)
    let missing = Int((gap.seconds * Double(AudioFormat.sampleRate)).rounded())
    if missing > 0 {
      for _ in 0..<min(missing, Self.capacity) { append(0) }
    } else if missing < 0 {
      // What was to be heard then never was.
      written = max(0, written + missing)
    }
    for index in 0..<Self.block { append(Float(played[index]) / 32_768) }
  }

  private mutating func append(_ sample: Float) {
    samples.values[written % Self.capacity] = sample
    written += 1
  }

  /// What was heard while the next captured block was taken from `capturedAt` on: 480 samples;
  /// zero where nothing is known.
  package mutating func read(capturedAt: Instant, into target: UnsafeMutablePointer<Float>) {
    _ = capturing.note(capturedAt)
    guard written > 0 else {
      target.update(repeating: 0, count: Self.block)
      return
    }
    let wanted = place(of: capturing.time + Self.lead)
    var from = position ?? wanted
    if abs(wanted - from) > Self.jump { from = wanted }
    // By the rates, which are known better than the times, and a little towards the times.
    let ratio = (1 + capturing.rate) / (1 + playing.rate)
    var step = ratio + Self.approach * (wanted - from) / Double(Self.block)
    step = min(max(step, 1 - Self.stretch), 1 + Self.stretch)
    for index in 0..<Self.block { target[index] = sample(at: from + Double(index) * step) }
    position = from + Double(Self.block) * step
  }

  /// Where the sample heard at an instant stands.
  private func place(of instant: Instant) -> Double {
    let blocks =
      (instant - playing.time).seconds / (AudioFormat.blockDuration.seconds * (1 + playing.rate))
    return Double(written - Self.block) + blocks * Double(Self.block)
  }

  private func sample(at place: Double) -> Float {
    let whole = place.rounded(.down)
    let index = Int(whole)
    let oldest = max(0, written - Self.capacity)
    guard index - 7 >= oldest, index + 8 < written else { return 0 }
    let fraction = (place - whole) * Double(Self.places)
    let row = Int(fraction)
    let between = Float(fraction - Double(row))
    let lower = weights.values + row * Self.taps
    let upper = lower + Self.taps
    var sum: Float = 0
    for tap in 0..<Self.taps {
      let weight = lower[tap] + between * (upper[tap] - lower[tap])
      sum += weight * samples.values[(index - 7 + tap) % Self.capacity]
    }
    return sum
  }
}
