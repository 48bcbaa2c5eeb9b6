import Media
import Units

/// Speech-like sound, made here: a voice of changing pitch through three moving formants, in
/// syllables with hisses between and pauses after every few. Mean power of what sounds: −20 dB.
func voice(seconds: Double, pitch: Double, seed: UInt64) -> [Float] {
  var random = SeededRandom(seed: seed)
  let count = Int(seconds * 48_000)
  var samples: [Float] = []
  samples.reserveCapacity(count + 48_000)
  var phase = 0.0
  while samples.count < count {
    for _ in 0..<Int.random(in: 3...7, using: &random) {
      syllable(pitch: pitch, phase: &phase, into: &samples, &random)
    }
    let pause = Int(Double.random(in: 0.15...0.4, using: &random) * 48_000)
    samples.append(contentsOf: repeatElement(0, count: pause))
  }
  return levelled(Array(samples.prefix(count)))
}

private func syllable(
  pitch: Double, phase: inout Double, into samples: inout [Float], _ random: inout SeededRandom
) {
  let length = Int(Double.random(in: 0.12...0.28, using: &random) * 48_000)
  let hiss = Int(Double.random(in: 0.02...0.08, using: &random) * 48_000)
  var resonators = [(300.0, 800.0, 90.0), (900, 2_300, 140), (2_400, 3_400, 200)].map {
    Resonator(frequency: .random(in: $0.0...$0.1, using: &random), width: $0.2)
  }
  let from = pitch * Double.random(in: 0.8...1.25, using: &random)
  let to = pitch * Double.random(in: 0.75...1.15, using: &random)
  var shake = 1.0
  var opening = 0.0
  var voiced: [Float] = []
  for index in 0..<length {
    let part = Double(index) / Double(length)
    phase += (from + (to - from) * part) * shake / 48_000
    if phase >= 1 {
      phase -= 1
      shake = Double.random(in: 0.985...1.015, using: &random)
    }
    // The glottis opens for 60 % of a period and closes faster than it opens.
    let next = phase < 0.4 ? phase / 0.4 : max(0, 1 - (phase - 0.4) / 0.2)
    let breath = 0.002 * (random.unit() - 0.5)
    let source = next - opening + breath
    opening = next
    let rise = min(1, min(part, 1 - part) * 6)
    voiced.append(Float(rise * resonators.indices.reduce(0) { $0 + resonators[$1].next(source) }))
  }
  let loudness = Float.random(in: 0.06...0.14, using: &random)
  let gain = loudness / rootMeanSquare(voiced)
  samples.append(contentsOf: voiced.map { $0 * gain })
  // A hiss is loudest about 5 kHz, and softer than a vowel.
  var teeth = Resonator(frequency: .random(in: 4_000...6_500, using: &random), width: 1_500)
  var hissing: [Float] = []
  for index in 0..<hiss {
    let envelope = min(1, min(Double(index), Double(hiss - index)) / 400)
    hissing.append(Float(teeth.next(random.unit() - 0.5) * envelope))
  }
  let softness = 0.2 * loudness / rootMeanSquare(hissing)
  samples.append(contentsOf: hissing.map { $0 * softness })
}

private func rootMeanSquare(_ sound: [Float]) -> Float {
  (sound.reduce(0) { $0 + $1 * $1 } / Float(max(1, sound.count))).squareRoot()
}

/// Two poles.
private struct Resonator {
  private let feedback: (Double, Double)
  private let gain: Double
  private var past = (0.0, 0.0)

  init(frequency: Double, width: Double) {
    let radius = 1 - .pi * width / 48_000
    feedback = (2 * radius * sine(turns: frequency / 48_000 + 0.25), -radius * radius)
    gain = sine(turns: frequency / 48_000)
  }

  mutating func next(_ input: Double) -> Double {
    let output = gain * input + feedback.0 * past.0 + feedback.1 * past.1
    past = (output, past.0)
    return output
  }
}

/// The sound with −20 dB of full scale where it sounds, held below full scale.
func levelled(_ sound: [Float]) -> [Float] {
  let peak = sound.reduce(0) { max($0, abs($1)) }
  let loud = sound.filter { abs($0) > 0.03 * peak }
  let power = loud.reduce(0) { $0 + $1 * $1 } / Float(max(1, loud.count))
  let gain = 0.1 / power.squareRoot()
  return sound.map { max(-0.9, min(0.9, $0 * gain)) }
}
