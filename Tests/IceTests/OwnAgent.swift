import Encryption
import Links
import Runtime
import Testing
import Units
import Wire

/// Our agent with a socket on loopback.
final class OwnAgent {
  private let loop: EventLoop
  private let socket: UDPSocket
  private var token: EventLoop.Token?
  private(set) var agent: IceAgent
  private(set) var received: [[UInt8]] = []
  /// Requests and responses that were refused.
  private(set) var refused = 0
  /// Where datagrams came from before that way was validated.
  private(set) var strange = 0

  init(_ loop: EventLoop, isControlling: Bool) throws {
    self.loop = loop
    socket = try UDPSocket(boundTo: SocketAddress(.loopbackV4, port: 0))
    agent = Self.makeAgent(isControlling)
    agent.setLocal([(SocketID(0), candidate)], at: Clock.now)
    token = try loop.watch(socket.fileDescriptor, for: .readable) { [unowned self] _ in
      while socket.receive({ bytes, source in self.take(bytes, from: source) }) {}
    }
  }

  deinit { if let token { loop.unwatch(token) } }

  private static func makeAgent(_ isControlling: Bool) -> IceAgent {
    let ciphers = OpenSSLCipherSuite()
    return IceAgent(
      isControlling: isControlling, credentials: IceCredentials(from: ciphers), ciphers: ciphers)
  }

  var candidate: Candidate {
    Candidate(
      transport: .udp, kind: .host,
      foundation: CandidateRules.foundation(kind: .host, transport: .udp, base: .loopbackV4),
      priority: CandidateRules.priority(
        typePreference: CandidateRules.hostPreference, index: 0),
      address: socket.localAddress)
  }

  /// As `DatagramCarrier` does: a new agent with the same socket.
  func restart() {
    agent = Self.makeAgent(agent.isControlling)
    agent.setLocal([(SocketID(0), candidate)], at: Clock.now)
    drain()
  }

  func setRemote(_ credentials: IceCredentials, _ candidates: [Candidate]) {
    agent.setRemote(credentials, candidates, at: Clock.now)
    drain()
  }

  func probe() {
    agent.probe(at: Clock.now)
    drain()
  }

  func send(_ data: [UInt8]) {
    guard let path = agent.sendingPath else { return }
    socket.send(data, to: path.remote)
    socket.flush()
  }

  var nextDeadline: Instant? { agent.nextDeadline?.at }

  func handleTimeout() {
    if let due = nextDeadline, due <= Clock.now { agent.handleTimeout(at: Clock.now) }
    drain()
  }

  private func take(_ bytes: [UInt8], from source: SocketAddress) {
    let path = DatagramPath(socket: SocketID(0), remote: source)
    guard StunMessage.isStun(bytes) else {
      if agent.isValidated(path, at: Clock.now) { received.append(bytes) } else { strange += 1 }
      return
    }
    guard let message = try? StunMessage.Received(bytes) else {
      refused += 1
      return
    }
    let isAuthentic =
      switch message.message.kind {
      case .request: agent.handleRequest(message, on: path, at: Clock.now)
      case .success, .error:
        agent.expects(message.message.transactionID)
          && agent.handleResponse(message, on: path, at: Clock.now)
      // libnice keeps a pair alive by them (RFC 8445 §11).
      case .indication: true
      }
    if !isAuthentic { refused += 1 }
    drain()
  }

  private func drain() {
    while let output = agent.nextOutput() {
      if case .transmit(let bytes, let path) = output { socket.send(bytes, to: path.remote) }
    }
    socket.flush()
  }
}
