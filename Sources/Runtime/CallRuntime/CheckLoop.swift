import CLinux
package import Checks
package import Ciphers
package import Links
package import Rooms
package import Runtime
package import Units

/// The sockets of `p2pcall check`: feeds a `NetworkCheck` with what happens and performs what it says,
/// until it ends by itself.
package final class CheckLoop {
  private let loop: EventLoop
  private let interface: String?
  private var check: NetworkCheck
  private var sockets: [(id: SocketID, socket: UDPSocket)] = []
  private var streams: [(id: StreamID, stream: TCPStream, token: EventLoop.Token)] = []
  private var server: ServerConnection?
  private var waiting: [NetworkCheck.Input] = []
  private var isFinished = false
  private let signals: Signals
  /// A signal ended it.
  package private(set) var isInterrupted = false

  /// For what was said last to leave this computer.
  private static let closingTime = Interval.milliseconds(50)

  package init(
    rendezvous: RendezvousClient, serverAddresses: [SocketAddress], choices: CallChoices,
    ciphers: any CipherSuite, relaySessions: any RelaySessionFactory,
    makeServerSession: @escaping () -> any SecureSession,
    decideServer: @escaping ServerConnection.Decision
  ) throws(SystemError) {
    loop = try EventLoop()
    interface = choices.interface
    signals = try Signals()
    var offered: [NetworkCheck.Socket] = []
    for ip in [IPAddress.v4(0, 0, 0, 0), .unspecifiedV6] {
      // A family that this computer lacks is a finding, as its absence is.
      for _ in 0..<2 {
        let socket = try? UDPSocket(
          boundTo: SocketAddress(ip, port: 0), on: choices.interface, keepsBounces: true)
        guard let socket else { continue }
        let id = SocketID(sockets.count)
        sockets.append((id, socket))
        offered.append(
          NetworkCheck.Socket(id, isV4: ip.isV4, port: socket.localAddress.port))
      }
    }
    check = NetworkCheck(
      NetworkCheck.Configuration(
        sockets: offered,
        ownAddresses: try LocalAddress.current()
          .filter { choices.interface == nil || $0.interface == choices.interface }.map(\.ip),
        servers: serverAddresses, choices: choices, ciphers: ciphers,
        relaySessions: relaySessions), rendezvous: rendezvous)
    server = ServerConnection(
      loop: loop, addresses: serverAddresses, makeSession: makeServerSession,
      decide: decideServer
    ) { [unowned self] in waiting.append(.server($0)) }
    for (id, socket) in sockets {
      _ = try loop.watch(socket.fileDescriptor, for: .readable) { [unowned self] _ in
        while let (remote, reason) = socket.nextBounce() {
          waiting.append(
            .bounced(DialFailure(reason), DatagramPath(socket: id, remote: remote)))
        }
        socket.receive { bytes, source in
          self.waiting.append(.datagram(bytes, from: source, on: id))
        }
      }
    }
    _ = try loop.watch(signals.fileDescriptor, for: .readable) { [unowned self] _ in
      while signals.next() != nil { isInterrupted = true }
    }
  }

  /// Blocks until it is known, or a signal came.
  package func run() -> NetworkFindings {
    waiting.append(.start)
    feed()
    while !isFinished, !isInterrupted {
      loop.turn(until: Deadline.earlier(check.nextDeadline, server?.nextDeadline)?.at)
      server?.handleTimeout(at: loop.now)
      if let due = check.nextDeadline, due.at <= loop.now { waiting.append(.timeout) }
      feed()
    }
    let end = Clock.now + Self.closingTime
    while !isInterrupted, Clock.now < end, server?.hasBacklog == true { loop.turn(until: end) }
    return check.findings
  }

  private func feed() {
    while !waiting.isEmpty {
      let inputs = waiting
      waiting = []
      for input in inputs { check.handle(input, at: loop.now) }
      while let output = check.nextOutput() { perform(output) }
    }
    for (_, socket) in sockets { socket.flush() }
  }

  private func perform(_ output: NetworkCheck.Output) {
    switch output {
    case .rendezvous(let output): server?.perform(output)
    case .transmit(let bytes, let path):
      sockets.first { $0.id == path.socket }?.socket.send(bytes, to: path.remote)
    case .dial(let id, let address): dial(id, address)
    case .write(let bytes, let id):
      guard let open = streams.first(where: { $0.id == id }) else { return }
      if open.stream.write(bytes) != nil { return end(id) }
      listen(open.stream, open.token)
    case .hangUp(let id): close(id)
    case .finished: isFinished = true
    }
  }

  // MARK: Streams to relays

  private func dial(_ id: StreamID, _ address: SocketAddress) {
    do {
      let stream = try TCPStream(connectingTo: address, on: interface)
      let token = try loop.watch(stream.fileDescriptor, for: .writable) { [unowned self] _ in
        serve(id)
      }
      streams.append((id, stream, token))
    } catch {
      waiting.append(.dialFailed(id, error.reason))
    }
  }

  private func serve(_ id: StreamID) {
    guard let open = streams.first(where: { $0.id == id }) else { return }
    if !open.stream.isConnected {
      if let failure = open.stream.finishConnecting() {
        close(id)
        return waiting.append(.dialFailed(id, failure.reason))
      }
      waiting.append(.dialed(id))
    }
    if open.stream.flush() != nil { return end(id) }
    switch open.stream.read() {
    case .bytes(let bytes): waiting.append(.stream(bytes, on: id))
    case .blocked: break
    case .ended, .failed: return end(id)
    }
    listen(open.stream, open.token)
  }

  private func listen(_ stream: TCPStream, _ token: EventLoop.Token) {
    loop.change(token, to: stream.queuedByteCount > 0 ? [.readable, .writable] : .readable)
  }

  private func end(_ id: StreamID) {
    close(id)
    waiting.append(.streamClosed(id))
  }

  private func close(_ id: StreamID) {
    guard let index = streams.firstIndex(where: { $0.id == id }) else { return }
    loop.unwatch(streams.remove(at: index).token)
  }
}
