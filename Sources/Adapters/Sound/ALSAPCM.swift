import CALSA
package import Units

/// The sound cards that alsa-lib knows.
package struct ALSACards: SoundCards {
  package init() {}

  package func open(
    _ name: String, _ direction: SoundDirection, ring: Interval
  ) throws(PCMRefusal) -> any PCM {
    try ALSAPCM(name, direction, ring: ring)
  }
}

/// An alsa-lib handle; closed when it goes. Opened non-blocking, so that a wait can be ended.
private final class ALSAPCM: PCM, @unchecked Sendable {
  private let handle: OpaquePointer
  private(set) var shape: PCMShape

  private static let rate: UInt32 = 48_000
  /// 10 ms, as the call moves sound.
  private static let wantedPeriod = 480

  init(_ name: String, _ direction: SoundDirection, ring: Interval) throws(PCMRefusal) {
    calsa_be_quiet()
    var opened: OpaquePointer?
    let stream = direction == .capture ? SND_PCM_STREAM_CAPTURE : SND_PCM_STREAM_PLAYBACK
    let code = snd_pcm_open(&opened, name, stream, SND_PCM_NONBLOCK)
    guard code == 0, let opened else { throw .code(code) }
    do {
      shape = try ALSAPCM.configure(opened, ring: Int(ring.seconds * Double(Self.rate)))
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
    _ handle: OpaquePointer, ring: Int
  ) throws(PCMRefusal) -> PCMShape {
    var parameters: OpaquePointer?
    guard snd_pcm_hw_params_malloc(&parameters) == 0, let parameters else {
      throw .code(-ENOMEM)
    }
    defer { snd_pcm_hw_params_free(parameters) }
    try check(snd_pcm_hw_params_any(handle, parameters))
    try check(snd_pcm_hw_params_set_access(handle, parameters, SND_PCM_ACCESS_RW_INTERLEAVED))
    guard snd_pcm_hw_params_set_format(handle, parameters, SND_PCM_FORMAT_S16_LE) >= 0 else {
      throw .otherShape("other samples than 16 bit")
    }
    // Raw hw: devices often have two channels only.
    var channels: UInt32 = 1
    try check(snd_pcm_hw_params_set_channels_near(handle, parameters, &channels))
    guard (1...8).contains(channels) else { throw .otherShape("\(channels) channels") }
    var granted = rate
    try check(snd_pcm_hw_params_set_rate_near(handle, parameters, &granted, nil))
    guard granted == rate else { throw .otherShape("\(granted) Hz") }
    var period = snd_pcm_uframes_t(wantedPeriod)
    snd_pcm_hw_params_set_period_size_near(handle, parameters, &period, nil)
    var size = snd_pcm_uframes_t(ring)
    snd_pcm_hw_params_set_buffer_size_near(handle, parameters, &size)
    try check(snd_pcm_hw_params(handle, parameters))
    snd_pcm_hw_params_get_buffer_size(parameters, &size)
    snd_pcm_hw_params_get_period_size(parameters, &period, nil)
    snd_pcm_prepare(handle)
    return PCMShape(channels: Int(channels), ring: Int(size), period: Int(period))
  }

  private static func check(_ code: Int32) throws(PCMRefusal) {
    if code < 0 { throw .code(code) }
  }

  func available() -> Int { Int(snd_pcm_avail_update(handle)) }

  func delay() -> Int {
    var frames: snd_pcm_sframes_t = 0
    return snd_pcm_delay(handle, &frames) == 0 ? max(0, Int(frames)) : 0
  }

  func wait(milliseconds: Int32) -> Int32 { snd_pcm_wait(handle, milliseconds) }

  var now: Instant { monotonicNow() }

  func rest(frames: Int) {
    sleepUntil(now + .seconds(Double(frames) / Double(Self.rate)))
  }

  func read(into buffer: UnsafeMutablePointer<Int16>, frames: Int) -> Int {
    Int(snd_pcm_readi(handle, buffer, snd_pcm_uframes_t(frames)))
  }

  func write(_ buffer: UnsafePointer<Int16>, frames: Int) -> Int {
    Int(snd_pcm_writei(handle, buffer, snd_pcm_uframes_t(frames)))
  }

  func recover(from code: Int32) -> Int32 { snd_pcm_recover(handle, code, 1) }

  func start() { snd_pcm_start(handle) }

  func reshape(ring: Int) {
    let old = shape
    for wanted in [ring, old.ring] {
      snd_pcm_drop(handle)
      snd_pcm_hw_free(handle)
      guard let granted = try? ALSAPCM.configure(handle, ring: wanted),
        granted.channels == old.channels
      else { continue }
      shape = granted
      return
    }
  }
}
