import Glibc
import Media
import Units

/// Which pictures of a scene that stands still are worth encoding.
///
/// libvpx codes a picture that is the same to the bit over and over, at 270 to 770 kbit/s at 720p, long
/// after it became as good as it gets (docs/decisions, 10). From then on one in a tenth of a second is
/// encoded, and nothing in it anew: a receiver takes more than 150 ms without a picture for a freeze. The
/// first picture that differs is encoded at once.
struct StillScene {
  enum Step: Hashable {
    case encode
    /// The scene changed after it had stood still: libvpx expects next to nothing of the next picture.
    case encodeAfterChange
    /// To be encoded without a bit for what stands still.
    case refresh
    case pass
  }

  /// The newest that was encoded.
  private var picture: Picture?
  private var encodedAt = Instant.zero
  /// The finest quantiser of the same pictures so far, since when, and what was made since.
  private var finest: (quantizer: UInt32, since: Instant, made: ByteCount)?
  /// The rate at which it became as good as it gets; `nil` while it becomes better.
  private var settledRate: Bitrate?

  /// Between refreshes; a picture may come this much before it is due.
  private static let refreshes = Interval.milliseconds(100)
  private static let tolerance = Interval.milliseconds(10)
  /// A quantiser, of 0…63, that has been the finest for so long stays it, if it is as fine as this, or if
  /// so little of the rate was used: the rest could have made it finer.
  private static let patience = Interval.milliseconds(1_000)
  private static let fine = 8
  private static let unused = 0.6
  /// A rate that is so much higher is worth another try.
  private static let rise = 1.25
  /// Mean difference of luma, of 255, from which on a change is another scene, rather than something that
  /// moves in it.
  private static let change = 6

  mutating func next(_ new: Picture, at now: Instant, rate: Bitrate, isKeyFrame: Bool) -> Step {
    guard let picture, !isKeyFrame, Self.isSame(new, picture) else {
      let isChange = settledRate != nil && !isKeyFrame && isOtherScene(new)
      picture = new
      finest = nil
      settledRate = nil
      encodedAt = now
      return isChange ? .encodeAfterChange : .encode
    }
    if let settledRate, rate > settledRate * Self.rise {
      finest = nil
      self.settledRate = nil
    }
    if settledRate != nil {
      guard now - encodedAt >= Self.refreshes - Self.tolerance else { return .pass }
      encodedAt = now
      return .refresh
    }
    encodedAt = now
    return .encode
  }

  /// The picture was encoded with this quantiser.
  mutating func encoded(_ size: ByteCount, quantizer: UInt32, at now: Instant, rate: Bitrate) {
    guard settledRate == nil else { return }
    guard let finest, finest.quantizer <= quantizer else {
      finest = (quantizer, now, .zero)
      return
    }
    self.finest?.made += size
    let duration = now - finest.since
    guard duration >= Self.patience else { return }
    let used = Double(finest.made.bytes * 8) / duration.seconds
    if finest.quantizer <= Self.fine
      || used < Double(rate.bitsPerSecond) * Self.unused
    {
      settledRate = rate
    }
  }

  private static func isSame(_ one: Picture, _ other: Picture) -> Bool {
    one === other
      || one.size == other.size
        && memcmp(one.storage.baseAddress!, other.storage.baseAddress!, one.storage.count) == 0
  }

  private func isOtherScene(_ new: Picture) -> Bool {
    guard let picture, picture.size == new.size else { return true }
    let (old, new) = (picture.luma, new.luma)
    // One pixel in sixty-one: no row is sampled at the same columns as the one above.
    var (sum, count) = (0, 0)
    for index in stride(from: 0, to: old.count, by: 61) {
      sum += abs(Int(old[index]) - Int(new[index]))
      count += 1
    }
    return sum >= Self.change * count
  }
}
