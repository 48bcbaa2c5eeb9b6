package import Call
package import Media
package import Runtime
import Synchronization
import Units

/// Takes sound from the source in blocks of 10 ms, encodes packets of the length that the order names and
/// hands them on.
package final class SoundInThread: Sendable {
  private let source: SourceSwitch<any AudioSource>
  private let makeEncoder: @Sendable () throws(MediaError) -> any AudioEncoder
  private let report: @Sendable (ConferenceInput) -> Bool
  private let order = Mutex<AudioOrder?>(nil)

  /// `reopen` is there for devices, which may come back after they failed.
  package init(
    source: any AudioSource,
    reopen: (@Sendable () throws(MediaError) -> any AudioSource)?,
    makeEncoder: @escaping @Sendable () throws(MediaError) -> any AudioEncoder,
    report: @escaping @Sendable (ConferenceInput) -> Bool
  ) throws(SystemError) {
    self.source = try SourceSwitch(source, reopen: reopen) { $0.stop() }
    self.makeEncoder = makeEncoder
    self.report = report
  }

  /// `nil`: nothing is encoded (muted, or nobody may hear us).
  package func order(_ order: AudioOrder?) { self.order.withLock { $0 = order } }

  /// Opens the microphone again after it failed.
  package func reopen() { source.turn(on: true) }

  package func start() throws(SystemError) -> Thread {
    try Thread.start("sound-in", priority: .realTime) { self.run() }
  }

  package func stop() { source.stop() }

  private func run() {
    let encoder: any AudioEncoder
    do { encoder = try makeEncoder() } catch {
      _ = report(.deviceFailed(.microphone, error))
      return
    }
    while true {
      do {
        guard let open = try source.next() else { return }
        try take(from: open, with: encoder)
        guard source.ended() else { return }
      } catch {
        let mayComeBack = source.failed()
        _ = report(.deviceFailed(.microphone, error))
        guard mayComeBack else { return }
      }
    }
  }

  private func take(
    from source: any AudioSource, with encoder: any AudioEncoder
  ) throws(MediaError) {
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
  }
}
