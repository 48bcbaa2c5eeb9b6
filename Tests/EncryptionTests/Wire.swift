import Encryption
import Glibc
import Links
import Testing
import Units

/// Two sessions in memory, and what each told, in order.
final class SessionPair {
  let client: any SecureSession
  let server: any SecureSession
  private(set) var clientEvents: [Event] = []
  private(set) var serverEvents: [Event] = []
  private(set) var toServer: [[UInt8]] = []
  private(set) var toClient: [[UInt8]] = []
  private(set) var now = Instant.zero
  /// What becomes of each datagram or piece of stream: none, one or more deliveries.
  var path: ([UInt8]) -> [[UInt8]] = { [$0] } {
    didSet { backPath = path }
  }
  /// The same from the server to the client, where it differs.
  var backPath: ([UInt8]) -> [[UInt8]] = { [$0] }

  enum Event: Equatable {
    case established
    case received([UInt8])
    case closed
    case failed(SecureSessionFailure)
  }

  init(_ client: any SecureSession, _ server: any SecureSession) {
    self.client = client
    self.server = server
  }

  func start() {
    server.start(at: now)
    client.start(at: now)
    drain()
  }

  /// Delivers what is under way, and what that causes, until nothing moves.
  func settle() {
    drain()
    while !toServer.isEmpty || !toClient.isEmpty {
      let (forward, back) = (toServer, toClient)
      (toServer, toClient) = ([], [])
      for bytes in forward.flatMap(path) { server.receive(bytes, at: now) }
      for bytes in back.flatMap(backPath) { client.receive(bytes, at: now) }
      drain()
    }
  }

  /// Settles, then lets OpenSSL's clock, which is the system's, come to the next retransmission.
  func settleThroughLoss(until done: () -> Bool) {
    for _ in 0..<400 where !done() {
      settle()
      let deadlines = [client.nextDeadline, server.nextDeadline].compactMap { $0?.at }
      guard let next = deadlines.min(), !done() else { continue }
      usleep(UInt32(max(0, (next - now).microseconds)))
      now = next
      client.handleTimeout(at: now)
      server.handleTimeout(at: now)
    }
  }

  func shakeHands() {
    start()
    settle()
  }

  func drain() {
    while let output = client.nextOutput() { keep(output, &clientEvents, &toServer) }
    while let output = server.nextOutput() { keep(output, &serverEvents, &toClient) }
  }

  private func keep(
    _ output: SecureSessionOutput, _ events: inout [Event], _ wire: inout [[UInt8]]
  ) {
    switch output {
    case .transmit(let bytes): wire.append(bytes)
    case .established: events.append(.established)
    case .received(let bytes): events.append(.received(bytes))
    case .closed: events.append(.closed)
    case .failed(let failure): events.append(.failed(failure))
    }
  }

  /// What is under way to the server, taken off the wire.
  func interceptToServer() -> [[UInt8]] {
    defer { toServer = [] }
    return toServer
  }
  func interceptToClient() -> [[UInt8]] {
    defer { toClient = [] }
    return toClient
  }
  func injectToServer(_ bytes: [UInt8]) {
    server.receive(bytes, at: now)
    drain()
  }
  func injectToClient(_ bytes: [UInt8]) {
    client.receive(bytes, at: now)
    drain()
  }

  var isEstablished: Bool {
    clientEvents.contains(.established) && serverEvents.contains(.established)
  }

  /// Bytes received by one side, joined.
  static func received(_ events: [Event]) -> [UInt8] {
    events.flatMap { event -> [UInt8] in
      if case .received(let bytes) = event { return bytes }
      return []
    }
  }
}

/// Two processes' factories, and sessions that expect each other.
struct TwoPeers {
  let left = OpenSSLSessionFactory(LinkCertificate())
  let right = OpenSSLSessionFactory(LinkCertificate())

  func pair(_ carrier: Carrier) -> SessionPair {
    SessionPair(
      left.makeSession(carrier, role: .client, expectedKeyHash: right.certificateKeyHash),
      right.makeSession(carrier, role: .server, expectedKeyHash: left.certificateKeyHash))
  }
}
