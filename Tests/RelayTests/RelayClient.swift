import Encryption
import Links
import Runtime
import Testing
import Units
import Wire

/// An allocation with a socket of its own.
final class RelayClient {
  enum Way: Hashable, CaseIterable {
    case udp
    case tcp
  }
  private let loop: EventLoop
  private let server: SocketAddress
  private let way: Way
  private let credentials: TurnCredentials
  private var allocation: TurnAllocation
  /// Over TLS.
  private let session: (any SecureSession)?
  private var isSecured = false
  private(set) var refusal: SecureSessionFailure?
  private var socket: UDPSocket?
  private var stream: TCPStream?
  private var token: EventLoop.Token?

  private(set) var relayed: SocketAddress?
  private(set) var mapped: SocketAddress?
  private(set) var received: [(data: [UInt8], peer: SocketAddress)] = []
  private(set) var refused: [(ip: IPAddress, code: Int)] = []
  private(set) var failure: TurnFailure?
  private(set) var isClosed = false
  /// Messages to the server.
  private(set) var sent = 0

  init(
    _ loop: EventLoop, _ way: Way, _ server: Turnserver, _ credentials: TurnCredentials,
    family: StunFamily = .v4, session: (any SecureSession)? = nil
  ) throws {
    self.loop = loop
    self.way = way
    self.session = session
    self.credentials = credentials
    self.server = session == nil ? server.address : server.securedAddress
    allocation = TurnAllocation(
      over: way == .udp ? .datagrams : .stream, family: family, credentials: credentials,
      ciphers: OpenSSLCipherSuite(), at: Clock.now)
    if way == .udp {
      let socket = try UDPSocket(boundTo: SocketAddress(.loopbackV4, port: 0))
      self.socket = socket
      token = try loop.watch(socket.fileDescriptor, for: .readable) { [unowned self] _ in
        while socket.receive({ bytes, _ in self.handle(.received(bytes)) }) {}
      }
      handle(.timeout)
    } else {
      let stream = try TCPStream(connectingTo: self.server)
      self.stream = stream
      token = try loop.watch(stream.fileDescriptor, for: .writable) { [unowned self] in
        serve($0)
      }
    }
  }

  deinit { if let token { loop.unwatch(token) } }

  var nextDeadline: Instant? { isReady ? allocation.nextDeadline?.at : nil }

  func handleTimeout() {
    if let due = nextDeadline, due <= Clock.now { handle(.timeout) }
  }

  /// On the same carrier, as a `RelayExchange` does where there was none of the family before.
  func ask(for family: StunFamily) {
    allocation = TurnAllocation(
      over: way == .udp ? .datagrams : .stream, family: family, credentials: credentials,
      ciphers: OpenSSLCipherSuite(), at: Clock.now)
    failure = nil
    isClosed = false
    handle(.timeout)
  }

  func send(_ data: [UInt8], to peer: SocketAddress) { handle(.send(data, to: peer)) }
  func close() { handle(.close) }

  /// Nothing can be written before.
  private var isReady: Bool {
    way == .udp || stream?.isConnected == true && (session == nil || isSecured)
  }

  /// But for answers to copies of requests, which a machine that is busy causes.
  func expectNothingAmiss(sourceLocation: SourceLocation = #_sourceLocation) {
    var counters = allocation.counters
    counters.foreign = 0
    #expect(counters == TurnCounters(), sourceLocation: sourceLocation)
  }

  private func handle(_ input: TurnAllocation.Input) {
    allocation.handle(input, at: Clock.now)
    while let output = allocation.nextOutput() {
      switch output {
      case .transmit(let bytes): transmit(bytes)
      case .allocated(let relayed, let mapped): (self.relayed, self.mapped) = (relayed, mapped)
      case .received(let data, let peer): received.append((data, peer))
      case .refused(let ip, let code): refused.append((ip, code))
      case .failed(let failure): self.failure = failure
      case .closed: isClosed = true
      }
    }
    socket?.flush()
    stream?.flush()
  }

  private func transmit(_ bytes: [UInt8]) {
    sent += 1
    switch way {
    case .udp: socket?.send(bytes, to: server)
    case .tcp:
      if let session {
        session.send(bytes, at: Clock.now)
        takeSessionOutputs()
      } else {
        stream?.write(bytes)
      }
    }
  }

  private func takeSessionOutputs() {
    while let output = session?.nextOutput() {
      switch output {
      case .transmit(let bytes): stream?.write(bytes)
      case .established:
        isSecured = true
        handle(.timeout)
      case .received(let bytes): handle(.received(bytes))
      case .closed: break
      case .failed(let failure): refusal = failure
      }
    }
  }

  private func serve(_ ready: Readiness) {
    guard let stream, let token else { return }
    if !stream.isConnected {
      if let failure = stream.finishConnecting() {
        Issue.record("not connected: \(failure.reason)")
        return
      }
      if let session { session.start(at: Clock.now) } else { handle(.timeout) }
    }
    if ready.isReadable || ready.isClosed, case .bytes(let bytes) = stream.read() {
      if let session { session.receive(bytes, at: Clock.now) } else { handle(.received(bytes)) }
    }
    takeSessionOutputs()
    stream.flush()
    loop.change(token, to: stream.queuedByteCount > 0 ? [.readable, .writable] : .readable)
  }
}

/// Turns the loop until `isDone`, for at most 20 s; a test that waits in vain fails.
func turn(
  _ loop: EventLoop, _ clients: [RelayClient], until isDone: () -> Bool,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let end = Clock.now + .seconds(20)
  while !isDone() {
    let deadline = clients.compactMap(\.nextDeadline).min() ?? end
    loop.turn(until: min(deadline, end, Clock.now + .milliseconds(20)))
    for client in clients { client.handleTimeout() }
    try #require(Clock.now < end, "waited in vain", sourceLocation: sourceLocation)
  }
}

/// Has both send to the other's relayed address: first by indications, then, counted, by channels.
func exchange(_ loop: EventLoop, _ left: RelayClient, _ right: RelayClient) throws {
  let both = [left, right]
  let (leftEnd, rightEnd) = (try #require(left.relayed), try #require(right.relayed))
  // The first may come before the other side has asked for its permission.
  try turn(loop, both) {
    left.send([20, 0], to: rightEnd)
    right.send([20, 0], to: leftEnd)
    return both.allSatisfy { !$0.received.isEmpty }
  }
  // Bound by now: they all come, whatever their length.
  for number in UInt8(1)...100 {
    let data = [20, number] + [UInt8](repeating: number, count: 11 * Int(number))
    left.send(data, to: rightEnd)
    right.send(data, to: leftEnd)
    loop.turn(until: Clock.now + .milliseconds(1))
  }
  try turn(loop, both) { both.allSatisfy { $0.received.last?.data[1] == 100 } }
  for (client, farEnd) in [(left, rightEnd), (right, leftEnd)] {
    let numbered = client.received.filter { $0.data[1] > 0 }
    #expect(numbered.map { $0.data[1] } == Array(1...100))
    #expect(numbered.allSatisfy { $0.data.count == 2 + 11 * Int($0.data[1]) })
    #expect(client.received.allSatisfy { $0.peer == farEnd })
    client.expectNothingAmiss()
  }
}
