import Media
import Units

@testable import Hearing

/// A loudspeaker, a room and a microphone with clocks of their own, and who speaks there.
struct Room {
  /// From the stamp of a played sample to its first arrival.
  var delay = Interval.milliseconds(60)
  /// Until the reverberation has fallen by 60 dB, in seconds.
  var reverberation = 0.3
  /// Echo over played sound, in dB.
  var echo = -6.0
  /// How fast the microphone's clock runs against the loudspeaker's.
  var drift = 0.0
  /// 1: about 2 % of distortion at normal level.
  var distortion: Float = 1
  /// Background noise at the microphone, full scale being 1.
  var noise: Float = 0.0007
  var seed: UInt64 = 1

  /// What a run of the call heard.
  struct Recording {
    /// At the microphone: all, and the echo alone.
    var microphone: [Float]
    var echo: [Float]
    /// What would be sent.
    var sent: [Float]
  }

  /// Plays `far` while `near` speaks, all cleaned block by block; `opened` of them are silent.
  func call(far: [Float], near: [Float], cancels: Bool = true) -> Recording {
    var random = SeededRandom(seed: seed)
    let played = far.map { Int16(clamping: Int($0 * 32_767)) }
    let echo = reverberated(heard(played), &random)
    var microphone = echo
    for index in microphone.indices {
      let hiss = Float(random.unit() + random.unit() + random.unit() - 1.5) * 2
      microphone[index] += noise * hiss + (index < near.count ? near[index] : 0)
      microphone[index] = max(-1, min(1, microphone[index]))
    }
    let sent = cleaned(microphone, played: played, cancels: cancels, &random)
    return Recording(microphone: microphone, echo: echo, sent: sent)
  }

  private func cleaned(
    _ microphone: [Float], played: [Int16], cancels: Bool, _ random: inout SeededRandom
  ) -> [Float] {
    var cleaner = SpeechCleaner(cancelsEcho: cancels)
    var sent: [Float] = []
    sent.reserveCapacity(microphone.count)
    let start = Instant(nanoseconds: 5_000_000_000)
    // The loudspeaker is written 30 ms before it sounds.
    var nextPlayed = 0
    for first in stride(from: 0, to: microphone.count - 479, by: 480) {
      let now = start + .seconds(Double(first + 480) / 48_000 / (1 + drift))
      while nextPlayed + 480 <= played.count {
        let heardAt = start + .seconds(Double(nextPlayed) / 48_000)
        guard heardAt - .milliseconds(30) <= now else { break }
        played.withUnsafeBufferPointer {
          cleaner.reference.add(
            UnsafeBufferPointer(rebasing: $0[nextPlayed..<nextPlayed + 480]),
            heardAt: heardAt + jitter(&random))
        }
        nextPlayed += 480
      }
      var block = AudioBlock(
        samples: microphone[first..<first + 480].map { Int16(clamping: Int($0 * 32_767)) },
        capturedAt: start + .seconds(Double(first) / 48_000 / (1 + drift)) + jitter(&random))
      cleaner.clean(&block)
      sent.append(contentsOf: block.samples.map { Float($0) / 32_767 })
    }
    return sent
  }

  /// A device says where it is to a third of a millisecond; now and then a thread is late.
  private func jitter(_ random: inout SeededRandom) -> Interval {
    .seconds(random.chance(0.02) ? random.unit() * 2e-3 : (random.unit() - 0.5) * 0.7e-3)
  }

  /// What the loudspeaker makes of the samples, as the microphone's clock takes them.
  private func heard(_ played: [Int16]) -> [Float] {
    let distorted = played.map { sample in
      let x = Float(sample) / 32_768
      let bent = x + distortion * 0.05 * x * x
      return bent / (1 + distortion * distortion * bent * bent / 3)
    }
    let late = delay.seconds * 48_000
    // The microphone takes 48 000 · (1 + drift) samples while the loudspeaker plays 48 000.
    if drift == 0 {
      let shift = Int(late)
      return [Float](repeating: 0, count: shift) + distorted.dropLast(shift)
    }
    let table = SincTable()
    return distorted.indices.map { index in
      table.value(of: distorted, at: (Double(index)) / (1 + drift) - late)
    }
  }

