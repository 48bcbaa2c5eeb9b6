package import Units

/// One computer's monotonic clock: its own epoch and its own speed, so that nothing passes which
/// compares the clocks of two computers.
package struct SimulatedClock: Sendable {
  private let epoch: Interval
  /// Nanoseconds gained in a second of world time: 1 000 is one part in a million.
  private let gain: Int64

  /// `partsPerMillion` is the crystal's error; real ones stay within ±100.
  package init(epoch: Interval, partsPerMillion: Double = 0) {
    self.epoch = epoch
    gain = Int64(partsPerMillion * 1_000)
  }

  package func local(_ world: Instant) -> Instant {
    let seconds = world.nanoseconds / 1_000_000_000
    let rest = world.nanoseconds % 1_000_000_000
    let gained = seconds * gain + rest * gain / 1_000_000_000
    return world + epoch + .nanoseconds(gained)
  }

  /// The first instant of the world at which this clock shows `local` or later.
  package func world(_ local: Instant) -> Instant {
    let sinceEpoch = local - epoch
    let estimate = Double(sinceEpoch.nanoseconds) / (1 + Double(gain) * 1e-9)
    var world = Instant(nanoseconds: Int64(estimate) - 2)
    while self.local(world) < local {
      world += max(.nanoseconds(1), (local - self.local(world)) / 2)
    }
    return world
  }
}
