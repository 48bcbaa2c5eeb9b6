package import Media
import Synchronization
package import Units

/// Sound to an ALSA playback device, in blocks of 10 ms; the device paces who calls `play`.
package final class ALSASpeaker: AudioSink, @unchecked Sendable {
  /// Released, with the card, after a failure.
  private var device: PCMDevice?
  private let stopDevice: @Sendable () -> Void
  private var interleaved: [Int16]
  private var pace = DevicePace()
  private var reserve: SpeakerReserve
  private var writtenAt = Instant.zero
  /// Nanoseconds until a sample given now is heard.
  private let waiting = Atomic<Int64>(0)

  /// Time between two blocks while there is enough to be heard: a device that moves much at a
  /// time (dmix 21 ms) would ask for several at once, ahead of what the peers have sent.
  private static let spacing = Interval.milliseconds(10)

  package init(
    device name: String = "default", cards: any SoundCards = ALSACards()
  ) throws(MediaError) {
    let device = try PCMDevice(name, .playback, ring: SpeakerReserve.least, cards: cards)
    let wanted = SpeakerReserve.wanted(device.shape)
    if wanted > device.shape.ring { device.reshape(ring: wanted) }
    self.device = device
    stopDevice = { [weak device] in device?.stop() }
    interleaved = [Int16](repeating: 0, count: AudioFormat.blockSamples * device.channels)
    reserve = SpeakerReserve(device.shape)
    try fillCushion(of: device)
  }

  /// After an error the device is free for others.
  package func play(_ samples: UnsafeBufferPointer<Int16>) throws(MediaError) {
    guard let device else { return }
    do { try play(samples, on: device) } catch {
      self.device = nil
      throw error
    }
  }

  private func play(
    _ samples: UnsafeBufferPointer<Int16>, on device: PCMDevice
  ) throws(MediaError) {
    let channels = device.channels
    for frame in 0..<min(samples.count, AudioFormat.blockSamples) {
      for channel in 0..<channels { interleaved[frame * channels + channel] = samples[frame] }
    }
    try write(interleaved, to: device)
    let ahead = device.delaySamples
    let delay = Interval.seconds(Double(ahead) / Double(AudioFormat.sampleRate))
    waiting.store(delay.nanoseconds, ordering: .relaxed)
    // ALSA's null and file devices take everything at once.
    pace.waitAfterBlock(isDeviceEmpty: ahead == 0) { device.hasStopped }
    spread(on: device)
  }

  package var delay: Interval { Interval(nanoseconds: waiting.load(ordering: .relaxed)) }

  package func stop() { stopDevice() }

  private func write(_ block: [Int16], to device: PCMDevice) throws(MediaError) {
    var written = 0
    while written < AudioFormat.blockSamples {
      var wasRepaired = false
      let left = AudioFormat.blockSamples - written
      let room = device.shape.ring - reserve.frames + left
      guard try device.wait(frames: room, repaired: { wasRepaired = true }) else { return }
      if wasRepaired {
        if let ring = reserve.noteUnderrun(device.shape, at: device.now) {
          device.reshape(ring: ring)
          reserve.limit(to: device.shape)
        }
        try fillCushion(of: device)
      }
      let offset = written * device.channels
      written += try block.withUnsafeBufferPointer { buffer throws(MediaError) in
        guard let base = buffer.baseAddress else { return left }
        return try device.write(base + offset, frames: left)
      }
    }
  }

  private func spread(on device: PCMDevice) {
    let next = writtenAt + Self.spacing
    let shape = device.shape
    if shape.period > AudioFormat.blockSamples, next > device.now,
      shape.ring - device.available > shape.period
    {
      device.rest(until: next)
    }
    writtenAt = device.now
  }

  /// Silence first, or the next late block is an underrun again.
  private func fillCushion(of device: PCMDevice) throws(MediaError) {
    let frames = reserve.frames / 2
    let silence = [Int16](repeating: 0, count: frames * device.channels)
    _ = try silence.withUnsafeBufferPointer { buffer throws(MediaError) in
      guard let base = buffer.baseAddress else { return 0 }
      return try device.write(base, frames: frames)
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
