import CLinux
package import Units

/// Wakes a loop or a waiting thread from any other thread (an eventfd). Signals merge.
public final class WakeUp: Sendable {
  private let descriptor: Descriptor

  package init() throws(SystemError) {
    descriptor = try .checked("create an eventfd", clinux_eventfd())
  }

  /// Readable while signalled.
  package var fileDescriptor: Int32 { descriptor.number }

  public func signal() {
    var one: UInt64 = 1
    // EAGAIN means that the counter is full, hence signalled.
    _ = uninterrupted { write(descriptor.number, &one, 8) }
  }

  package func clear() {
    var count: UInt64 = 0
    _ = uninterrupted { read(descriptor.number, &count, 8) }
  }

  /// Blocks until signalled (and clears it: true) or the time is over (false); `nil` waits for
  /// ever. For threads without a loop.
  @discardableResult
  package func wait(_ longest: Interval? = nil) -> Bool {
    let end = longest.map { Clock.now + $0 }
    while true {
      var item = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
      // Rounded up, so that the last fraction of a millisecond does not spin.
      let left = end.map { max(0, ($0 - Clock.now).nanoseconds + 999_999) / 1_000_000 }
      let ready = poll(&item, 1, left.map { Int32(min($0, 3_600_000)) } ?? -1)
      if ready > 0 {
        clear()
        return true
      }
      if let end, Clock.now >= end { return false }
    }
  }
}
