package import Media
import Synchronization
package import Units

/// Sound to an ALSA playback device, in blocks of 10 ms; the device paces who calls `play`.
package final class ALSASpeaker: AudioSink, @unchecked Sendable {
  private let device: PCMDevice
  private var interleaved: [Int16]
  private var pace = DevicePace()
  /// Nanoseconds until a sample given now is heard.
  private let waiting = Atomic<Int64>(0)

  /// Blocks of silence that stand between us and an underrun.
  private static let cushion = 2

  /// A ring of 40 ms: two blocks as a cushion, two that the thread may be late with.
  package init(device name: String = "default") throws(MediaError) {
    device = try PCMDevice(name, .playback, ring: .milliseconds(40))
    interleaved = [Int16](repeating: 0, count: AudioFormat.blockSamples * device.channels)
    try fillCushion()
  }

  package func play(_ samples: UnsafeBufferPointer<Int16>) throws(MediaError) {
    let channels = device.channels
    for frame in 0..<min(samples.count, AudioFormat.blockSamples) {
      for channel in 0..<channels { interleaved[frame * channels + channel] = samples[frame] }
    }
    try write(interleaved)
    let ahead = device.delaySamples
    let delay = Interval.seconds(Double(ahead) / Double(AudioFormat.sampleRate))
    waiting.store(delay.nanoseconds, ordering: .relaxed)
    // ALSA's null and file devices take everything at once.
    pace.waitAfterBlock(isDeviceEmpty: ahead == 0) { device.hasStopped }
  }

  package var delay: Interval { Interval(nanoseconds: waiting.load(ordering: .relaxed)) }

  package func stop() { device.stop() }

  private func write(_ block: [Int16]) throws(MediaError) {
    var written = 0
    while written < AudioFormat.blockSamples {
      var wasRepaired = false
      let left = AudioFormat.blockSamples - written
      guard try device.wait(frames: left, repaired: { wasRepaired = true }) else { return }
      if wasRepaired { try fillCushion() }
      let offset = written * device.channels
      written += try block.withUnsafeBufferPointer { buffer throws(MediaError) in
        guard let base = buffer.baseAddress else { return left }
        return try device.write(base + offset, frames: left)
      }
    }
  }

  /// Silence first, or the next late block is an underrun again.
  private func fillCushion() throws(MediaError) {
    let silence = [Int16](
      repeating: 0, count: Self.cushion * AudioFormat.blockSamples * device.channels)
    _ = try silence.withUnsafeBufferPointer { buffer throws(MediaError) in
      guard let base = buffer.baseAddress else { return 0 }
      return try device.write(base, frames: Self.cushion * AudioFormat.blockSamples)
    }
  }
}

/// Holds the pace of real time where a device does not: after each block it sleeps if blocks run
/// ahead of the clock.
struct DevicePace {
  private var start: Instant?
  private var blocks: Int64 = 0

  /// A device that holds samples paces by itself; one that is empty right after a write does not.
  mutating func waitAfterBlock(isDeviceEmpty: Bool, isStopped: () -> Bool) {
    let now = monotonicNow()
    guard isDeviceEmpty else {
      start = nil
      return
    }
    guard let start else {
      self.start = now
      blocks = 1
      return
    }
    let due = start + .milliseconds(10 * blocks)
    blocks += 1
    if now - due > .milliseconds(200) { self.start = nil }
    if due > now, !isStopped() { sleepUntil(due) }
  }
}
