import Hearing
import Media
import Synchronization
import Units

/// What the loudspeaker plays, on its way from the playing thread to the one that takes its echo
/// out of the microphone: at most 64 blocks (0.64 s), the oldest dropped when nobody takes them.
///
/// The lock is held for the copy of a block; nothing is allocated after the start.
final class PlayedSound: Sendable {
  private let ring = Mutex(Ring())

  private struct Ring {
    var samples = [Int16](repeating: 0, count: capacity * AudioFormat.blockSamples)
    var times = [Instant](repeating: .zero, count: capacity)
    /// Blocks ever added and ever taken or dropped.
    var added = 0
    var taken = 0
  }
  private static let capacity = 64

  /// A block of 480 samples, the first of which is heard at that instant.
  func add(_ block: UnsafeBufferPointer<Int16>, heardAt: Instant) {
    guard block.count == AudioFormat.blockSamples else { return }
    ring.withLock { ring in
      if ring.added - ring.taken == Self.capacity { ring.taken += 1 }
      let slot = ring.added % Self.capacity
      for index in 0..<AudioFormat.blockSamples {
        ring.samples[slot * AudioFormat.blockSamples + index] = block[index]
      }
      ring.times[slot] = heardAt
      ring.added += 1
    }
  }

  /// Moves all that waits to the cleaner that compares it with the microphone.
  func moveAll(to cleaner: inout SpeechCleaner?) {
    ring.withLock { ring in
      while ring.taken < ring.added {
        let slot = ring.taken % Self.capacity
        let first = slot * AudioFormat.blockSamples
        ring.samples.withUnsafeBufferPointer { samples in
          cleaner?.reference.add(
            UnsafeBufferPointer(rebasing: samples[first..<first + AudioFormat.blockSamples]),
            heardAt: ring.times[slot])
        }
        ring.taken += 1
      }
    }
  }
}
