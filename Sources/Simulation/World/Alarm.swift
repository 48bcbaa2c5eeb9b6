package import Units

/// Calls a state machine back when its deadline has come by its own computer's clock.
package final class Alarm {
  private let world: World
  private let clock: SimulatedClock
  private let ring: () -> Void
  /// Local time; `nil` while there is none.
  private var deadline: Instant?
  /// World time of the earliest call that is scheduled.
  private var scheduled: Instant?

  package init(_ world: World, clock: SimulatedClock, ring: @escaping () -> Void) {
    self.world = world
    self.clock = clock
    self.ring = ring
  }

  package func set(_ deadline: Deadline?) {
    self.deadline = deadline?.at
    schedule()
  }

  private func schedule() {
    guard let deadline, deadline != .distantFuture else { return }
    let at = max(world.now, clock.world(deadline))
    if let scheduled, scheduled <= at { return }
    scheduled = at
    world.schedule(at: at) { [weak self] in self?.fire(at) }
  }

  private func fire(_ at: Instant) {
    // A later one that was scheduled before an earlier one took over.
    guard scheduled == at else { return }
    scheduled = nil
    guard let deadline else { return }
    if clock.local(world.now) >= deadline { ring() } else { schedule() }
  }
}
