/// A chirp that was heard.
package struct ChirpMark: Hashable, Sendable {
  package var shape: Int
  /// Its first sample's index in the sound that was searched.
  package var start: Int
  /// 1 is the chirp alone and undamaged, 0 nothing like it.
  package var strength: Double
}

/// Finds chirps in sound that went through codecs, mixers and gaps.
///
/// Each shape is correlated with the sound, in both phases, first at 8 kHz in steps of ½ ms, then
/// sample by sample around what stands out.
package struct ChirpDetector: Sendable {
  /// Of the search at 8 kHz; `strength` below `threshold` is not reported.
  private static let decimation = 6
  private static let step = 4
  private let threshold: Double
  private let coarse: [Template]
  private let fine: [Template]

  package init(threshold: Double = 0.4) {
    self.threshold = threshold
    coarse = (0..<Chirp.shapes).map { Template(shape: $0, every: Self.decimation) }
    fine = (0..<Chirp.shapes).map { Template(shape: $0, every: 1) }
  }

  /// All chirps in 48 kHz sound, in the order of their starts.
  package func marks(in samples: [Int16]) -> [ChirpMark] {
    let sound = samples.map(Float.init)
    let low = Self.decimated(sound)
    var marks: [ChirpMark] = []
    for shape in 0..<Chirp.shapes {
      marks += peaks(low, coarse[shape]).compactMap { refined($0, sound, shape) }
    }
    return marks.sorted { ($0.start, $0.shape) < ($1.start, $1.shape) }
  }

  private static func decimated(_ sound: [Float]) -> [Float] {
    (0..<sound.count / decimation).map { index in
      var sum: Float = 0
      for tap in 0..<decimation { sum += sound[index * decimation + tap] }
      return sum / Float(decimation)
    }
  }

  /// Positions at 8 kHz where a shape stands out, at least half a chirp apart.
  private func peaks(_ sound: [Float], _ template: Template) -> [Int] {
    var found: [(position: Int, strength: Double)] = []
    for position in stride(from: 0, to: sound.count - template.count + 1, by: Self.step) {
      let strength = template.strength(in: sound, at: position)
      // The search in steps sees a little less than the peak.
      guard strength > threshold * 0.7 else { continue }
      if let last = found.last, position - last.position < template.count / 2 {
        if strength > last.strength { found[found.count - 1] = (position, strength) }
      } else {
        found.append((position, strength))
      }
    }
    return found.map(\.position)
  }

  private func refined(_ position: Int, _ sound: [Float], _ shape: Int) -> ChirpMark? {
    let reach = Self.decimation * Self.step
    let middle = position * Self.decimation
    var best = ChirpMark(shape: shape, start: middle, strength: 0)
    for start in max(0, middle - reach)...middle + reach
    where start + Chirp.samples <= sound.count {
      let strength = fine[shape].strength(in: sound, at: start)
      if strength > best.strength {
        best = ChirpMark(shape: shape, start: start, strength: strength)
      }
    }
    return best.strength >= threshold ? best : nil
  }
}

/// A chirp in both phases, every n-th sample of it, with unit power.
private struct Template: Sendable {
  private let direct: [Float]
  private let quarter: [Float]

  var count: Int { direct.count }

  init(shape: Int, every step: Int) {
    func wave(_ quarter: Bool) -> [Float] {
      // Decimated sound averages `step` samples: so does its template.
      let wave = stride(from: 0, to: Chirp.samples, by: step).map { first in
        (first..<first + step).reduce(0.0) {
          $0 + Chirp.wave(shape: shape, sample: $1, quarter: quarter)
        }
      }
      let power = wave.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return wave.map { Float($0 / power) }
    }
    direct = wave(false)
    quarter = wave(true)
  }

  /// How much of the sound's power from `position` on lies in this chirp: 0…1.
  func strength(in sound: [Float], at position: Int) -> Double {
    direct.withUnsafeBufferPointer { direct in
      quarter.withUnsafeBufferPointer { quarter in
        sound.withUnsafeBufferPointer { sound in
          var sums: (Float, Float, Float) = (0, 0, 0)
          for tap in 0..<direct.count {
            let sample = sound[position &+ tap]
            sums.0 += sample * direct[tap]
            sums.1 += sample * quarter[tap]
            sums.2 += sample * sample
          }
          guard sums.2 > 1 else { return 0 }
          return Double((sums.0 * sums.0 + sums.1 * sums.1) / sums.2).squareRoot()
        }
      }
    }
  }
}
