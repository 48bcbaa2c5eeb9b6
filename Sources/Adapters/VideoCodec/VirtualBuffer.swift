import Units

/// What the rate has granted and no frame has used yet, as the time that it lasts: a leaky bucket that
/// fills as time passes.
///
/// libvpx keeps one of its own by the frames that it is given. While a queue stands the sender gives it
/// none, so what drains meanwhile is missing from its account: it pays for each large frame twice, once
/// with the frames that were held and once with smaller ones, and after a fall of the rate, which no
/// frame is coarse enough for, it goes on at a third of the new rate for seconds. And a rise of the rate
/// leaves it with a buffer that is too empty by its account. Here both are followed, so that
/// libvpx's can be set right (docs/congestion.md, "Frame sizes").
struct VirtualBuffer {
  /// Of encoded frames; above zero.
  var rate: Bitrate {
    didSet {
      // In libvpx's buffer bits stay bits.
      let bits = oldValue.bytes(in: believed)
      believed = min(Self.capacity, rate.duration(of: bits))
    }
  }
  private(set) var level = Self.capacity
  /// What libvpx takes it for.
  private var believed = Self.capacity
  private var last: Instant?

  /// When it is full, what is granted is lost: held frames must not make one large one.
  static let capacity = Interval.milliseconds(300)
  private static let newScene = Interval.milliseconds(60)
  /// libvpx can't be told of a debt; what there is of it is forgiven.
  private static let least = Interval.milliseconds(20)
  private static let tolerance = Interval.milliseconds(8)

  init(rate: Bitrate) { self.rate = rate }

  /// A frame that was captured at `capturedAt` is to be encoded. Returns what libvpx's buffer must be
  /// set to, or `nil` where it is right.
  ///
  /// Of what a still scene was granted and had no use for, next to nothing is left to a new one: with all
  /// of it the ten frames after it filled a line's queue.
  mutating func begin(capturedAt: Instant, isNewScene: Bool = false) -> Interval? {
    let gap = last.map { capturedAt - $0 } ?? .zero
    last = capturedAt
    level = min(isNewScene ? Self.newScene : Self.capacity, level + max(.zero, gap))
    guard (level - believed).magnitude > Self.tolerance else { return nil }
    level = max(Self.least, level)
    believed = level
    return level
  }

  /// libvpx made a frame of `size`, and took it to last for `duration`.
  mutating func end(_ size: ByteCount, lasting duration: Interval) {
    let taken = rate.duration(of: size)
    level = level - taken
    believed = min(Self.capacity, believed + duration - taken)
  }
}
