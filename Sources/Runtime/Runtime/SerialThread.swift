package import Units

/// Runs what it is given, one after the other, on a thread of its own: for disks and for output
/// that nobody may be reading, which would hold up whoever waits for them.
package final class SerialThread: Sendable {
  package typealias Job = @Sendable () -> Void

  private let jobs: OrderedMailbox<Job?>
  private let thread: Thread
  private let done: WakeUp

  /// `capacity`: jobs that may wait.
  package init(
    _ name: String, capacity: Int, priority: Thread.Priority = .normal
  ) throws(SystemError) {
    let jobs = OrderedMailbox<Job?>(capacity: capacity, wakeUp: try WakeUp())
    let done = try WakeUp()
    self.jobs = jobs
    self.done = done
    thread = try Thread.start(name, priority: priority) {
      while true {
        jobs.wakeUp.wait()
        for job in jobs.takeAll() {
          guard let job else { return done.signal() }
          job()
        }
      }
    }
  }

  /// False when too many wait: the job is not taken.
  @discardableResult
  package func post(_ job: @escaping Job) -> Bool { jobs.post(job) }

  /// Waits until there is room.
  package func postWaiting(_ job: @escaping Job) { jobs.postWaiting(job) }

  /// Runs all that waits, and ends. With a limit, false where it could not in that time: then the
  /// thread is left behind. To be called once.
  @discardableResult
  package func finish(within limit: Interval? = nil) -> Bool {
    if let limit {
      let end = Clock.now + limit
      while !jobs.post(nil) {
        guard Clock.now < end else {
          thread.detach()
          return false
        }
        _ = done.wait(.milliseconds(1))
      }
      guard done.wait(max(.zero, end - Clock.now)) else {
        thread.detach()
        return false
      }
    } else {
      jobs.postWaiting(nil)
    }
    thread.join()
    return true
  }
}
