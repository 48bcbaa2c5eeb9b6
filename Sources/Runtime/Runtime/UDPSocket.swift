import CLinux
package import Units

/// A bound, non-blocking datagram socket with large kernel buffers.
package final class UDPSocket {
  private let descriptor: Descriptor
  /// With the real port where 0 was asked for.
  package let localAddress: SocketAddress

  private let incoming = DatagramBatch(slots: batch, of: largestDatagram)
  private var outgoing = DatagramBatch(slots: batch, of: largestDatagram)
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
    truncated = .allocate(capacity: Self.batch)
  }

  deinit {
    incoming.deallocate()
    outgoing.deallocate()
    truncated.deallocate()
  }

  package var fileDescriptor: Int32 { descriptor.number }

  /// Hands over up to one batch of datagrams that wait; false when none is left for now. Errors
  /// that earlier sends provoked (ICMP unreachable) are skipped: a datagram may always be lost.
  @discardableResult
  package func receive(_ handler: ([UInt8], SocketAddress) -> Void) -> Bool {
    let count = clinux_receive_batch(
      descriptor.number, incoming.buffer, Self.largestDatagram, incoming.lengths, truncated,
      incoming.names)
    if count < 0 { return ![EAGAIN, EWOULDBLOCK].contains(clinux_get_errno()) }
    for index in 0..<Int(count) where truncated[index] == 0 {
      guard let source = SocketAddress(native: incoming.names[index]) else { continue }
      let start = incoming.buffer + index * Self.largestDatagram
      handler(
        Array(UnsafeBufferPointer(start: start, count: Int(incoming.lengths[index]))), source)
    }
    return Int(count) == Self.batch
  }

  // MARK: Sending

  /// Keeps a datagram for the next `flush`, which happens by itself when a batch is full. One longer
  /// than `largestDatagram` is dropped: nobody of ours would take it.
  package func send(_ bytes: [UInt8], to address: SocketAddress) {
    guard bytes.count <= Self.largestDatagram else { return }
    if outgoing.count == Self.batch { flush() }
    let index = outgoing.count
    outgoing.buffer.advanced(by: index * Self.largestDatagram)
      .update(from: bytes, count: bytes.count)
    outgoing.lengths[index] = UInt32(bytes.count)
    outgoing.names[index] = address.native.0
    outgoing.count += 1
  }

  /// Hands over what `send` kept, a burst in one system call; returns how many the kernel took. What
  /// it has no room for, or cannot send there (no route, too long, no permission), is as good as
  /// lost on the way.
  @discardableResult
  package func flush() -> Int {
    let count = outgoing.count
    outgoing.count = 0
    var first = 0
    var taken = 0
    var isRepeated = false
    while first < count {
      let sent = uninterrupted {
        clinux_send_batch(
          descriptor.number, outgoing.buffer, Self.largestDatagram, outgoing.lengths,
          outgoing.names, Int32(first), Int32(count))
      }
      if sent > 0 {
        first += Int(sent)
        taken += Int(sent)
        isRepeated = false
        continue
      }
      switch clinux_get_errno() {
      case EAGAIN, EWOULDBLOCK, ENOBUFS: return taken
      // A queued ICMP error is reported once by the next send and cleared by it: try again.
      case ECONNREFUSED where !isRepeated: isRepeated = true
      default:
        first += 1
        isRepeated = false
      }
    }
    return taken
  }
}

/// Datagrams side by side in slots of their largest size, as the kernel takes and gives them.
private struct DatagramBatch {
  let buffer: UnsafeMutablePointer<UInt8>
  let names: UnsafeMutablePointer<sockaddr_storage>
  let lengths: UnsafeMutablePointer<UInt32>
  var count = 0

  init(slots: Int, of size: Int) {
    buffer = .allocate(capacity: slots * size)
    names = .allocate(capacity: slots)
    lengths = .allocate(capacity: slots)
  }

  func deallocate() {
    buffer.deallocate()
    names.deallocate()
    lengths.deallocate()
  }
}
