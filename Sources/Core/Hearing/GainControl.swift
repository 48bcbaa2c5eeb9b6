import Media

/// Brings speech to one level, whoever speaks at whatever distance, and never lifts what is not
/// speech: between words the gain is 1 or less.
struct GainControl {
  /// What speech is multiplied with at present.
  private(set) var gain: Float = 1
  /// Mean power of speech blocks, full scale being 1.
  private var level = target
  /// The gain at the end of the last block.
  private var applied: Float = 1
  private var quietBlocks = 0

  /// −20 dB of full scale.
  static let target: Float = 0.01
  /// ±12 dB.
  private static let bounds: ClosedRange<Float> = 0.25...4
  /// Nothing comes out above −0.5 dB.
  private static let ceiling: Float = 0.94
  /// Per block: 6 dB a second up, 20 dB a second down.
  private static let rise: Float = 1.0069
  private static let fall: Float = 0.977
  /// 300 ms: words are not cut from each other.
  private static let hold = 30

  /// One block of 480 samples in place.
  mutating func run(_ samples: UnsafeMutablePointer<Float>, isSpeech: Bool) {
    var peak: Float = 0
    var power: Float = 0
    for index in 0..<AudioFormat.blockSamples {
      peak = max(peak, abs(samples[index]))
      power += samples[index] * samples[index]
    }
    if isSpeech { learn(power / Float(AudioFormat.blockSamples)) }
    quietBlocks = isSpeech ? 0 : quietBlocks + 1
    let wanted = quietBlocks > Self.hold ? min(gain, 1) : gain
    var next = wanted < applied ? max(wanted, applied * Self.fall) : min(wanted, applied * 1.2)
    // Without speech the gain may fall but not rise above 1.
    if !isSpeech, next > applied { next = max(applied, min(next, 1)) }
    if next * peak > Self.ceiling { next = Self.ceiling / peak }
    // A ramp from a gain that is too high for this block would clip.
    let first = applied * peak > Self.ceiling ? next : applied
    let step = (next - first) / Float(AudioFormat.blockSamples)
    var factor = first
    for index in 0..<AudioFormat.blockSamples {
      factor += step
      samples[index] *= factor
    }
    applied = next
  }

  private mutating func learn(_ power: Float) {
    // Loud blocks count at once, the quiet ends of words hardly.
    level += (power > level ? 0.05 : 0.01) * (power - level)
    let wanted = min(
      max((Self.target / max(level, 1e-9)).squareRoot(), Self.bounds.lowerBound),
      Self.bounds.upperBound)
    gain = min(max(wanted, gain * Self.fall), gain * Self.rise)
  }
}
