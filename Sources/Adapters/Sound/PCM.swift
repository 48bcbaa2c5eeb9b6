package import Units

/// Which way sound goes.
package enum SoundDirection: Hashable, Sendable {
  case capture
  case playback

  var noun: String { self == .capture ? "microphone" : "speaker" }
}

/// How a device was configured: always 48 kHz, s16, interleaved.
package struct PCMShape: Hashable, Sendable {
  package var channels: Int
  /// Frames that the device's buffer holds.
  package var ring: Int
  /// Frames that the device moves at a time.
  package var period: Int

  package init(channels: Int, ring: Int, period: Int) {
    self.channels = channels
    self.ring = ring
    self.period = period
  }
}

/// Why a PCM cannot be had.
package enum PCMRefusal: Error, Hashable, Sendable {
  /// −errno of alsa-lib.
  case code(Int32)
  /// It works in another way than 48 kHz s16 with 1 to 8 channels.
  case otherShape(String)
}

/// One opened PCM, as much of it as a call needs, so that tests can be a sound card themselves.
/// Counts of frames are 0 or more, or −errno.
package protocol PCM: AnyObject, Sendable {
  var shape: PCMShape { get }
  /// Frames that can be moved now.
  func available() -> Int
  /// Frames between the application and the air.
  func delay() -> Int
  /// 1 when the device calls itself ready, 0 when the time is over, or −errno.
  func wait(milliseconds: Int32) -> Int32
  var now: Instant { get }
  /// Sleeps for as long as so many frames last.
  func rest(frames: Int)
  func read(into buffer: UnsafeMutablePointer<Int16>, frames: Int) -> Int
  func write(_ buffer: UnsafePointer<Int16>, frames: Int) -> Int
  /// Makes it usable after an over- or underrun or a suspend: 0, or −errno.
  func recover(from code: Int32) -> Int32
  func start()
  /// Stops it and asks for another buffer, in frames; `shape` says what was granted.
  func reshape(ring: Int)
}

/// Opens PCMs by their names.
package protocol SoundCards: Sendable {
  /// `ring` is how much the device's buffer should hold, since it is delay.
  func open(
    _ name: String, _ direction: SoundDirection, ring: Interval
  ) throws(PCMRefusal) -> any PCM
}
