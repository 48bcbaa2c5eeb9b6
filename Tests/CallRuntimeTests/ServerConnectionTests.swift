import Links
import Rooms
import Runtime
import Testing
import Units

@testable import CallRuntime

@Suite struct ServerConnectionTests {
  /// Passes bytes on as they are.
  private final class PlainSession: SecureSession {
    private var outputs = OutputQueue<SecureSessionOutput>()
    func start(at now: Instant) { outputs.append(.established) }
    func receive(_ bytes: [UInt8], at now: Instant) { outputs.append(.received(bytes)) }
    func send(_ message: [UInt8], at now: Instant) { outputs.append(.transmit(message)) }
    func close(at now: Instant) {}
    func handleTimeout(at now: Instant) {}
    func nextOutput() -> SecureSessionOutput? { outputs.next() }
    var nextDeadline: Deadline? { nil }
    var peerKeyHash: [UInt8]? { [UInt8](repeating: 1, count: 32) }
    var peerCertificateChain: [[UInt8]] { [] }
    func exporter(label: String, count: Int) -> [UInt8]? { [UInt8](repeating: 2, count: count) }
    var cipherName: String { "none" }
  }

  @Test func `a server that does not read is left, whatever waits for it`() throws {
    let loop = try EventLoop()
    let listener = try TCPListener(boundTo: SocketAddress(.loopbackV4, port: 0))
    var isSecured = false
    var lost: [String] = []
    let server = ServerConnection(
      loop: loop, addresses: [listener.localAddress], makeSession: { PlainSession() },
      decide: { _, _ in true },
      feed: { input in
        switch input {
        case .secured: isSecured = true
        case .disconnected(let reason): lost.append(reason)
        default: break
        }
      })
    server.perform(.connect)
    while !isSecured { loop.turn(until: nil) }
    // More than both kernels' buffers take, and ours.
    for _ in 0..<64 { server.perform(.send([UInt8](repeating: 0, count: 1 << 20))) }
    #expect(lost == ["the server does not read what is sent to it"])
    #expect(!server.hasBacklog)
  }
}
