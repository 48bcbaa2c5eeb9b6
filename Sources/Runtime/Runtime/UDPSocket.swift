import CLinux
package import Units

/// A bound, non-blocking datagram socket with large kernel buffers.
package final class UDPSocket {
  private let descriptor: Descriptor
  /// With the real port where 0 was asked for.
  package let localAddress: SocketAddress

  private let buffer: UnsafeMutablePointer<UInt8>
  private let names: UnsafeMutablePointer<sockaddr_storage>
  private let lengths: UnsafeMutablePointer<UInt32>
  private let truncated: UnsafeMutablePointer<UInt8>

  /// Longer datagrams are dropped: nothing of ours exceeds an Ethernet frame.
  package static let largestDatagram = 2048
  private static let batch = Int(CLINUX_BATCH)

  package init(boundTo address: SocketAddress) throws(SystemError) {
    descriptor = try makeSocket(for: address, isStream: false)
    // The kernel grants what net.core.{r,w}mem_max allows.
    _ = clinux_set_option(descriptor.number, SOL_SOCKET, SO_RCVBUF, 2 << 20)
    _ = clinux_set_option(descriptor.number, SOL_SOCKET, SO_SNDBUF, 1 << 20)
    try bind(descriptor.number, to: address)
    localAddress = Runtime.localAddress(of: descriptor.number) ?? address
    buffer = .allocate(capacity: Self.batch * Self.largestDatagram)
    names = .allocate(capacity: Self.batch)
    lengths = .allocate(capacity: Self.batch)
    truncated = .allocate(capacity: Self.batch)
  }

  deinit {
    buffer.deallocate()
    names.deallocate()
    lengths.deallocate()
    truncated.deallocate()
  }

  package var fileDescriptor: Int32 { descriptor.number }

  /// Hands over up to one batch of datagrams that wait; false when none is left for now. Errors
  /// that earlier sends provoked (ICMP unreachable) are skipped: a datagram may always be lost.
  @discardableResult
  package func receive(_ handler: ([UInt8], SocketAddress) -> Void) -> Bool {
    let count = clinux_receive_batch(
      descriptor.number, buffer, Self.largestDatagram, lengths, truncated, names)
    if count < 0 { return ![EAGAIN, EWOULDBLOCK].contains(clinux_get_errno()) }
    for index in 0..<Int(count) where truncated[index] == 0 {
      guard let source = SocketAddress(native: names[index]) else { continue }
      let start = buffer + index * Self.largestDatagram
      handler(
        Array(UnsafeBufferPointer(start: start, count: Int(lengths[index]))), source)
    }
    return Int(count) == Self.batch
  }

  package enum SendResult: Hashable, Sendable {
    case sent
    /// The kernel's buffer is full: as good as lost on the way.
    case blocked
    /// Not sendable there, with errno: no route, too long, no permission.
    case refused(Int32)
  }

  @discardableResult
  package func send(_ bytes: [UInt8], to address: SocketAddress) -> SendResult {
    var (storage, length) = address.native
    // A queued ICMP error is reported once by the next send and cleared by it: try again.
    for _ in 0..<2 {
      let sent = uninterrupted {
        clinux_send_to(descriptor.number, bytes, bytes.count, &storage, length)
      }
      if sent >= 0 { return .sent }
      switch clinux_get_errno() {
      case EAGAIN, EWOULDBLOCK, ENOBUFS: return .blocked
      case ECONNREFUSED: continue
      case let code: return .refused(code)
      }
    }
    return .blocked
  }
}
