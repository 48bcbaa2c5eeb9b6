import Call
import Hearing
import Media
import Runtime
import Synchronization
import Units

/// Takes sound from the source in blocks of 10 ms, cleans it if it comes from a microphone, encodes
/// packets of the length that the order names and hands them on.
final class SoundInThread: Sendable {
  private let source: DeviceSwitch<any AudioSource>
  private let makeEncoder: @Sendable () throws(MediaError) -> any AudioEncoder
  private let report: @Sendable (ConferenceInput) -> Bool
  private let cleaning: SoundCleaning
  /// What the loudspeaker plays, if its echo is taken out.
  private let played: PlayedSound?
  private let order = Mutex<AudioOrder?>(nil)

  /// `reopen` is there for devices, which may come back after they failed.
  init(
    source: any AudioSource,
    reopen: (@Sendable () throws(MediaError) -> any AudioSource)?,
    cleaning: SoundCleaning, played: PlayedSound?,
    makeEncoder: @escaping @Sendable () throws(MediaError) -> any AudioEncoder,
    report: @escaping @Sendable (ConferenceInput) -> Bool
  ) throws(SystemError) {
    self.source = try DeviceSwitch(source, reopen: reopen) { $0.stop() }
    self.cleaning = cleaning
    self.played = played
    self.makeEncoder = makeEncoder
    self.report = report
  }

  /// `nil`: nothing is encoded (muted, or nobody may hear us).
  func order(_ order: AudioOrder?) { self.order.withLock { $0 = order } }

  /// Opens the microphone again after it failed.
  func reopen() { source.turn(on: true) }

  func start() throws(SystemError) -> Thread {
    try Thread.start("sound-in", priority: .realTime) { self.run() }
  }

  func stop() { source.stop() }

  private func run() {
    let encoder: any AudioEncoder
    do { encoder = try makeEncoder() } catch {
      _ = report(.deviceFailed(.microphone, error))
      return
    }
    var cleaner = cleaning == .none ? nil : SpeechCleaner(cancelsEcho: played != nil)
    var lost: MediaError?
    while true {
      do {
        guard let open = try source.next() else { return }
        if let lost { _ = report(.deviceReturned(.microphone, name: lost.device)) }
        lost = nil
        try take(from: open, with: encoder, cleaner: &cleaner)
        guard source.ended() else { return }
      } catch {
        let mayComeBack = source.failed()
        _ = report(.deviceFailed(.microphone, error))
        lost = error
        guard mayComeBack else { return }
      }
    }
  }

  private func take(
    from source: any AudioSource, with encoder: any AudioEncoder, cleaner: inout SpeechCleaner?
  ) throws(MediaError) {
    var current: AudioOrder?
    var samples: [Int16] = []
    samples.reserveCapacity(2 * AudioFormat.blockSamples)
    var start = Instant.zero
    while var block = try source.nextBlock() {
      // Muted too: the room is learnt all the time.
      played?.moveAll(to: &cleaner)
      cleaner?.clean(&block)
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
      // A shorter packet may have been ordered while more than one of it was waiting.
      let count = AudioFormat.samples(in: wanted.packet)
      while samples.count >= count {
        let packet = try encoder.encode(Array(samples.prefix(count)))
        _ = report(
          .encodedAudio(EncodedAudioFrame(bytes: packet, samples: count, capturedAt: start)))
        samples.removeFirst(count)
        start += wanted.packet
      }
    }
  }
}
