import CALSA
import CLinux
import Media
import Synchronization
import Units

/// One open ALSA PCM of 48 kHz mono s16, in one direction; closed when it goes.
///
/// Opened non-blocking, so that `stop` can end a wait. Used by one thread, but for `stop`.
final class PCMDevice: @unchecked Sendable {
  enum Direction {
    case capture
    case playback

    var noun: String { self == .capture ? "microphone" : "speaker" }
  }

  private let handle: OpaquePointer
  let name: String
  private let direction: Direction
  /// Samples that the ring holds, as granted.
  let ringSamples: Int
  /// The device has this many channels: sound is mixed down to, or copied from, one.
  let channels: Int
  private let isStopped = Atomic(false)

  private static let rate: UInt32 = 48_000
  /// How long a wait may last before `stop` is looked at.
  private static let waitMilliseconds: Int32 = 100

  /// `ring` is how much the device's buffer should hold: little, since it is delay.
  init(_ name: String, _ direction: Direction, ring: Interval) throws(MediaError) {
    calsa_be_quiet()
    self.name = name
    self.direction = direction
    var opened: OpaquePointer?
    let stream = direction == .capture ? SND_PCM_STREAM_CAPTURE : SND_PCM_STREAM_PLAYBACK
    let code = snd_pcm_open(&opened, name, stream, SND_PCM_NONBLOCK)
    guard code == 0, let opened else {
      throw PCMDevice.error(code, name, direction)
    }
    do {
      (channels, ringSamples) = try PCMDevice.configure(opened, name, direction, ring)
    } catch {
      snd_pcm_close(opened)
      throw error
    }
    handle = opened
  }

  deinit {
    snd_pcm_drop(handle)
    snd_pcm_close(handle)
  }

  private static func configure(
    _ handle: OpaquePointer, _ name: String, _ direction: Direction, _ ring: Interval
  ) throws(MediaError) -> (channels: Int, ringSamples: Int) {
    var parameters: OpaquePointer?
    guard snd_pcm_hw_params_malloc(&parameters) == 0, let parameters else {
      throw error(-ENOMEM, name, direction)
    }
    defer { snd_pcm_hw_params_free(parameters) }
    var code = snd_pcm_hw_params_any(handle, parameters)
    guard code >= 0 else { throw error(code, name, direction) }
    code = snd_pcm_hw_params_set_access(handle, parameters, SND_PCM_ACCESS_RW_INTERLEAVED)
    if code >= 0 { code = snd_pcm_hw_params_set_format(handle, parameters, SND_PCM_FORMAT_S16_LE) }
    // Raw hw: devices often have two channels only.
    var channels: UInt32 = 1
    if code >= 0 {
      code = snd_pcm_hw_params_set_channels_near(handle, parameters, &channels)
    }
    var granted = rate
    if code >= 0 { code = snd_pcm_hw_params_set_rate_near(handle, parameters, &granted, nil) }
    guard code >= 0 else { throw error(code, name, direction) }
    guard granted == rate, (1...8).contains(channels) else {
      throw MediaError(
        .unsupported,
        "the \(direction.noun) \(name) offers \(granted) Hz and \(channels) channels, not 48000 Hz",
        remedy: "use plug\(name) or the default device, which convert")
    }
    var period = snd_pcm_uframes_t(AudioFormat.blockSamples)
    snd_pcm_hw_params_set_period_size_near(handle, parameters, &period, nil)
    var size = snd_pcm_uframes_t(ring.seconds * Double(rate))
    snd_pcm_hw_params_set_buffer_size_near(handle, parameters, &size)
    code = snd_pcm_hw_params(handle, parameters)
    guard code >= 0 else { throw error(code, name, direction) }
    snd_pcm_hw_params_get_buffer_size(parameters, &size)
    snd_pcm_prepare(handle)
    return (Int(channels), Int(size))
  }

  func stop() { isStopped.store(true, ordering: .releasing) }
  var hasStopped: Bool { isStopped.load(ordering: .acquiring) }

  func start() { snd_pcm_start(handle) }

  /// Samples between the application and the air: waiting to be heard, or to be read.
  var delaySamples: Int {
    var frames: snd_pcm_sframes_t = 0
    return snd_pcm_delay(handle, &frames) == 0 ? max(0, Int(frames)) : 0
  }

  /// Waits until at least `frames` can be moved; false after `stop`. A device that vanished
  /// throws `.ended`; over- and underruns are repaired and reported to `repaired`.
  func wait(frames: Int, repaired: () -> Void) throws(MediaError) -> Bool {
    while !hasStopped {
      let available = snd_pcm_avail_update(handle)
      if available < 0 {
        try repair(Int32(available))
        repaired()
        continue
      }
      if Int(available) >= frames { return true }
      let code = snd_pcm_wait(handle, Self.waitMilliseconds)
      if code < 0 {
        try repair(code)
        repaired()
      }
    }
    return false
  }

  /// Reads interleaved samples into `buffer` (frames × channels); frames read.
  func read(_ buffer: UnsafeMutablePointer<Int16>, frames: Int) throws(MediaError) -> Int {
    let count = snd_pcm_readi(handle, buffer, snd_pcm_uframes_t(frames))
    if count == -Int(EAGAIN) { return 0 }
    if count < 0 {
      try repair(Int32(count))
      return 0
    }
    return Int(count)
  }

  /// Writes interleaved samples; frames written.
  func write(_ buffer: UnsafePointer<Int16>, frames: Int) throws(MediaError) -> Int {
    let count = snd_pcm_writei(handle, buffer, snd_pcm_uframes_t(frames))
    if count == -Int(EAGAIN) { return 0 }
    if count < 0 {
      try repair(Int32(count))
      return 0
    }
    return Int(count)
  }

  /// Under- and overruns and suspends are recovered from; what is left is the device's end.
  private func repair(_ code: Int32) throws(MediaError) {
    guard snd_pcm_recover(handle, code, 1) < 0 else {
      if direction == .capture { snd_pcm_start(handle) }
      return
    }
    if code == -ENODEV || code == -EBADFD {
      throw MediaError(
        .ended, "the \(direction.noun) \(name) was unplugged",
        remedy: "plug it in again and join once more, or choose another with p2pcall devices")
    }
    throw PCMDevice.error(code, name, direction)
  }

  private static func error(
    _ code: Int32, _ name: String, _ direction: Direction
  ) -> MediaError {
    let option = direction == .capture ? "--audio mic:DEVICE" : "--play speaker:DEVICE"
    switch -code {
    case ENOENT, ENODEV, ENXIO:
      return MediaError(
        .absent, "there is no \(direction.noun) \(name)",
        remedy: "choose one that p2pcall devices lists, with \(option)")
    case EBUSY:
      return MediaError(
        .busy, "another program uses the \(direction.noun) \(name)",
        remedy: "end that program, or choose another device with \(option)")
    case EACCES, EPERM:
      return MediaError(
        .denied, "the \(direction.noun) \(name) may not be opened",
        remedy: "add yourself to the group audio, then log in again")
    default:
      return MediaError(
        .failed, "the \(direction.noun) \(name) failed: \(String(cString: snd_strerror(code)))",
        remedy: "choose another device with \(option)")
    }
  }
}
