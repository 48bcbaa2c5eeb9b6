import CLinux
package import Units

/// A bound, non-blocking datagram socket of a service: each answer leaves from the very address that was asked,
/// which matters where this computer has several and the socket is bound to all of them.
package final class AnsweringSocket {
  private let descriptor: Descriptor
  /// With the real port where 0 was asked for.
  package let localAddress: SocketAddress
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 16)

  /// Longer questions are dropped.
  private static let room = 1_500

  package init(boundTo address: SocketAddress) throws(SystemError) {
    descriptor = try makeSocket(for: address, isStream: false)
    guard clinux_tell_addresses(descriptor.number, address.family) == 0 else {
      throw .last("ask at which address datagrams come in")
    }
    try bind(descriptor.number, to: address)
    localAddress = Runtime.localAddress(of: descriptor.number) ?? address
  }

  deinit { buffer.deallocate() }

  package var fileDescriptor: Int32 { descriptor.number }

  /// Answers at most `limit` of the questions that wait; where `answer` gives nothing, nothing is sent. An
  /// answer that the kernel has no room for is as good as lost on the way.
  package func answer(upTo limit: Int, _ answer: ([UInt8], SocketAddress) -> [UInt8]?) {
    var question = clinux_question()
    for _ in 0..<limit {
      let count = clinux_receive_question(
        descriptor.number, buffer.baseAddress, buffer.count, &question)
      // ICMP errors that earlier answers provoked are skipped.
      if count < 0, [EAGAIN, EWOULDBLOCK].contains(clinux_get_errno()) { return }
      guard count >= 0, count <= buffer.count, let source = SocketAddress(native: question.from),
        let bytes = answer(Array(buffer[..<count]), source)
      else { continue }
      _ = bytes.withUnsafeBytes {
        clinux_answer(descriptor.number, $0.baseAddress, $0.count, &question)
      }
    }
  }
}
