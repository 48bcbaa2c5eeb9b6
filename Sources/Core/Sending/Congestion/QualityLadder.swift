import Media
import Units

/// Which size and frame rate a bitrate is worth: a sharp small picture looks better than a large
/// one in blocks. A change costs a key frame, so it waits until the rate has meant it for a while, and then
/// takes as many steps as it meant. Of a screen the size is kept and the frame rate falls: at 300 kbit/s a page
/// of text at 960x540 and 30 a second, scaled up, has 22 to 26 dB of luma, at 1280x720 and 10 a second 26
/// to 47 (docs/decisions, 10).
struct QualityLadder {
  private typealias Step = (scale: Double, divisor: Double)
  private let steps: [Step]
  private var step = 0
  /// The step that the rate has been worth, and since when.
  private var wish: (step: Int, since: Instant)?

  /// Scale of each side, and divisor of the frame rate.
  private static let motion: [Step] = [
    (1, 1), (0.75, 1), (0.5, 1), (0.375, 1), (0.25, 1), (0.25, 2),
  ]
  private static let detail: [Step] = [
    (1, 1), (1, 2), (1, 3), (1, 6), (0.75, 6), (0.5, 6), (0.25, 6),
  ]
  /// Bits for each pixel of each frame, below which VP8 shows blocks, and above which the next
  /// larger step would not.
  private static let poor = 0.018
  private static let rich = 0.035
  private static let downPatience = Interval.milliseconds(1_000)
  private static let upPatience = Interval.milliseconds(4_000)
  /// The part of these in which a rate may still be on its way.
  private static let settling = 0.25

  init(_ content: PictureContent) { steps = content == .detail ? Self.detail : Self.motion }

  mutating func update(
    _ bitrate: Bitrate, source: PictureSize, framesPerSecond: Double, at now: Instant
  ) {
    var worth = bearable(bitrate, source, framesPerSecond)
    if worth == step {
      while worth > 0, density(bitrate, worth - 1, source, framesPerSecond) > Self.rich {
        worth -= 1
      }
    }
    guard worth != step else {
      wish = nil
      return
    }
    guard let wish, (wish.step > step) == (worth > step) else {
      wish = (worth, now)
      return
    }
    let patience = worth > step ? Self.downPatience : Self.upPatience
    let age = now - wish.since
    // Once the rate has settled: what it was worth all the time, the step nearest to the present one.
    let nearest = worth > step ? min(wish.step, worth) : max(wish.step, worth)
    let meant = age < patience * Self.settling ? worth : nearest
    self.wish = (meant, wish.since)
    if age >= patience {
      step = meant
      self.wish = nil
    }
  }

  /// A key frame is made anyway: a step down need not wait for one of its own, and at a rate that is too
  /// low for its size the key frame would take half a second.
  mutating func beginAnew(_ bitrate: Bitrate, source: PictureSize, framesPerSecond: Double) {
    let bearable = bearable(bitrate, source, framesPerSecond)
    guard bearable != step else { return }
    step = bearable
    wish = nil
  }

  /// The present step, or the first below it that does not show blocks.
  private func bearable(_ bitrate: Bitrate, _ source: PictureSize, _ framesPerSecond: Double) -> Int
  {
    var step = step
    while step + 1 < steps.count,
      density(bitrate, step, source, framesPerSecond) < Self.poor
    {
      step += 1
    }
    return step
  }

  func size(of source: PictureSize) -> PictureSize { source.scaled(by: steps[step].scale) }

  func framesPerSecond(of source: Double) -> Double { source / steps[step].divisor }

  private func density(
    _ bitrate: Bitrate, _ step: Int, _ source: PictureSize, _ framesPerSecond: Double
  ) -> Double {
    let pixels = Double(source.pixels) * steps[step].scale * steps[step].scale
    return Double(bitrate.bitsPerSecond)
      / max(1, pixels * framesPerSecond / steps[step].divisor)
  }
}
