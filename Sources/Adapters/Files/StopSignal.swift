import CLinux
import Media
import Units

/// Lets one thread wait, and any thread end that wait for good.
final class StopSignal: Sendable {
  /// Readable from `raise` on: it is never read.
  private let event: Int32
  private let timer: Int32

  enum Wake {
    case ready
    case timeout
    case stopped
  }

  init() throws(MediaError) {
    event = clinux_eventfd()
    timer = clinux_timerfd_create()
    guard event >= 0, timer >= 0 else {
      throw MediaError(
        .failed, "this process has too many files open", remedy: "raise the limit (ulimit -n)")
    }
  }

  deinit {
    close(event)
    close(timer)
  }

  func raise() {
    var one: UInt64 = 1
    write(event, &one, 8)
  }

  /// For waiting for this signal as well as for another one.
  var descriptor: Int32 { event }

  var isRaised: Bool { poll(-1, 0, milliseconds: 0) == .stopped }

  /// Waits until `descriptor` has one of the poll events (or an error, or its other side is gone).
  func wait(for descriptor: Int32, events: Int32, atMost interval: Interval? = nil) -> Wake {
    // Rounded up: waking just before the end would only mean waiting once more.
    let milliseconds = interval.map {
      Int32(clamping: max(0, ($0.nanoseconds + 999_999) / 1_000_000))
    }
    return poll(descriptor, events, milliseconds: milliseconds ?? -1)
  }

  /// Sleeps to within a fraction of a millisecond; false once the signal is raised.
  func sleep(until instant: Instant) -> Bool {
    guard instant > .now else { return !isRaised }
    clinux_timerfd_set(timer, max(1, instant.nanoseconds))
    return poll(timer, POLLIN, milliseconds: -1) != .stopped
  }

  private func poll(_ descriptor: Int32, _ events: Int32, milliseconds: Int32) -> Wake {
    var entries: [2 of pollfd] = [
      pollfd(fd: event, events: Int16(POLLIN), revents: 0),
      pollfd(fd: descriptor, events: Int16(events), revents: 0),
    ]
    var span = entries.mutableSpan
    span.withUnsafeMutableBufferPointer { entries in
      // A signal that interrupts it starts the wait anew: only the process's end sends any.
      while CLinux.poll(entries.baseAddress, 2, milliseconds) < 0, clinux_get_errno() == EINTR {}
    }
    if entries[0].revents != 0 { return .stopped }
    return entries[1].revents != 0 ? .ready : .timeout
  }
}

extension Instant {
  /// The clock that all of p2pcall's processes on one computer share.
  static var now: Instant { Instant(nanoseconds: clinux_now()) }
}
