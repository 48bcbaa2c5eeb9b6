package import Media
import Units

/// Sound from an ALSA capture device, in blocks of 10 ms.
package final class ALSAMicrophone: AudioSource, @unchecked Sendable {
  /// Released, with the card, after the last block.
  private var device: PCMDevice?
  private let stopDevice: @Sendable () -> Void
  private var interleaved: [Int16]
  private var isStarted = false

  /// A ring of 80 ms survives a late thread; it adds no delay, because it is read at once.
  package init(
    device name: String = "default", cards: any SoundCards = ALSACards()
  ) throws(MediaError) {
    let device = try PCMDevice(name, .capture, ring: .milliseconds(80), cards: cards)
    self.device = device
    stopDevice = { [weak device] in device?.stop() }
    interleaved = [Int16](repeating: 0, count: AudioFormat.blockSamples * device.channels)
  }

  /// After `nil` or an error the device is free for others.
  package func nextBlock() throws(MediaError) -> AudioBlock? {
    guard let device else { return nil }
    do {
      if let block = try block(from: device) { return block }
    } catch {
      self.device = nil
      throw error
    }
    self.device = nil
    return nil
  }

  private func block(from device: PCMDevice) throws(MediaError) -> AudioBlock? {
    if !isStarted {
      isStarted = true
      device.start()
    }
    let wanted = AudioFormat.blockSamples
    var filled = 0
    var capturedAt = Instant.zero
    while filled < wanted {
      // After an overrun what was read before it belongs to another moment.
      guard try device.wait(frames: wanted - filled, repaired: { filled = 0 }) else { return nil }
      let waiting = Double(device.delaySamples) / Double(AudioFormat.sampleRate)
      if filled == 0 { capturedAt = monotonicNow() - .seconds(waiting) }
      let channels = device.channels
      filled += try interleaved.read(from: device, at: filled * channels, frames: wanted - filled)
    }
    return AudioBlock(
      samples: mixedDown(interleaved, channels: device.channels), capturedAt: capturedAt)
  }

  package func stop() { stopDevice() }
}

/// The mean of each frame's channels.
func mixedDown(_ interleaved: [Int16], channels: Int) -> [Int16] {
  if channels == 1 { return interleaved }
  return (0..<interleaved.count / channels).map { frame in
    var sum = 0
    for channel in 0..<channels { sum += Int(interleaved[frame * channels + channel]) }
    return Int16(sum / channels)
  }
}

extension [Int16] {
  fileprivate mutating func read(
    from device: PCMDevice, at offset: Int, frames: Int
  ) throws(MediaError) -> Int {
    try withUnsafeMutableBufferPointer { buffer throws(MediaError) in
      guard let base = buffer.baseAddress else { return 0 }
      return try device.read(base + offset, frames: frames)
    }
  }
}
