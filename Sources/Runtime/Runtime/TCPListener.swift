import CLinux
package import Units

/// A non-blocking TCP listener.
package final class TCPListener {
  private let descriptor: Descriptor
  /// With the real port where 0 was asked for.
  package let localAddress: SocketAddress

  package enum Accepted {
    case connection(TCPStream)
    /// None waits.
    case none
    /// Out of descriptors or memory: stop watching for a while, or the loop spins.
    case exhausted
  }

  package init(
    boundTo address: SocketAddress, on interface: String? = nil, backlog: Int32 = 128
  ) throws(SystemError) {
    descriptor = try makeSocket(for: address, isStream: true, on: interface)
    _ = clinux_set_option(descriptor.number, SOL_SOCKET, SO_REUSEADDR, 1)
    try bind(descriptor.number, to: address)
    guard listen(descriptor.number, backlog) == 0 else { throw .last("listen on \(address)") }
    localAddress = Runtime.localAddress(of: descriptor.number) ?? address
  }

  package var fileDescriptor: Int32 { descriptor.number }

  package func accept() -> Accepted {
    while true {
      var storage = sockaddr_storage()
      let number = clinux_accept(descriptor.number, &storage)
      if number >= 0 {
        let accepted = Descriptor(owning: number)
        guard let source = SocketAddress(native: storage) else { continue }
        return .connection(TCPStream(accepted, remoteAddress: source))
      }
      let code = clinux_get_errno()
      if [EAGAIN, EWOULDBLOCK].contains(code) { return .none }
      if SystemError("accept", code: code).isExhaustion { return .exhausted }
      // What is left concerns one connection that died in the queue: go on with the next.
    }
  }
}
