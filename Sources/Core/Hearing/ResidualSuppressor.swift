import Media

/// What the echo filter leaves of the echo, and steady noise, are turned down bin by bin; near
/// speech passes. Half-overlapping windows of 20 ms: sound comes out one block (10 ms) later.
struct ResidualSuppressor: ~Copyable {
  /// Powers of the block that was last run, over all bins.
  private(set) var levels = Levels()

  struct Levels {
    /// What passed.
    var passed: Float = 0
    var noise: Float = 0
    /// The echo as it came in, decaying as a room does.
    var echo: Float = 0
  }

  private let transform = RealTransform()
  private let window = Lanes(2 * block)
  private let rests = Lanes(2 * block)
  private let echoes = Lanes(2 * block)
  /// The half of the last window that still waits for the next.
  private let overlap = Lanes(block)
  private let time = Lanes(RealTransform.length)
  private let rest = Spectrum()
  private let echo = Spectrum()

  private let restPower = Lanes(RealTransform.bins)
  private let echoPower = Lanes(RealTransform.bins)
  private let restMean = Lanes(RealTransform.bins)
  private let echoMean = Lanes(RealTransform.bins)
  /// How the rest follows the echo: covariance and variance of their powers.
  private let covariance = Lanes(RealTransform.bins)
  private let variance = Lanes(RealTransform.bins)
  /// The rest of the echo, decaying as a room does.
  private let residual = Lanes(RealTransform.bins)

  private let smoothed = Lanes(RealTransform.bins)
  private let lowest = Lanes(RealTransform.bins, repeating: unknown)
  private let lowestBefore = Lanes(RealTransform.bins, repeating: unknown)
  private let noise = Lanes(RealTransform.bins)
  /// Power that passed in the last block, for the decision-directed estimate.
  private let passedPower = Lanes(RealTransform.bins)
  private var blocks = 0

  private static let block = AudioFormat.blockSamples
  private static let width = RealTransform.bins / 8
  private static let unknown: Float = 1e9
  /// Noise is the lowest power of one to two seconds.
  private static let noiseWindow = 100
  /// The smoothed power of steady noise dips to about half its mean in that time.
  private static let noiseBias: Float = 2
  /// Steady noise is turned down by 13 dB and not more: a dead line sounds broken.
  private static let noiseFloor: Float = 0.05
  /// The residual is taken four times as large as estimated: its power varies from block to block.
  private static let caution: Float = 4
  /// 0.7 dB a block: a reverberation time of 0.85 s.
  private static let decay: Float = 0.85

  init() {
    for index in 0..<2 * Self.block {
      let turns = (Double(index) + 0.5) / Double(4 * Self.block)
      window.values[index] = Float(sine(turns: turns))
    }
  }

  /// One block in place: `samples` are the filter's rest, `echo` its estimate or `nil` where
  /// nothing is played.
  mutating func run(_ samples: UnsafeMutablePointer<Float>, echo estimate: UnsafePointer<Float>?) {
    rests.slide(in: samples, count: Self.block)
    analyse(rests, rest)
    if let estimate {
      echoes.slide(in: estimate, count: Self.block)
      analyse(echoes, echo)
      measureEcho()
    } else {
      power(rest, restPower)
    }
    measureNoise()
    weigh()
    transform.inverse(rest.real.values, rest.imaginary.values, time.values)
    for index in 0..<Self.block {
      samples[index] = overlap.values[index] + time.values[index] * window.values[index]
      let late = Self.block + index
      overlap.values[index] = time.values[late] * window.values[late]
    }
  }

  private func analyse(_ sound: borrowing Lanes, _ spectrum: borrowing Spectrum) {
    for index in 0..<2 * Self.block / 8 {
      time.eights[index] = sound.eights[index] * window.eights[index]
    }
    (time.values + 2 * Self.block).update(
      repeating: 0, count: RealTransform.length - 2 * Self.block)
    transform.forward(time.values, spectrum.real.values, spectrum.imaginary.values)
  }

