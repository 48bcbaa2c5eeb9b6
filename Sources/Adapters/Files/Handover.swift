import CLinux

/// A short queue between a thread that makes values and one that takes them. Putting never waits:
/// in a full queue the newest value wins and the oldest is lost, and counted.
final class Handover<Value: Sendable, Failure: Error>: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let room: Int
  /// These are touched with the mutex held.
  private var values: [Value] = []
  private var lostValues = 0
  private var end: End?

  private enum End {
    case stopped
    case finished(Failure?)
  }

  /// `room` is how many values may wait, at least 1.
  init(room: Int) {
    self.room = room
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
    changed.deallocate()
  }

  /// Values that were not taken in time.
  var lost: Int { locked { lostValues } }

  var isEmpty: Bool { locked { values.isEmpty } }

  func put(_ value: Value) {
    locked {
      values.append(value)
      keepNewest(room)
    }
  }
  /// Loses all but the newest value.
  func keepNewest() { locked { keepNewest(1) } }

  /// Once all values are taken, `take` throws the failure, or returns `nil` where there is none.
  func finish(_ failure: Failure?) { locked { end = end ?? .finished(failure) } }
  /// Makes `take` return `nil` at once, for good.
  func stop() { locked { end = .stopped } }

  /// Nothing will be put any more, though values may wait.
  var isFinished: Bool { locked { end != nil } }

  /// Waits for the next value; `nil` once stopped or finished.
  func take() throws(Failure) -> Value? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if case .stopped = end { return nil }
      if !values.isEmpty { return values.removeFirst() }
      if case .finished(let failure) = end {
        if let failure { throw failure }
        return nil
      }
      pthread_cond_wait(changed, mutex)
    }
  }

  private func locked<Result>(_ body: () -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    defer { pthread_cond_broadcast(changed) }
    return body()
  }

  private func keepNewest(_ count: Int) {
    let surplus = values.count - count
    guard surplus > 0 else { return }
    values.removeFirst(surplus)
    lostValues += surplus
  }
}
