import Media
import Units

/// The pace of a sink without a device: each block takes as long as it sounds.
struct PlayoutPace {
  private var due: Instant?

  /// When the block that is given now has been played.
  mutating func end(ofNext count: Int) -> Instant {
    let now = Instant.now
    // A caller who is a little late may catch up, as a device's buffer lets him.
    let start = due.map { now - $0 > .milliseconds(100) ? now : $0 } ?? now
    let end = start + .nanoseconds(Int64(count) * 1_000_000_000 / Int64(AudioFormat.sampleRate))
    due = end
    return end
  }

  /// How long a sample given now waits for its turn.
  var delay: Interval { due.map { max(.zero, $0 - .now) } ?? .zero }
}
