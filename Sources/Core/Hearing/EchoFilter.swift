import Media

/// Learns the way from loudspeaker to microphone and takes its echo away: a partitioned-block
/// Kalman filter in the frequency domain (Enzner and Vary, "Frequency-domain adaptive Kalman filter
/// for acoustic echo control in hands-free telephones", 2006).
///
/// Each bin of each 10 ms of the room has a weight and the uncertainty of that weight. The step is
/// large where the weight is uncertain and the echo stands out, and small while somebody here
/// speaks: no double-talk detector is needed.
struct EchoFilter: ~Copyable {
  /// 10 ms each: what a partition covers, and what a block brings.
  private let partitions: Int
  private let transform = RealTransform()
  /// The last 1 024 samples of what was played.
  private let played = Lanes(RealTransform.length)
  /// Of the last `partitions` blocks; `newest` is where the youngest stands.
  private let spectraRe: Lanes
  private let spectraIm: Lanes
  private var newest = 0
  private let weightsRe: Lanes
  private let weightsIm: Lanes
  /// Expected squared error of each weight.
  private let uncertainty: Lanes
  /// Power of what the filter can't explain: near speech and noise.
  private let unexplained = Lanes(RealTransform.bins)
  private let expected = Lanes(RealTransform.bins)
  private let spectrum = Spectrum()
  private let time = Lanes(RealTransform.length)
  private var constrained = 0
  private var silentBlocks = 0

  private static let block = AudioFormat.blockSamples
  private static let width = RealTransform.bins / 8
  /// How much of a weight lives on from block to block, squared: rooms and clocks move.
  private static let persistence: Float = 0.998 * 0.998
  /// Weights are held to 10 ms in turn, that many partitions a block.
  private static let constrainedPerBlock = 3

  init(partitions: Int) {
    precondition(partitions > 0, "a room has a length")
    self.partitions = partitions
    let count = partitions * RealTransform.bins
    spectraRe = Lanes(count)
    spectraIm = Lanes(count)
    weightsRe = Lanes(count)
    weightsIm = Lanes(count)
    uncertainty = Lanes(count)
    // Sound decays: the later, the less is expected.
    var expectedPower: Float = 0.3
    for partition in 0..<partitions {
      for bin in 0..<RealTransform.bins {
        uncertainty.values[partition * RealTransform.bins + bin] = expectedPower
      }
      expectedPower *= 0.85
    }
  }

  /// One block: `captured` and `reference` have 480 samples. Writes what is left without the echo,
  /// and the echo.
  mutating func run(
    _ captured: UnsafePointer<Float>, reference: UnsafePointer<Float>,
    rest: UnsafeMutablePointer<Float>, echo: UnsafeMutablePointer<Float>
  ) {
    if isSilent(reference) {
      rest.update(from: captured, count: Self.block)
      echo.update(repeating: 0, count: Self.block)
      return
    }
    take(reference)
    predict()
    let first = RealTransform.length - Self.block
    echo.update(from: time.values + first, count: Self.block)
    var restPower: Float = 0
    var capturedPower: Float = 0
    for index in 0..<Self.block {
      rest[index] = captured[index] - echo[index]
      restPower += rest[index] * rest[index]
      capturedPower += captured[index] * captured[index]
    }
    time.fill(0)
    (time.values + first).update(from: rest, count: Self.block)
    transform.forward(time.values, spectrum.real.values, spectrum.imaginary.values)
    learn()
    constrain()
    // A filter that adds sound is worse than none until it has learnt.
    if restPower > capturedPower { rest.update(from: captured, count: Self.block) }
  }

  /// Nothing was played for as long as the room sounds: there is nothing to take away.
  private mutating func isSilent(_ reference: UnsafePointer<Float>) -> Bool {
    var peak: Float = 0
    for index in 0..<Self.block { peak = max(peak, abs(reference[index])) }
    silentBlocks = peak == 0 ? silentBlocks + 1 : 0
    return silentBlocks > partitions + 2
  }

  private mutating func take(_ reference: UnsafePointer<Float>) {
    played.slide(in: reference, count: Self.block)
    newest = (newest + partitions - 1) % partitions
    let start = newest * RealTransform.bins
    transform.forward(played.values, spectraRe.values + start, spectraIm.values + start)
  }

  /// The echo in the last 480 samples of `time`, and its uncertain part's power in `expected`.
  private func predict() {
    spectrum.real.fill(0)
    spectrum.imaginary.fill(0)
    expected.fill(0)
    let sumRe = spectrum.real.eights
    let sumIm = spectrum.imaginary.eights
    for partition in 0..<partitions {
      let x = (newest + partition) % partitions * Self.width
      let re = spectraRe.eights + x
      let im = spectraIm.eights + x
      let weightRe = weightsRe.eights + partition * Self.width
      let weightIm = weightsIm.eights + partition * Self.width
      let doubt = uncertainty.eights + partition * Self.width
      for k in 0..<Self.width {
        sumRe[k] += re[k] * weightRe[k] - im[k] * weightIm[k]
        sumIm[k] += re[k] * weightIm[k] + im[k] * weightRe[k]
        expected.eights[k] += (re[k] * re[k] + im[k] * im[k]) * doubt[k]
      }
    }
    transform.inverse(spectrum.real.values, spectrum.imaginary.values, time.values)
  }

  private func learn() {
    let restRe = spectrum.real.eights
    let restIm = spectrum.imaginary.eights
    for k in 0..<Self.width {
      let power = restRe[k] * restRe[k] + restIm[k] * restIm[k]
      unexplained.eights[k] += 0.2 * (power - unexplained.eights[k])
      expected.eights[k] = 1 / (expected.eights[k] + 2 * unexplained.eights[k] + 1e-7)
    }
    for partition in 0..<partitions {
      let x = (newest + partition) % partitions * Self.width
      let re = spectraRe.eights + x
      let im = spectraIm.eights + x
      let weightRe = weightsRe.eights + partition * Self.width
      let weightIm = weightsIm.eights + partition * Self.width
      let doubt = uncertainty.eights + partition * Self.width
      for k in 0..<Self.width {
        let step = doubt[k] * expected.eights[k]
        let newRe = weightRe[k] + step * (re[k] * restRe[k] + im[k] * restIm[k])
        let newIm = weightIm[k] + step * (re[k] * restIm[k] - im[k] * restRe[k])
        weightRe[k] = newRe
        weightIm[k] = newIm
        let power = re[k] * re[k] + im[k] * im[k]
        // Half of a window of 1 024 is new.
        let left = pointwiseMax(1 - 0.5 * step * power, Eight.zero) * doubt[k]
        let weightPower = newRe * newRe + newIm * newIm
        doubt[k] = Self.persistence * left + (1 - Self.persistence) * weightPower
      }
    }
  }

  /// Takes away what of a weight lies beyond its 10 ms: it would wrap round.
  private mutating func constrain() {
    for _ in 0..<min(Self.constrainedPerBlock, partitions) {
      constrained = (constrained + 1) % partitions
      let re = weightsRe.values + constrained * RealTransform.bins
      let im = weightsIm.values + constrained * RealTransform.bins
      transform.inverse(re, im, time.values)
      (time.values + Self.block).update(repeating: 0, count: RealTransform.length - Self.block)
      transform.forward(time.values, re, im)
    }
  }
}
