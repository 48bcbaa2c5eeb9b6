package import Units

/// Virtual time: what is scheduled happens in order, each at its instant, and nothing waits.
///
/// Everything that happens in a simulation happens inside `run`, on one thread. Randomness comes
/// from generators that were split off at set-up, so one part's draws don't shift another's.
package final class World {
  package let seed: UInt64
  package private(set) var now = Instant.zero
  package var trace = TraceHash()
  private var queue = EventQueue<() -> Void>()
  private var random: SeededRandom

  package init(seed: UInt64) {
    self.seed = seed
    random = SeededRandom(seed: seed)
  }

  /// A generator of the caller's own.
  package func split() -> SeededRandom { random.split() }

  /// Runs `action` at `instant`, or as the next thing now if that is past.
  package func schedule(at instant: Instant, _ action: @escaping () -> Void) {
    queue.insert(action, at: max(instant, now))
  }

  package func schedule(after interval: Interval, _ action: @escaping () -> Void) {
    schedule(at: now + interval, action)
  }

  /// Runs `action` now and then every `interval` until it returns false.
  package func `repeat`(every interval: Interval, _ action: @escaping () -> Bool) {
    guard action() else { return }
    schedule(after: interval) { self.repeat(every: interval, action) }
  }

  /// Lets happen what is due up to and including `end`.
  package func run(until end: Instant) {
    while let at = queue.earliest, at <= end, let next = queue.removeFirst() {
      now = next.at
      next.event()
    }
    now = max(now, end)
  }

  package func run(for interval: Interval) { run(until: now + interval) }

  /// When the next thing happens.
  package var nextEvent: Instant? { queue.earliest }

  /// How many things are scheduled.
  package var pending: Int { queue.count }
}
