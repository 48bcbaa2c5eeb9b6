package import Media
import Units

/// Makes a microphone bearable: takes the loudspeaker's echo away, turns steady noise down and
/// brings speech to one level. Sound comes out one block later than it came in.
package struct SpeechCleaner: ~Copyable {
  /// What was played; whoever plays adds to it before the block that hears it is cleaned.
  package var reference = EchoReference()
  private var filter: EchoFilter?
  private var suppressor = ResidualSuppressor()
  private var control = GainControl()
  private let captured = Lanes(block)
  private let played = Lanes(block)
  private let echo = Lanes(block)
  private let rest = Lanes(block)

  private static let block = AudioFormat.blockSamples
  /// 280 ms: 10 ms of lead, 120 ms that devices don't tell of, and the room.
  private static let partitions = 28

  /// Without echo, because nothing is played here, noise and level are treated alone.
  package init(cancelsEcho: Bool) {
    filter = cancelsEcho ? EchoFilter(partitions: Self.partitions) : nil
  }

  /// The block, cleaned: 480 samples, of which the first was captured 10 ms before the block's.
  package mutating func clean(_ block: inout AudioBlock) {
    guard block.samples.count == Self.block else { return }
    for index in 0..<Self.block { captured.values[index] = Float(block.samples[index]) / 32_768 }
    if filter != nil {
      reference.read(capturedAt: block.capturedAt, into: played.values)
      filter?.run(
        captured.values, reference: played.values, rest: rest.values, echo: echo.values)
      suppressor.run(rest.values, echo: echo.values)
    } else {
      rest.values.update(from: captured.values, count: Self.block)
      suppressor.run(rest.values, echo: nil)
    }
    control.run(rest.values, isSpeech: isSpeech)
    for index in 0..<Self.block {
      block.samples[index] = Int16(clamping: Int((rest.values[index] * 32_768).rounded()))
    }
    block.capturedAt = block.capturedAt - AudioFormat.blockDuration
  }

  /// Far above noise, loud enough to be a word, and more than could be left of an echo: whoever
  /// speaks far away must not set the level of who speaks here.
  private var isSpeech: Bool {
    let levels = suppressor.levels
    return levels.passed > 10 * levels.noise && levels.passed > 0.2 * levels.echo
      && levels.passed > Self.quietest
  }
  /// −60 dB of full scale, as the power of a windowed spectrum (480 · 512 · 1e-6).
  private static let quietest: Float = 0.25
}
