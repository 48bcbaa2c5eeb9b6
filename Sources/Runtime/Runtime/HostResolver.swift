import CLinux
package import Units

/// Host names to addresses, on a thread of its own: `getaddrinfo` blocks for seconds.
package final class HostResolver {
  private let loop: EventLoop
  private let answers: OrderedMailbox<Answer>
  private var waiting: [Int: (Result<[SocketAddress], ResolutionError>) -> Void] = [:]
  private var last = 0
  private var token: EventLoop.Token?

  private struct Answer: Sendable {
    var number: Int
    var result: Result<[SocketAddress], ResolutionError>
  }

  package init(on loop: EventLoop) throws(SystemError) {
    self.loop = loop
    answers = OrderedMailbox(capacity: 1024, wakeUp: try WakeUp())
    token = try loop.watch(answers.wakeUp) { [unowned self] in deliver() }
  }

  deinit { if let token { loop.unwatch(token) } }

  /// Calls back on the loop's thread, in a later turn. Addresses in the system's order of
  /// preference (RFC 6724), without doubles; a literal address needs no look-up.
  package func resolve(
    _ host: String, port: UInt16,
    then handler: @escaping (Result<[SocketAddress], ResolutionError>) -> Void
  ) {
    last += 1
    let number = last
    waiting[number] = handler
    let answers = answers
    do {
      try Thread.start("resolver", priority: .background) {
        answers.post(Answer(number: number, result: lookUp(host, port: port)))
      }.detach()
    } catch {
      answers.post(
        Answer(number: number, result: .failure(ResolutionError(host, reason: error.reason))))
    }
  }

  private func deliver() {
    for answer in answers.takeAll() {
      waiting.removeValue(forKey: answer.number)?(answer.result)
    }
  }
}

package struct ResolutionError: Error, Hashable, CustomStringConvertible {
  package var host: String
  package var reason: String

  package init(_ host: String, reason: String) {
    self.host = host
    self.reason = reason
  }

  package var description: String { "cannot find \(host): \(reason)" }
}

/// Blocks; for threads that may.
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
