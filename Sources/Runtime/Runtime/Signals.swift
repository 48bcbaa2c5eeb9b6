import CLinux

/// Signals as a descriptor for the loop.
///
/// `block` comes first in a process, before any thread starts, so that every thread inherits the
/// mask and no signal is handled the default way.
package final class Signals {
  private let descriptor: Descriptor

  package enum Signal: Int32, CaseIterable, Sendable {
    case interrupt = 2
    case hangUp = 1
    case terminate = 15
  }

  /// Holds the signals back for the descriptor, and lets writes to closed pipes fail instead of
  /// killing.
  package static func block(_ signals: [Signal] = Signal.allCases) {
    var set = mask(signals)
    pthread_sigmask(SIG_BLOCK, &set, nil)
    clinux_ignore_broken_pipes()
  }

  package init(_ signals: [Signal] = Signal.allCases) throws(SystemError) {
    var set = Self.mask(signals)
    descriptor = try .checked("create a signalfd", clinux_signalfd(&set))
  }

  /// Readable while a signal waits.
  package var fileDescriptor: Int32 { descriptor.number }

  /// The next signal that waits.
  package func next() -> Signal? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    let count = uninterrupted { read(descriptor.number, &info, size) }
    return count == size ? Signal(rawValue: Int32(bitPattern: info.ssi_signo)) : nil
  }

  private static func mask(_ signals: [Signal]) -> sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    // What nohup, or a shell for its background jobs, has set to be ignored stays so.
    for signal in signals where clinux_is_ignored(signal.rawValue) == 0 {
      sigaddset(&set, signal.rawValue)
    }
    return set
  }
}
