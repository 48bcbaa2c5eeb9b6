import Media
import Units

/// When each block of a device really began, from stamps that jitter by the device's period: a
/// Kalman filter of two states, time and rate.
///
/// No two crystals agree, and a thread reads late: what is left of both would move the echo about
/// under the filter that learns it.
struct SampleClock {
  /// When the block that was noted last began, by all stamps so far.
  private(set) var time = Instant.zero
  /// Seconds of a block beyond 10 ms, in parts of 10 ms: 1e-4 for a clock that is 100 ppm slow.
  private(set) var rate = 0.0

  /// Covariance of time (s) and rate.
  private var timeVariance = 0.0
  private var rateVariance = 0.0
  private var shared = 0.0
  private var hasStarted = false

  /// Cheap crystals are within 100 ppm.
  private static let crystal = 60e-6
  /// Of a stamp, in seconds.
  private static let jitter = 0.5e-3
  /// How far the rate wanders in a block: with the temperature, in minutes.
  private static let wander = 1e-8
  /// Farther off than this is a gap in the sound, not jitter.
  private static let gap = Interval.milliseconds(6)

  /// Notes the stamp of the block after the last. Returns by how much the stream jumped: zero but
  /// after under- and overruns.
  mutating func note(_ stamp: Instant) -> Interval {
    let block = AudioFormat.blockDuration.seconds
    guard hasStarted else {
      start(stamp)
      return .zero
    }
    time += .seconds(block * (1 + rate))
    timeVariance += block * (2 * shared + block * rateVariance)
    shared += block * rateVariance
    rateVariance += Self.wander * Self.wander
    let late = stamp - time
    guard late.magnitude < Self.gap else {
      time = stamp
      timeVariance += Self.jitter * Self.jitter
      return late
    }
    let sum = timeVariance + Self.jitter * Self.jitter
    let timeGain = timeVariance / sum
    let rateGain = shared / sum
    time += .seconds(timeGain * late.seconds)
    rate += rateGain * late.seconds
    rateVariance -= rateGain * shared
    shared -= timeGain * shared
    timeVariance -= timeGain * timeVariance
    return .zero
  }

  private mutating func start(_ stamp: Instant) {
    hasStarted = true
    time = stamp
    timeVariance = Self.jitter * Self.jitter
    rateVariance = Self.crystal * Self.crystal
  }
}
