package import Units

/// Chooses libvpx's `cpu-used`: −6 where a picture is encoded in a fifth of a frame's time, up to −10
/// where it is not, since encoding is most of a picture's delay (docs/decisions/0010); faster still,
/// and visibly worse, only while encoding takes most of a frame's time.
///
/// Speed is given back as soon as the machine keeps up again; the limits are far apart, so that it
/// does not swing between steps.
package struct EncoderSpeed: Sendable {
  private struct Step {
    var cpuUsed: Int
    /// Shares of the frame interval above which the next step is taken, and below which the one
    /// before.
    var faster: Double
    var slower: Double
  }
  /// From best to fastest.
  private static let steps = [
    Step(cpuUsed: -6, faster: 0.22, slower: 0),
    Step(cpuUsed: -8, faster: 0.22, slower: 0.1),
    Step(cpuUsed: -10, faster: 0.75, slower: 0.1),
    Step(cpuUsed: -12, faster: 0.75, slower: 0.25),
    Step(cpuUsed: -16, faster: .infinity, slower: 0.25),
  ]

  private var step = 0
  /// Smoothed share of the frame interval that encoding takes, over about 16 frames.
  private var load = 0.0
  /// Frames since the last change: a step shows its effect before the next one is taken.
  private var framesSinceChange = 0

  package init() {}

  package var cpuUsed: Int { Self.steps[step].cpuUsed }

  /// Takes the time that one frame took to encode; true when `cpuUsed` changed.
  package mutating func note(encodeTime: Interval, frameInterval: Interval) -> Bool {
    guard frameInterval > .zero else { return false }
    // One frame that was held up counts as one frame.
    load += (min(1, encodeTime.seconds / frameInterval.seconds) - load) / 16
    framesSinceChange += 1
    guard framesSinceChange >= 32 else { return false }
    if load > Self.steps[step].faster {
      step += 1
    } else if load < Self.steps[step].slower {
      step -= 1
    } else {
      return false
    }
    framesSinceChange = 0
    return true
  }
}
