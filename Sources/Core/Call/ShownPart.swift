import Media
import Units

/// How much of a peer's full picture the place where it is shown has use for: a picture that is shown
/// small need not be sent large.
///
/// Every change costs the sender a key frame, so the answer has few steps; it goes up at once, and down
/// when the place has been the same for a while: a window that is being dragged asks for nothing.
struct ShownPart {
  /// Of each side of the full picture, 0…1; `nil` until both the place and the picture are known.
  private(set) var part: Double?
  /// The part that the place is worth, and since when.
  private var wish: (part: Double, since: Instant)?
  private var changedAt: Instant?

  private static let steps = [0.125, 0.25, 0.5, 0.75, 1]
  /// A picture may be shown larger than it is by this much before more is asked for.
  private static let slack = 0.05
  private static let downPatience = Interval.milliseconds(1_500)
  /// Between any change and one up.
  private static let upPatience = Interval.milliseconds(500)

  /// The picture of this size, as large as its sender has it, is shown in `place` from now on; an empty
  /// one: not at all.
  mutating func show(_ picture: PictureSize, in place: PictureSize, at now: Instant) {
    let shown = min(
      Double(place.width) / Double(picture.width), Double(place.height) / Double(picture.height))
    let enough = Self.step(for: shown / (1 + Self.slack))
    guard let part else {
      self.part = enough
      return
    }
    let worth = enough >= part ? enough : min(part, Self.step(for: shown))
    guard worth != part else {
      wish = nil
      return
    }
    if wish?.part != worth { wish = (worth, now) }
    settle(at: now)
  }

  /// When the part changes by itself; `nil` where it does not.
  var dueAt: Instant? {
    guard let wish, let part else { return nil }
    guard wish.part > part else { return wish.since + Self.downPatience }
    return changedAt.map { max(wish.since, $0 + Self.upPatience) } ?? wish.since
  }

  mutating func settle(at now: Instant) {
    guard let wish, let dueAt, dueAt <= now else { return }
    part = wish.part
    changedAt = now
    self.wish = nil
  }

  private static func step(for shown: Double) -> Double { steps.first { $0 >= shown } ?? 1 }
}
