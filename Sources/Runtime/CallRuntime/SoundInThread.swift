package import Call
package import Media
package import Runtime
import Synchronization
import Units

/// Takes sound from the source in blocks of 10 ms, encodes packets of the length that the order names and
/// hands them on.
package final class SoundInThread: Sendable {
  private let source: any AudioSource
  private let makeEncoder: @Sendable () throws(MediaError) -> any AudioEncoder
  private let report: @Sendable (ConferenceInput) -> Bool
  private let order = Mutex<AudioOrder?>(nil)

  package init(
    source: any AudioSource,
    makeEncoder: @escaping @Sendable () throws(MediaError) -> any AudioEncoder,
    report: @escaping @Sendable (ConferenceInput) -> Bool
  ) {
    self.source = source
    self.makeEncoder = makeEncoder
    self.report = report
  }

  /// `nil`: nothing is encoded (muted, or nobody may hear us).
  package func order(_ order: AudioOrder?) { self.order.withLock { $0 = order } }

  package func start() throws(SystemError) -> Thread {
    try Thread.start("sound-in", priority: .realTime) { self.run() }
  }

  package func stop() { source.stop() }

  private func run() {
    do {
      let encoder = try makeEncoder()
      var current: AudioOrder?
      var samples: [Int16] = []
      samples.reserveCapacity(2 * AudioFormat.blockSamples)
      var start = Instant.zero
      while let block = try source.nextBlock() {
        guard let wanted = order.withLock({ $0 }) else {
          samples.removeAll(keepingCapacity: true)
          continue
        }
        if wanted != current {
          encoder.set(bitrate: wanted.bitrate, expectedLossPercent: wanted.expectedLossPercent)
          current = wanted
        }
        if samples.isEmpty { start = block.capturedAt }
        samples.append(contentsOf: block.samples)
        guard samples.count >= AudioFormat.samples(in: wanted.packet) else { continue }
        let packet = try encoder.encode(samples)
        _ = report(
          .encodedAudio(EncodedAudioFrame(bytes: packet, samples: samples.count, capturedAt: start))
        )
        samples.removeAll(keepingCapacity: true)
      }
    } catch {
      _ = report(.deviceFailed(.microphone, error))
    }
  }
}
