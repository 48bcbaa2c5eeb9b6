import CALSA
import Media
import Synchronization
import Units

/// One open PCM under a call's rules: waits that `stop` can end, over- and underruns repaired,
/// errors as sentences. Used by one thread, but for `stop`.
final class PCMDevice: @unchecked Sendable {
  private let pcm: any PCM
  let name: String
  private let direction: SoundDirection
  private let isStopped = Atomic(false)

  /// How long a wait may last before `stop` is looked at.
  private static let waitMilliseconds: Int32 = 100
  /// Waits in vain until a microphone has failed: a card's clock never stops. 10 s: a headset that
  /// changes its profile is silent for less.
  private static let patience = 100

  init(
    _ name: String, _ direction: SoundDirection, ring: Interval, cards: any SoundCards
  ) throws(MediaError) {
    self.name = name
    self.direction = direction
    do {
      pcm = try cards.open(name, direction, ring: ring)
    } catch {
      throw PCMDevice.error(error, name, direction)
    }
  }

  var shape: PCMShape { pcm.shape }
  var channels: Int { pcm.shape.channels }

  func stop() { isStopped.store(true, ordering: .releasing) }
  var hasStopped: Bool { isStopped.load(ordering: .acquiring) }

  func start() { pcm.start() }
  /// Stops the device and asks for another buffer, in frames; `shape` says what was granted.
  func reshape(ring: Int) { pcm.reshape(ring: ring) }

  var now: Instant { pcm.now }
  func rest(until instant: Instant) {
    pcm.rest(frames: Int((instant - pcm.now).seconds * Double(AudioFormat.sampleRate)))
  }
  /// Frames that can be moved now; 0 where something is to be repaired first.
  var available: Int { max(0, pcm.available()) }

  /// Samples between the application and the air: waiting to be heard, or to be read.
  var delaySamples: Int { pcm.delay() }

  /// Waits until at least `frames` can be moved; false after `stop`. A device that vanished
  /// throws `.ended`; over- and underruns are repaired and reported to `repaired`.
  func wait(frames: Int, repaired: () -> Void) throws(MediaError) -> Bool {
    var inVain = 0
    while !hasStopped {
      let available = pcm.available()
      if available >= frames { return true }
      if available < 0 {
        try repair(Int32(available))
        repaired()
        // The caller may want something else now.
        return true
      }
      let code = pcm.wait(milliseconds: Self.waitMilliseconds)
      if code < 0 {
        try repair(code)
        repaired()
        return true
      }
      if code > 0 {
        awaitRest(of: frames)
      } else {
        inVain += 1
        if direction == .capture, inVain >= Self.patience { throw silence }
      }
    }
    return false
  }

  /// A device may call itself ready before `frames` can be moved (PulseAudio's plugin does for a
  /// single one): asking again at once would keep a processor busy. What is missing comes no
  /// sooner than this.
  private func awaitRest(of frames: Int) {
    let missing = frames - pcm.available()
    // At least 1 ms, for devices that count in steps of their period.
    if missing > 0, missing <= frames { pcm.rest(frames: max(missing, 48)) }
  }

  /// Reads interleaved samples into `buffer` (frames × channels); frames read.
  func read(_ buffer: UnsafeMutablePointer<Int16>, frames: Int) throws(MediaError) -> Int {
    try moved(pcm.read(into: buffer, frames: frames))
  }

  /// Writes interleaved samples; frames written.
  func write(_ buffer: UnsafePointer<Int16>, frames: Int) throws(MediaError) -> Int {
    try moved(pcm.write(buffer, frames: frames))
  }

  private func moved(_ count: Int) throws(MediaError) -> Int {
    if count >= 0 { return count }
    if count != -Int(EAGAIN) { try repair(Int32(count)) }
    return 0
  }

  /// Under- and overruns and suspends are recovered from; what is left is the device's end.
  private func repair(_ code: Int32) throws(MediaError) {
    guard pcm.recover(from: code) < 0 else {
      if direction == .capture { pcm.start() }
      return
    }
    if code == -ENODEV || code == -EBADFD {
      throw MediaError(
        .ended, "the \(direction.noun) \(name) was unplugged", remedy: remedy, device: name)
    }
    throw PCMDevice.error(.code(code), name, direction)
  }

  private var remedy: String {
    direction == .capture
      ? "plug it in again and write /unmute, or choose another with p2pcall devices"
      : "plug it in again, or choose another with p2pcall devices"
  }

  private var silence: MediaError {
    MediaError(
      .failed, "the microphone \(name) gives no sound",
      remedy: "unplug it and plug it in again, then write /unmute, or choose another with "
        + "--audio mic:DEVICE", device: name)
  }

  private static func error(
    _ refusal: PCMRefusal, _ name: String, _ direction: SoundDirection
  ) -> MediaError {
    let option = direction == .capture ? "--audio mic:" : "--play speaker:"
    switch refusal {
    case .otherShape(let shape):
      return MediaError(
        .unsupported, "the \(direction.noun) \(name) has \(shape), not 48000 Hz in 16 bit",
        remedy: "use \(option)plug\(name) or the default device, which convert", device: name)
    case .code(let code): return error(code, name, direction, option: option + "DEVICE")
    }
  }

  private static func error(
    _ code: Int32, _ name: String, _ direction: SoundDirection, option: String
  ) -> MediaError {
    switch -code {
    case ENOENT, ENODEV, ENXIO:
      return MediaError(
        .absent, "there is no \(direction.noun) \(name)",
        remedy: "choose one that p2pcall devices lists, with \(option)", device: name)
    case EBUSY, EAGAIN:
      return MediaError(
        .busy, "another program uses the \(direction.noun) \(name)",
        remedy: "end that program, or choose another device with \(option)", device: name)
    case EACCES, EPERM:
      return MediaError(
        .denied, "the \(direction.noun) \(name) may not be opened",
        remedy: "add yourself to the group audio, then log in again", device: name)
    default:
      return MediaError(
        .failed, "the \(direction.noun) \(name) failed: \(String(cString: snd_strerror(code)))",
        remedy: "choose another device with \(option)", device: name)
    }
  }
}
