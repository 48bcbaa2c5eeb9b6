/// Makes sound shorter or longer by one period of its pitch, which is hardly heard: where a voice
/// repeats itself, one repetition is left out or played twice, and faded over (overlap-add).
package enum TimeStretch {
  /// Periods of voices, in samples at 48 kHz: 400…80 Hz.
  package static let periods = 120...600
  /// The overlap is no shorter than the shortest period.
  private static let leastOverlap = 120
  /// Likeness of two repetitions, −1…1, that is good enough; in haste; noise has none.
  private static let likeness = (usual: 0.7, inHaste: 0.3)
  /// Mean power below which nothing is heard that could be harmed (−50 dB).
  private static let quiet = 100.0 * 100
  /// Steps of the coarse search.
  private static let step = 4

  /// Leaves out one period of `samples` from `start` on. Returns its length, 0 where none fits.
  package static func shorten(
    _ samples: inout [Int16], from start: Int, inHaste: Bool = false
  ) -> Int {
    let room = samples.count - start
    let longest = min(periods.upperBound, room - leastOverlap)
    guard longest >= periods.lowerBound else { return 0 }
    // Two stretches of one period each, one period apart.
    let found = best(periods.lowerBound...longest, inHaste: inHaste) { period, step in
      compare(samples, start, start + period, count: min(period, room - period), step: step)
    }
    guard let period = found else { return 0 }
    let overlap = min(period, room - period)
    for place in 0..<overlap {
      samples[start + place] = faded(
        samples[start + place], samples[start + period + place], place, overlap)
    }
    samples.removeSubrange(start + overlap..<start + overlap + period)
    return period
  }

  /// Repeats one period at `joint`; what stands before it is needed to fade, and may be played
  /// already. Returns how many samples were put in, 0 where none fit.
  package static func lengthen(
    _ samples: inout [Int16], at joint: Int, inHaste: Bool = false
  ) -> Int {
    let longest = min(periods.upperBound, joint, samples.count - joint)
    guard longest >= periods.lowerBound else { return 0 }
    let found = best(periods.lowerBound...longest, inHaste: inHaste) { period, step in
      compare(samples, joint - period, joint, count: period, step: step)
    }
    guard let period = found else { return 0 }
    // It begins as what follows the joint does, and ends as what comes before it did.
    let repeated = (0..<period).map {
      faded(samples[joint + $0], samples[joint - period + $0], $0, period)
    }
    samples.insert(contentsOf: repeated, at: joint)
    return period
  }

  private static func faded(_ from: Int16, _ to: Int16, _ place: Int, _ count: Int) -> Int16 {
    Int16((Int(from) * (count - place) + Int(to) * place) / count)
  }

  private struct Likeness {
    var value: Double
    var power: Double
  }

  /// The period at which sound repeats itself best.
  private static func best(
    _ range: ClosedRange<Int>, inHaste: Bool, likeness: (_ period: Int, _ step: Int) -> Likeness
  ) -> Int? {
    var coarse = (period: range.lowerBound, value: -2.0)
    var loudest = 0.0
    for period in stride(from: range.lowerBound, through: range.upperBound, by: step) {
      let found = likeness(period, step)
      loudest = max(loudest, found.power)
      if found.value > coarse.value { coarse = (period, found.value) }
    }
    if loudest < quiet { return min(range.upperBound, 480) }
    var fine = (period: coarse.period, value: -2.0)
    for period in max(
      range.lowerBound, coarse.period - step + 1)...min(
        range.upperBound, coarse.period + step - 1)
    {
      let found = likeness(period, 1)
      if found.value > fine.value { fine = (period, found.value) }
    }
    return fine.value >= (inHaste ? Self.likeness.inHaste : Self.likeness.usual)
      ? fine.period : nil
  }

  /// Normalised correlation of `count` samples at two places, every `step`th of them.
  private static func compare(
    _ samples: [Int16], _ left: Int, _ right: Int, count: Int, step: Int
  ) -> Likeness {
    var product: Int64 = 0
    var powers: (Int64, Int64) = (0, 0)
    var place = 0
    while place < count {
      let one = Int64(samples[left + place])
      let other = Int64(samples[right + place])
      product += one * other
      powers.0 += one * one
      powers.1 += other * other
      place += step
    }
    let power = (Double(powers.0) * Double(powers.1)).squareRoot()
    let mean = Double(max(powers.0, powers.1)) * Double(step) / Double(max(1, count))
    return Likeness(value: power > 0 ? Double(product) / power : 0, power: mean)
  }
}
