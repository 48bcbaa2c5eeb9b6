/// The marks in the test tone: 50 ms sweeps that say which second of the clock begins.
///
/// Eight shapes: four bands of 750 Hz from 500 Hz on, each swept upwards or downwards. They lie
/// within speech's band, so that Opus keeps them at any rate.
package enum Chirp {
  package static let shapes = 8
  /// 50 ms at 48 kHz.
  package static let samples = 2_400

  /// The wave of a shape at sample 0..<2400, −1…1, faded in and out. `quarter` shifts its phase by
  /// 90°, for detection whatever the phase.
  static func wave(shape: Int, sample: Int, quarter: Bool = false) -> Double {
    let low = 500 + 750 * Double(shape / 2)
    let isUpwards = shape % 2 == 0
    let first = isUpwards ? low : low + 750
    let slope = isUpwards ? 750.0 : -750
    let time = Double(sample) / Double(AudioFormat.sampleRate)
    let part = Double(sample) / Double(samples)
    let turns = first * time + slope * time * part / 2
    let fade = (1 - sine(turns: part + 0.25)) / 2
    return fade * sine(turns: turns + (quarter ? 0.25 : 0))
  }

  /// The shape that marks a second, for one of up to four voices that can be told apart.
  package static func shape(second: Int64, voice: Int) -> Int {
    Int((second + 2 * Int64(voice)) & 7)
  }
}
