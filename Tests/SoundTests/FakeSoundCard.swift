import CLinux
import Media
import Sound
import Units

/// A sound card in virtual time, counted in frames: time passes only while somebody waits for it,
/// or by `advance`. Capture counts its samples up, so that gaps can be seen.
final class FakeSoundCard: SoundCards, @unchecked Sendable {
  var shape: PCMShape
  /// Playback: what was heard is told in steps of a period, as dmix does.
  var isStepped = false
  /// Capture: frames that arrive at a time.
  var fragment = 480
  /// `reshape` grants no ring beyond this.
  var largestRing = 1 << 20
  var refusal: PCMRefusal?
  /// From this frame on the card is gone: every call fails with it.
  var unplugged: (at: Int, code: Int32)?
  /// Capture: nothing arrives from this frame on.
  var silentFrom = Int.max
  /// The PCM that is open now, if any.
  private(set) weak var pcm: FakePCM?

  init(channels: Int = 1, ring: Int = 1_920, period: Int = 480) {
    shape = PCMShape(channels: channels, ring: ring, period: period)
  }

  func open(
    _ name: String, _ direction: SoundDirection, ring: Interval
  ) throws(PCMRefusal) -> any PCM {
    if let refusal { throw refusal }
    let opened = FakePCM(self, direction)
    pcm = opened
    return opened
  }
}

final class FakePCM: PCM, @unchecked Sendable {
  private let card: FakeSoundCard
  private let direction: SoundDirection
  var shape: PCMShape { card.shape }
  private(set) var clock = 0
  var now: Instant { .zero + .seconds(Double(clock) / 48_000) }
  private(set) var callCount = 0
  private(set) var overrunCount = 0
  /// Playback: the first channel of all that was written.
  private(set) var written: [Int16] = []
  /// Playback: frames not yet heard. Capture: frames not yet read.
  private var held = 0
  private var isBroken = false
  private var isRunning = false
  private var startedAt = 0
  private var arrived = 0
  private var sinceTimePassed = 0

  init(_ card: FakeSoundCard, _ direction: SoundDirection) {
    self.card = card
    self.direction = direction
  }

  func advance(_ frames: Int) {
    clock += frames
    sinceTimePassed = 0
    guard isRunning, !isBroken else { return }
    switch direction {
    case .playback:
      held -= frames
      if held < 0 { breakDown() }
    case .capture:
      let until = min(clock, card.silentFrom) / card.fragment * card.fragment
      held += max(0, until - arrived)
      arrived = max(arrived, until)
      if held > shape.ring { breakDown() }
    }
  }

  private func breakDown() {
    isBroken = true
    held = 0
    overrunCount += 1
  }

  private var failure: Int? {
    callCount += 1
    sinceTimePassed += 1
    // Asked over and over while no time passes: as good as a hanging program.
    if sinceTimePassed > 1_000 { return -Int(EIO) }
    if let (at, code) = card.unplugged, clock >= at { return Int(code) }
    return isBroken ? -Int(EPIPE) : nil
  }

  private var room: Int {
    if direction == .capture { return held }
    // What was heard since the last whole period is not told yet.
    let untold = card.isStepped && isRunning ? (clock - startedAt) % shape.period : 0
    return max(0, shape.ring - held - untold)
  }

  func available() -> Int { failure ?? room }
  func delay() -> Int { held }

  func wait(milliseconds: Int32) -> Int32 {
    if let failure { return Int32(failure) }
    if room > 0 { return 1 }
    let limit = Int(milliseconds) * 48
    if direction == .playback {
      advance(min(limit, shape.period))
      return 1
    }
    let next =
      isRunning && clock < card.silentFrom ? card.fragment - clock % card.fragment : Int.max
    advance(min(limit, next))
    return held > 0 ? 1 : 0
  }

  func rest(frames: Int) { advance(frames) }

  func read(into buffer: UnsafeMutablePointer<Int16>, frames: Int) -> Int {
    if let failure { return failure }
    let count = min(frames, held)
    guard count > 0 else { return -Int(EAGAIN) }
    for frame in 0..<count {
      for channel in 0..<shape.channels {
        buffer[frame * shape.channels + channel] = Int16(
          truncatingIfNeeded: arrived - held + frame)
      }
    }
    held -= count
    return count
  }

  func write(_ buffer: UnsafePointer<Int16>, frames: Int) -> Int {
    if let failure { return failure }
    let count = min(frames, shape.ring - held)
    guard count > 0 else { return -Int(EAGAIN) }
    for frame in 0..<count { written.append(buffer[frame * shape.channels]) }
    held += count
    if !isRunning { startedAt = clock }
    isRunning = true
    return count
  }

  func recover(from code: Int32) -> Int32 {
    guard code == -EPIPE else { return code }
    isBroken = false
    isRunning = false
    arrived = clock / card.fragment * card.fragment
    return 0
  }

  func start() { isRunning = true }

  func reshape(ring: Int) {
    held = 0
    isRunning = false
    if ring <= card.largestRing { card.shape.ring = ring }
  }
}
