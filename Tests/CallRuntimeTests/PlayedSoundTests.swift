import Hearing
import Media
import Testing
import Units

@testable import CallRuntime

@Suite struct PlayedSoundTests {
  /// Blocks of one value each, heard every 10 ms from 1 s on.
  private func play(_ blocks: Range<Int>, to played: PlayedSound) {
    for block in blocks {
      let samples = [Int16](repeating: Int16(100 * block), count: AudioFormat.blockSamples)
      samples.withUnsafeBufferPointer {
        played.add($0, heardAt: .zero + .milliseconds(Int64(1_000 + 10 * block)))
      }
    }
  }

  /// The sample in the middle of what was heard at that time, in units of a block's value.
  private func heard(_ cleaner: inout SpeechCleaner?, at milliseconds: Int64) -> Float {
    var target = [Float](repeating: 0, count: AudioFormat.blockSamples)
    // The reference is read 10 ms ahead.
    let time = Instant.zero + .milliseconds(milliseconds - 10)
    cleaner?.reference.read(capturedAt: time, into: &target)
    return target[240] * 32_768 / 100
  }

  @Test func `what is played stands beside what is captured, block by block`() {
    let played = PlayedSound()
    var cleaner: SpeechCleaner? = SpeechCleaner(cancelsEcho: true)
    play(0..<20, to: played)
    played.moveAll(to: &cleaner)
    play(20..<40, to: played)
    played.moveAll(to: &cleaner)
    for block in 10..<30 {
      let value = heard(&cleaner, at: Int64(1_000 + 10 * block))
      #expect(abs(value - Float(block)) < 0.1, "block \(block) sounds like \(value)")
    }
  }

  @Test func `what nobody takes is dropped from the old end`() {
    let played = PlayedSound()
    var cleaner: SpeechCleaner? = SpeechCleaner(cancelsEcho: true)
    play(0..<100, to: played)
    played.moveAll(to: &cleaner)
    // 64 of 100 are kept: 36 and later.
    #expect(heard(&cleaner, at: 1_340) == 0)
    let value = heard(&cleaner, at: 1_400)
    #expect(abs(value - 40) < 0.1)
  }
}
