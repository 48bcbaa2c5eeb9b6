import CLinux
package import Units

/// A non-blocking TCP connection with a queue for what the kernel does not take at once.
package final class TCPStream {
  private let descriptor: Descriptor
  package let remoteAddress: SocketAddress
  /// Known once connected.
  package var localAddress: SocketAddress? { Runtime.localAddress(of: descriptor.number) }
  /// False until `finishConnecting` has returned nil.
  package private(set) var isConnected: Bool

  /// Bytes that the kernel has not taken, from `queueStart` on.
  private var queue: [UInt8] = []
  private var queueStart = 0

  package enum ReadResult: Sendable {
    case bytes([UInt8])
    /// Nothing there for now.
    case blocked
    /// The other side has finished.
    case ended
    case failed(SystemError)
  }

  /// Starts connecting; watch for `writable`, then call `finishConnecting`.
  package init(
    connectingTo address: SocketAddress, from source: IPAddress? = nil, on interface: String? = nil
  ) throws(SystemError) {
    descriptor = try makeSocket(for: address, isStream: true, on: interface)
    remoteAddress = address
    isConnected = false
    if let source { try bind(descriptor.number, to: SocketAddress(source, port: 0)) }
    configure()
    var (storage, length) = address.native
    let code = clinux_connect(descriptor.number, &storage, length)
    // EINTR: the connection goes on in the background, as with EINPROGRESS.
    guard code == 0 || [EINPROGRESS, EINTR].contains(clinux_get_errno()) else {
      throw .last("connect to \(address)")
    }
  }

  init(_ accepted: consuming Descriptor, remoteAddress: SocketAddress) {
    descriptor = accepted
    self.remoteAddress = remoteAddress
    isConnected = true
    configure()
  }

  /// No waiting for more to send, and no more unsent bytes in the kernel than a pacer can see.
  private func configure() {
    _ = clinux_set_option(descriptor.number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    _ = clinux_set_option(
      descriptor.number, Int32(IPPROTO_TCP), clinux_TCP_NOTSENT_LOWAT, 1 << 10)
  }

  package var fileDescriptor: Int32 { descriptor.number }

  /// After the first `writable`: nil when connected, else why not.
  package func finishConnecting() -> SystemError? {
    if isConnected { return nil }
    let code = clinux_get_option(descriptor.number, SOL_SOCKET, SO_ERROR)
    guard code == 0 else {
      return SystemError("connect to \(remoteAddress)", code: code < 0 ? EIO : code)
    }
    isConnected = true
    return nil
  }

  /// At most `limit` bytes that wait.
  package func read(limit: Int = 64 << 10) -> ReadResult {
    var count = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, initialized in
      count = uninterrupted { clinux_receive(descriptor.number, buffer.baseAddress, limit) }
      initialized = max(0, count)
    }
    if count > 0 { return .bytes(bytes) }
    if count == 0 { return .ended }
    let code = clinux_get_errno()
    if [EAGAIN, EWOULDBLOCK].contains(code) { return .blocked }
    return .failed(SystemError("read from \(remoteAddress)", code: code))
  }

  /// Sends or queues all of it; nil, or why the connection is dead.
  @discardableResult
  package func write(_ bytes: [UInt8]) -> SystemError? {
    queue += bytes
    return flush()
  }

  /// Sends what the kernel takes of the queue; nil, or why the connection is dead. To be called
  /// when writable.
  @discardableResult
  package func flush() -> SystemError? {
    guard isConnected else { return nil }
    while queueStart < queue.count {
      let sent = uninterrupted {
        queue.withUnsafeBytes {
          clinux_send(
            descriptor.number, $0.baseAddress! + queueStart, queue.count - queueStart)
        }
      }
      if sent >= 0 {
        queueStart += sent
        continue
      }
      let code = clinux_get_errno()
      if [EAGAIN, EWOULDBLOCK, ENOBUFS].contains(code) { break }
      return SystemError("write to \(remoteAddress)", code: code)
    }
    if queueStart == queue.count {
      queue.removeAll(keepingCapacity: queue.count <= 64 << 10)
      queueStart = 0
    } else if queueStart > 256 << 10 {
      queue.removeFirst(queueStart)
      queueStart = 0
    }
    return nil
  }

  /// Bytes queued here, not yet in the kernel: while not zero, watch for `writable`.
  package var queuedByteCount: Int { queue.count - queueStart }

  /// Tells the other side that nothing more comes.
  package func shutdownWriting() { shutdown(descriptor.number, Int32(SHUT_WR)) }
  /// Closes by reset when it goes: the kernel keeps nothing for a peer that misbehaved.
  package func resetOnClose() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(
      descriptor.number, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
  }
}
