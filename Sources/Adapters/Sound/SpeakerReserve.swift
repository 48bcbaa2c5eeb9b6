import Media
import Units

/// How much sound stands between the application and the air: as little as the device and this
/// computer bear, since it is delay. It begins with 40 ms and grows while it runs dry.
struct SpeakerReserve {
  /// Two blocks as a cushion, two that the thread may be late with.
  static let least = Interval.milliseconds(40)
  private static let most = 160 * 48
  /// One underrun is an accident; a second one so soon after it is a reserve that is too small.
  private static let memory = Interval.seconds(10)

  /// The reserve in frames, at most the device's ring. A device may hold far more (dmix 340 ms):
  /// that is not filled.
  private(set) var frames: Int
  private var lastUnderrun: Instant?

  init(_ shape: PCMShape) { frames = min(shape.ring, Self.wanted(shape)) }

  /// A device that moves much at a time needs two of its periods, and a block to spread them.
  static func wanted(_ shape: PCMShape) -> Int {
    let block = AudioFormat.blockSamples
    let periods = 2 * shape.period + (shape.period > block ? block : 0)
    return max(Int(least.seconds * 48_000), periods)
  }

  /// Grows where it has to; returns the ring that the device must have for that, if its is
  /// smaller.
  mutating func noteUnderrun(_ shape: PCMShape, at now: Instant) -> Int? {
    defer { lastUnderrun = now }
    guard let lastUnderrun, now - lastUnderrun < Self.memory else { return nil }
    let grown = min(frames * 3 / 2, max(Self.most, 2 * shape.period))
    guard grown > frames else { return nil }
    frames = grown
    return grown > shape.ring ? grown : nil
  }

  /// What the device granted, if less.
  mutating func limit(to shape: PCMShape) { frames = min(frames, shape.ring) }
}