  /// Direct sound, two early reflections and a decaying tail of noise.
  private func reverberated(_ sound: [Float], _ random: inout SeededRandom) -> [Float] {
    let length = Int(min(0.6, reverberation) * 48_000)
    var response = [Float](repeating: 0, count: length)
    var level = 0.05
    // 10^(−3/n): 60 dB in n samples.
    let fade = 1 - 6.907_755 / (reverberation * 48_000)
    for index in 100..<length {
      response[index] = Float(level * (random.unit() + random.unit() - 1))
      level *= fade
    }
    response[0] = 1
    response[170] = 0.5
    response[431] = -0.35
    let power = response.reduce(0) { $0 + $1 * $1 }
    var gain = 1 / power.squareRoot()
    // Halving is 6.02 dB.
    var left = echo
    while left <= -6 {
      gain /= 1.995_262
      left += 6
    }
    while left >= 6 {
      gain *= 1.995_262
      left -= 6
    }
    return convolved(sound, response.map { $0 * gain })
  }
}

/// Samples between samples, by 32 neighbours.
private struct SincTable {
  private var rows: [Float] = []

  init() {
    for place in 0..<1_024 {
      for tap in -15...16 {
        let x = Double(place) / 1_024 - Double(tap)
        let sinc = abs(x) < 1e-9 ? 1 : sine(turns: x / 2) / (.pi * x)
        rows.append(Float(sinc * (0.5 + 0.5 * sine(turns: x / 34 + 0.25))))
      }
    }
  }

  func value(of sound: [Float], at place: Double) -> Float {
    let whole = Int(place.rounded(.down))
    guard whole >= 15, whole + 16 < sound.count else { return 0 }
    let row = Int((place - Double(whole)) * 1_024) * 32
    return sound.withUnsafeBufferPointer { sound in
      rows.withUnsafeBufferPointer { rows in
        var sum: Float = 0
        for tap in 0..<32 { sum += rows[row + tap] * sound[whole - 15 + tap] }
        return sum
      }
    }
  }
}

/// Fast convolution, 512 samples at a time.
func convolved(_ sound: [Float], _ response: [Float]) -> [Float] {
  let transform = RealTransform()
  let bins = RealTransform.bins
  let parts = (response.count + bins - 1) / bins
  let blocks = sound.count / bins
  let responseRe = Lanes(parts * bins)
  let responseIm = Lanes(parts * bins)
  let spectraRe = Lanes((blocks + 1) * bins)
  let spectraIm = Lanes((blocks + 1) * bins)
  let time = Lanes(2 * bins)
  for part in 0..<parts {
    time.fill(0)
    for (index, value) in response[part * bins..<min(response.count, (part + 1) * bins)]
      .enumerated()
    {
      time.values[index] = value
    }
    transform.forward(
      time.values, responseRe.values + part * bins, responseIm.values + part * bins)
  }
  var output = [Float](repeating: 0, count: sound.count)
  let sum = Spectrum()
  for block in 0..<blocks {
    for index in 0..<2 * bins {
      let from = (block - 1) * bins + index
      time.values[index] = from < 0 ? 0 : sound[from]
    }
    let own = block * bins
    transform.forward(time.values, spectraRe.values + own, spectraIm.values + own)
    sum.real.fill(0)
    sum.imaginary.fill(0)
    for part in 0..<min(parts, block + 1) {
      let a = (block - part) * bins / 8
      let b = part * bins / 8
      for k in 0..<bins / 8 {
        let x = spectraRe.eights[a + k]
        let y = spectraIm.eights[a + k]
        let u = responseRe.eights[b + k]
        let v = responseIm.eights[b + k]
        sum.real.eights[k] += x * u - y * v
        sum.imaginary.eights[k] += x * v + y * u
      }
    }
    transform.inverse(sum.real.values, sum.imaginary.values, time.values)
    for index in 0..<bins { output[block * bins + index] = time.values[bins + index] }
  }
  return output
}

/// Mean power of a stretch, in seconds.
func power(_ sound: [Float], _ from: Double, _ to: Double) -> Float {
  let stretch = sound[Int(from * 48_000)..<min(sound.count, Int(to * 48_000))]
  return stretch.reduce(0) { $0 + $1 * $1 } / Float(max(1, stretch.count))
}

/// Sent against clean near speech over a stretch of seconds: how alike, and the level kept. The
/// cleaner delays by one block.
func likeness(
  of sent: [Float], to near: [Float], _ from: Double, _ to: Double
) -> (correlation: Float, level: Float) {
  var product: Float = 0
  var sentPower: Float = 0
  var nearPower: Float = 0
  for index in Int(from * 48_000)..<min(near.count, sent.count - 480, Int(to * 48_000)) {
    let heard = sent[index + 480]
    product += heard * near[index]
    sentPower += heard * heard
    nearPower += near[index] * near[index]
  }
  return (product / (sentPower * nearPower).squareRoot(), sentPower / nearPower)
}
