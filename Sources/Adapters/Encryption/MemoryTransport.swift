import COpenSSL
import Units

/// The wire as one SSL object sees it: bytes handed in, bytes to be handed out, no socket.
///
/// A memory BIO would join a flight's datagrams; this one keeps their boundaries.
final class MemoryTransport {
  private let isDatagram: Bool
  private var inbound: [UInt8] = []
  private var inboundStart = 0
  private var outbound = OutputQueue<[UInt8]>()
  /// What a stream has written since the last `next`.
  private var written: [UInt8] = []
  private var datagrams: BufferRing

  init(isDatagram: Bool) {
    self.isDatagram = isDatagram
    datagrams = BufferRing(count: isDatagram ? 64 : 0, room: DTLSSession.datagramSize)
  }

  /// One datagram, which replaces an unread one, or the stream's next bytes.
  func feed(_ bytes: [UInt8]) {
    if isDatagram || inboundStart == inbound.count {
      inbound = bytes
    } else {
      inbound.removeFirst(inboundStart)
      inbound += bytes
    }
    inboundStart = 0
  }

  /// The next datagram, or all of the stream so far.
  func next() -> [UInt8]? {
    if isDatagram { return outbound.next() }
    guard !written.isEmpty else { return nil }
    defer { written = [] }
    return written
  }

  /// A BIO of this transport, which must outlive it.
  func makeBIO() -> OpaquePointer {
    let bio = BIO_new(Self.method.pointer)!
    BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
    BIO_set_init(bio, 1)
    return bio
  }

  private func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, inbound.count - inboundStart)
    guard count > 0 else { return 0 }
    inbound.withUnsafeBytes { bytes in
      buffer.copyMemory(from: .init(rebasing: bytes[inboundStart..<inboundStart + count]))
    }
    // What a datagram has beyond the reader's buffer is cut off, as by recv.
    inboundStart = isDatagram ? inbound.count : inboundStart + count
    return count
  }

  private func write(_ bytes: UnsafeRawBufferPointer) {
    if isDatagram { outbound.append(datagrams.copy(bytes)) } else { written += bytes }
  }

  private struct Method: @unchecked Sendable {
    let pointer: OpaquePointer
  }

  private static let method: Method = {
    let type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
    let method = BIO_meth_new(type, "p2pcall transport")!
    BIO_meth_set_write(method) { bio, bytes, count in
      guard let bytes, count > 0 else { return 0 }
      owner(of: bio).write(.init(start: bytes, count: Int(count)))
      return count
    }
    BIO_meth_set_read(method) { bio, bytes, count in
      p2p_BIO_clear_retry_flags(bio)
      guard let bytes, count > 0 else { return 0 }
      let read = owner(of: bio).read(.init(start: bytes, count: Int(count)))
      if read > 0 { return Int32(read) }
      // Zero would mean the end of the stream, and a system error on DTLS.
      p2p_BIO_set_retry_read(bio)
      return -1
    }
    BIO_meth_set_ctrl(method) { _, command, _, _ in
      switch command {
      case BIO_CTRL_FLUSH: 1
      default: 0
      }
    }
    return Method(pointer: method)
  }()

  private static func owner(of bio: OpaquePointer?) -> MemoryTransport {
    Unmanaged.fromOpaque(BIO_get_data(bio)).takeUnretainedValue()
  }
}
