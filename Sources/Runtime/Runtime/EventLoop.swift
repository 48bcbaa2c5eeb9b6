import CLinux
package import Units

/// What a descriptor is ready for, or watched for.
package struct Readiness: OptionSet, Hashable, Sendable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let readable = Readiness(rawValue: clinux_EPOLLIN)
  package static let writable = Readiness(rawValue: clinux_EPOLLOUT)
  /// The other side has gone or the descriptor failed; always watched.
  package static let closed = Readiness(
    rawValue: clinux_EPOLLHUP | clinux_EPOLLERR | clinux_EPOLLRDHUP)

  package var isReadable: Bool { !isDisjoint(with: .readable) }
  package var isWritable: Bool { !isDisjoint(with: .writable) }
  package var isClosed: Bool { !isDisjoint(with: .closed) }
}

/// One thread's epoll with one timer. It belongs to the thread that made it; other threads reach
/// it through a `WakeUp` or a mailbox only.
///
/// A turn: `turn(until: deadline)` sleeps, reads the clock once into `now`, calls what became
/// ready. Its owner then handles expired deadlines, drains its state machines and turns again.
package final class EventLoop {
  private let epoll: Descriptor
  private let timer: Descriptor
  /// Open watches by slot; a slot's generation rises when it is emptied, so that an event that
  /// was already fetched for a closed descriptor does not reach its successor.
  private var watches: [Watch?] = []
  private var generations: [UInt32] = []
  private var freeSlots: [Int] = []
  private var armed: Instant?
  /// Still readable: the next deadline clears it with the call that it needs anyway.
  private var hasRung = false
  private let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: batch)

  /// The instant of this turn.
  package private(set) var now: Instant

  private static let batch = 128
  /// Never a slot, since slots count up from 0.
  private static let timerData = UInt64.max

  private struct Watch {
    var descriptor: Int32
    var interest: Readiness
    var handler: (Readiness) -> Void
  }

  /// A watched descriptor; valid until `unwatch`.
  package struct Token: Hashable, Sendable {
    fileprivate var slot: Int
    fileprivate var generation: UInt32
  }

  package init() throws(SystemError) {
    epoll = try .checked("create an epoll", clinux_epoll_create())
    timer = try .checked("create a timer", clinux_timerfd_create())
    now = Clock.now
    let code = clinux_epoll_control(
      epoll.number, clinux_EPOLL_CTL_ADD, timer.number, clinux_EPOLLIN, Self.timerData)
    guard code == 0 else { throw .last("watch the timer") }
  }

  deinit { events.deallocate() }

  /// Calls `handler` in each turn in which the descriptor is ready (level-triggered). The caller
  /// keeps the descriptor open until `unwatch`.
  package func watch(
    _ descriptor: Int32, for interest: Readiness, handler: @escaping (Readiness) -> Void
  ) throws(SystemError) -> Token {
    if freeSlots.isEmpty {
      freeSlots.append(watches.count)
      watches.append(nil)
      generations.append(0)
    }
    let slot = freeSlots[freeSlots.count - 1]
    let token = Token(slot: slot, generation: generations[slot])
    try control(clinux_EPOLL_CTL_ADD, descriptor, interest, token)
    freeSlots.removeLast()
    watches[slot] = Watch(descriptor: descriptor, interest: interest, handler: handler)
    return token
  }

  /// Watches a `WakeUp` and clears it before the handler is called.
  package func watch(
    _ wakeUp: WakeUp, handler: @escaping () -> Void
  ) throws(SystemError) -> Token {
    try watch(wakeUp.fileDescriptor, for: .readable) { _ in
      wakeUp.clear()
      handler()
    }
  }

  /// Changes what is waited for; an empty set waits for `closed` only.
  package func change(_ token: Token, to interest: Readiness) {
    guard let watch = current(token), watch.interest != interest else { return }
    do {
      try control(clinux_EPOLL_CTL_MOD, watch.descriptor, interest, token)
      watches[token.slot]?.interest = interest
    } catch {
      preconditionFailure("a watched descriptor was closed before unwatch: \(error)")
    }
  }

  /// To be called before the descriptor is closed; twice does no harm.
  package func unwatch(_ token: Token) {
    guard let watch = current(token) else { return }
    _ = clinux_epoll_control(epoll.number, clinux_EPOLL_CTL_DEL, watch.descriptor, 0, 0)
    watches[token.slot] = nil
    generations[token.slot] &+= 1
    freeSlots.append(token.slot)
  }

  /// Sleeps until something is ready or the deadline has come (`nil`: no deadline), then serves
  /// all that is ready. Handlers do not turn the loop themselves.
  package func turn(until deadline: Instant?) {
    let isDue = arm(deadline)
    let count = epoll_wait(epoll.number, events, Int32(Self.batch), isDue ? 0 : -1)
    now = Clock.now
    guard count > 0 else { return }
    for index in 0..<count {
      let data = clinux_epoll_data(events, index)
      if data == Self.timerData {
        armed = nil
        hasRung = true
        continue
      }
      let token = Token(
        slot: Int(data & 0xFFFF_FFFF), generation: UInt32(truncatingIfNeeded: data >> 32))
      current(token)?.handler(Readiness(rawValue: clinux_epoll_events(events, index)))
    }
  }

  /// True when the deadline has come already, so that the loop must not sleep.
  private func arm(_ deadline: Instant?) -> Bool {
    guard let deadline else {
      if armed != nil || hasRung { set(0) }
      armed = nil
      return false
    }
    if deadline <= Clock.now { return true }
    guard deadline != armed else { return false }
    // A timer that far away never fires; the kernel refuses seconds beyond its range.
    set(min(deadline.nanoseconds, Int64.max / 2))
    armed = deadline
    return false
  }

  /// Zero: never. Whatever it is, a timer that has rung is not readable any more.
  private func set(_ nanoseconds: Int64) {
    _ = clinux_timerfd_set(timer.number, nanoseconds)
    hasRung = false
  }

  private func current(_ token: Token) -> Watch? {
    guard generations[token.slot] == token.generation else { return nil }
    return watches[token.slot]
  }

  private func control(
    _ operation: Int32, _ descriptor: Int32, _ interest: Readiness, _ token: Token
  ) throws(SystemError) {
    let data = UInt64(token.generation) << 32 | UInt64(token.slot)
    let bits = interest.rawValue | clinux_EPOLLRDHUP
    guard clinux_epoll_control(epoll.number, operation, descriptor, bits, data) == 0 else {
      throw .last("watch a descriptor")
    }
  }
}
