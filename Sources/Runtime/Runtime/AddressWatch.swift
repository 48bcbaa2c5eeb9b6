import CLinux

/// Becomes readable when interfaces, their state or addresses of this computer change (rtnetlink(7)), in the network
/// of the thread that made it.
package final class AddressWatch {
  private let descriptor: Descriptor

  package init() throws(SystemError) {
    descriptor = try Descriptor.checked("watch the network interfaces", clinux_watch_addresses())
  }

  package var fileDescriptor: Int32 { descriptor.number }

  /// Throws away what the kernel told: whoever hears of a change looks at all addresses, since a message may have
  /// been lost (ENOBUFS).
  package func drain() {
    withUnsafeTemporaryAllocation(byteCount: 8_192, alignment: 8) { room in
      for _ in 0..<64 {
        let count = clinux_receive(descriptor.number, room.baseAddress, room.count)
        if count < 0, clinux_get_errno() != ENOBUFS { return }
      }
    }
  }
}
