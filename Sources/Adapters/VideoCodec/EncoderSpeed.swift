package import Units

/// Chooses libvpx's `cpu-used`: −6 where encoding a picture is a fifth of a frame's time of work, up
/// to −10 where it is more, since encoding is the largest part of a picture's delay
/// (docs/decisions/0010); faster still, and visibly worse, only while it takes most of a frame's
/// time by the clock.
///
/// Speed is given back as soon as the machine keeps up again; the limits are far apart, so that it
/// does not swing between steps.
package struct EncoderSpeed: Sendable {
  /// `cpu-used` from best to fastest.
  private static let steps = [-6, -8, -10, -12, -16]
  /// The fastest step that delay alone is worth.
  private static let quickest = 2
  /// Shares of the frame interval: of work, above which delay is worth some quality, and below
  /// which it is not; of time, above which pictures would be lost, and below which they are safe.
  private static let delaying = 0.22
  private static let brief = 0.1
  private static let overloaded = 0.75
  private static let relieved = 0.25

  private var step = 0
  /// Smoothed shares of the frame interval that encoding takes, over about 16 frames: of the
  /// thread's processor time, which other programs do not change, and of the clock's.
  private var work = 0.0
  private var time = 0.0
  /// Frames since the last change: a step shows its effect before the next one is taken.
  private var framesSinceChange = 0

  package init() {}

  package var cpuUsed: Int { Self.steps[step] }

  /// Takes the time that one frame took to encode, by the clock and of the thread's processor time;
  /// true when `cpuUsed` changed.
  package mutating func note(
    encodeTime: Interval, processorTime: Interval, frameInterval: Interval
  ) -> Bool {
    guard frameInterval > .zero else { return false }
    // One frame that was held up counts as one frame.
    time += (min(1, encodeTime.seconds / frameInterval.seconds) - time) / 16
    work += (min(1, processorTime.seconds / frameInterval.seconds) - work) / 16
    framesSinceChange += 1
    guard framesSinceChange >= 32 else { return false }
    let isSlow = time > Self.overloaded || step < Self.quickest && work > Self.delaying
    let isQuick = step > Self.quickest ? time < Self.relieved : work < Self.brief
    if isSlow, step < Self.steps.count - 1 {
      step += 1
    } else if !isSlow, isQuick, step > 0 {
      step -= 1
    } else {
      return false
    }
    framesSinceChange = 0
    return true
  }
}