  private func power(_ spectrum: borrowing Spectrum, _ power: borrowing Lanes) {
    for k in 0..<Self.width {
      let re = spectrum.real.eights[k]
      let im = spectrum.imaginary.eights[k]
      power.eights[k] = re * re + im * im
    }
  }

  /// How much of the echo is left is what of the rest rises and falls with it.
  private mutating func measureEcho() {
    power(rest, restPower)
    power(echo, echoPower)
    var shared = Eight.zero
    var own = Eight.zero
    for k in 0..<Self.width {
      let restChange = restPower.eights[k] - restMean.eights[k]
      let echoChange = echoPower.eights[k] - echoMean.eights[k]
      restMean.eights[k] += 0.1 * restChange
      echoMean.eights[k] += 0.1 * echoChange
      covariance.eights[k] += 0.02 * (restChange * echoChange - covariance.eights[k])
      variance.eights[k] += 0.02 * (echoChange * echoChange - variance.eights[k])
      shared += covariance.eights[k]
      own += variance.eights[k]
    }
    levels.echo = max(sum(echoPower), levels.echo * Self.decay)
    let overall = min(1, max(0.001, shared.sum() / (own.sum() + 1e-12)))
    for k in 0..<Self.width {
      let ratio = covariance.eights[k] / (variance.eights[k] + 1e-12)
      let leak = ratio.clamped(
        lowerBound: Eight(repeating: overall), upperBound: Eight(repeating: 1))
      residual.eights[k] = pointwiseMax(
        leak * echoPower.eights[k], residual.eights[k] * Self.decay)
    }
  }

  private mutating func measureNoise() {
    let turns = blocks % Self.noiseWindow == 0
    for k in 0..<Self.width {
      smoothed.eights[k] += 0.15 * (restPower.eights[k] - smoothed.eights[k])
      if turns {
        lowestBefore.eights[k] = lowest.eights[k]
        lowest.eights[k] = smoothed.eights[k]
      }
      lowest.eights[k] = pointwiseMin(lowest.eights[k], smoothed.eights[k])
      let floor = pointwiseMin(lowest.eights[k], lowestBefore.eights[k])
      noise.eights[k] += 0.1 * (Self.noiseBias * floor - noise.eights[k])
    }
    blocks += 1
  }

  /// Each bin by a Wiener gain: ξ/(1 + ξ), where ξ is how far near speech stands above noise and
  /// residual, mostly from the block before (Ephraim and Malah, 1984), at once where it is plain.
  private mutating func weigh() {
    var passed = Eight.zero
    for k in 0..<Self.width {
      let power = restPower.eights[k]
      let unwanted = 1.2 * noise.eights[k] + Self.caution * residual.eights[k] + 1e-10
      let above = power / unwanted - 1
      let slow =
        0.95 * passedPower.eights[k] / unwanted + 0.05 * pointwiseMax(above, Eight.zero)
      let ratio = pointwiseMax(slow, 0.3 * above - 1)
      let floor = (Self.noiseFloor * noise.eights[k] / (power + 1e-12)).squareRoot()
      let gain = pointwiseMax(ratio / (1 + ratio), pointwiseMin(floor, Eight.one))
      rest.real.eights[k] *= gain
      rest.imaginary.eights[k] *= gain
      passedPower.eights[k] = gain * gain * power
      passed += passedPower.eights[k]
    }
    // No microphone's offset is sound.
    rest.real.values[0] = 0
    rest.imaginary.values[0] = 0
    levels.passed = passed.sum()
    levels.noise = sum(noise)
  }

  private func sum(_ lanes: borrowing Lanes) -> Float {
    var sum = Eight.zero
    for k in 0..<Self.width { sum += lanes.eights[k] }
    return sum.sum()
  }
}

extension Eight {
  fileprivate static var one: Eight { Eight(repeating: 1) }
}
