package import Media
import Units

/// The test tone in real time: 10 ms of it, once they are over.
package final class ToneSource: AudioSource {
  private let tone: ToneSignal
  private let stopping: StopSignal
  /// Where the next block starts; touched by the one thread that takes blocks.
  private nonisolated(unsafe) var start: Instant?

  /// Tones of different voices, 0…3, can be told apart when they are heard together.
  package init(voice: Int = 0) throws(MediaError) {
    tone = ToneSignal(voice: voice)
    stopping = try StopSignal()
  }

  package func nextBlock() throws(MediaError) -> AudioBlock? {
    var first = start ?? .now
    guard stopping.sleep(until: first + AudioFormat.blockDuration) else { return nil }
    // After a long sleep the sound in between is lost, as it is to a microphone.
    let late = Instant.now - first
    if late > .milliseconds(500) { first += .milliseconds(Int64(late.milliseconds / 10) * 10 - 10) }
    start = first + AudioFormat.blockDuration
    return AudioBlock(
      samples: tone.samples(from: first, count: AudioFormat.blockSamples), capturedAt: first)
  }

  package func stop() { stopping.raise() }
}
