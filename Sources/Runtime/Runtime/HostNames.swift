import CLinux
package import Units

package struct ResolutionError: Error, Hashable, CustomStringConvertible {
  package var host: String
  package var reason: String

  package init(_ host: String, reason: String) {
    self.host = host
    self.reason = reason
  }

  package var description: String { "cannot find \(host): \(reason)" }
}

/// The addresses of a host name, as below; `nil` when a signal came first, which is not taken from
/// `signals`, or where `limit` is over. The look-up is then left behind on its own thread: nothing can
/// end it.
package func lookUp(
  _ host: String, port: UInt16, unless signals: Signals, within limit: Interval? = nil
) throws(SystemError) -> Result<[SocketAddress], ResolutionError>? {
  let answers = OrderedMailbox<Result<[SocketAddress], ResolutionError>>(
    capacity: 1, wakeUp: try WakeUp())
  let thread = try Thread.start("look-up") { answers.post(lookUp(host, port: port)) }
  thread.detach()
  var items = [
    pollfd(fd: signals.fileDescriptor, events: Int16(POLLIN), revents: 0),
    pollfd(fd: answers.wakeUp.fileDescriptor, events: Int16(POLLIN), revents: 0),
  ]
  let milliseconds = limit.map { Int32(clamping: Int64($0.milliseconds)) } ?? -1
  _ = withExtendedLifetime(signals) { uninterrupted { poll(&items, 2, milliseconds) } }
  return items[0].revents == 0 ? answers.takeAll().first : nil
}

/// The addresses of a host name in the system's order of preference (RFC 6724), without doubles; a
/// literal address needs no look-up. Blocks, for seconds perhaps: for threads that may.
package func lookUp(
  _ host: String, port: UInt16
) -> Result<[SocketAddress], ResolutionError> {
  var hints = addrinfo()
  hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
  var first: UnsafeMutablePointer<addrinfo>?
  let code = getaddrinfo(host, nil, &hints, &first)
  guard code == 0 else {
    return .failure(ResolutionError(host, reason: String(cString: gai_strerror(code))))
  }
  defer { freeaddrinfo(first) }
  var found: [SocketAddress] = []
  var next = first
  while let entry = next?.pointee {
    next = entry.ai_next
    guard let name = entry.ai_addr else { continue }
    var storage = sockaddr_storage()
    withUnsafeMutableBytes(of: &storage) {
      $0.copyMemory(
        from: UnsafeRawBufferPointer(
          start: name, count: min(Int(entry.ai_addrlen), MemoryLayout<sockaddr_storage>.size)))
    }
    guard let ip = SocketAddress(native: storage)?.ip else { continue }
    let address = SocketAddress(ip, port: port)
    if !found.contains(address) { found.append(address) }
  }
  return found.isEmpty
    ? .failure(ResolutionError(host, reason: "no IPv4 or IPv6 address")) : .success(found)
}
