package import Units

/// Chooses libvpx's `cpu-used`: −6, and faster only while encoding takes most of a frame's time.
///
/// From −8 on libvpx overshoots its rate on hard content, so speed is given back as soon as the
/// machine keeps up again; the two limits are far apart, so that it does not swing between steps.
package struct EncoderSpeed: Sendable {
  /// `cpu-used` values from best to fastest.
  package static let steps = [-6, -8, -12, -16]

  private var step = 0
  /// Smoothed share of the frame interval that encoding takes, over about 16 frames.
  private var load = 0.0
  /// Frames since the last change: a step shows its effect before the next one is taken.
  private var framesSinceChange = 0

  package init() {}

  package var cpuUsed: Int { Self.steps[step] }

  /// Takes the time that one frame took to encode; true when `cpuUsed` changed.
  package mutating func note(encodeTime: Interval, frameInterval: Interval) -> Bool {
    guard frameInterval > .zero else { return false }
    load += (encodeTime.seconds / frameInterval.seconds - load) / 16
    framesSinceChange += 1
    guard framesSinceChange >= 32 else { return false }
    if load > 0.75, step < Self.steps.count - 1 {
      step += 1
    } else if load < 0.25, step > 0 {
      step -= 1
    } else {
      return false
    }
    framesSinceChange = 0
    return true
  }
}
