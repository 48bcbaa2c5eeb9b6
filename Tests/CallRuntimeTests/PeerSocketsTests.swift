import CLinux
import Call
import Links
import Runtime
import Testing
import Units

@testable import CallRuntime

@Suite struct PeerSocketsTests {
  private func listener(_ sockets: PeerSockets) throws -> SocketAddress {
    let address = try sockets.endpoints().compactMap { endpoint -> SocketAddress? in
      if case .listener(let address) = endpoint, address.ip == .loopbackV4 { address } else { nil }
    }.first
    return try #require(address)
  }

  @Test func `out of descriptors, whoever waits does not keep the loop busy`() throws {
    let loop = try EventLoop()
    var tries = 0
    let sockets = PeerSockets(
      loop: loop,
      accept: { _ in
        tries += 1
        return .exhausted
      }, feed: { _ in })
    try sockets.open()
    let caller = try TCPStream(connectingTo: listener(sockets))
    while tries == 0 { loop.turn(until: nil) }
    for _ in 0..<5 { loop.turn(until: loop.now + .milliseconds(1)) }
    #expect(tries == 1)
    let again = try #require(sockets.nextDeadline)
    #expect(again.timer == "accept again")
    sockets.handleTimeout(at: again.at)
    #expect(sockets.nextDeadline == nil)
    while tries == 1 { loop.turn(until: nil) }
    withExtendedLifetime(caller) {}
  }

  @Test func `a connection that was hung up and is never read is closed in the end`() throws {
    let loop = try EventLoop()
    var accepted: [StreamID] = []
    let sockets = PeerSockets(
      loop: loop,
      feed: { if case .accepted(let stream, _) = $0 { accepted.append(stream) } })
    try sockets.open()
    let caller = try TCPStream(connectingTo: listener(sockets))
    while accepted.isEmpty { loop.turn(until: nil) }
    // More than both kernels' buffers take.
    sockets.write([UInt8](repeating: 0, count: 32 << 20), to: accepted[0])
    #expect(sockets.hasBacklog)
    sockets.hangUp(accepted[0])
    let end = try #require(sockets.nextDeadline)
    #expect(end.timer == "hang up")
    #expect(sockets.hasBacklog)
    sockets.handleTimeout(at: end.at)
    #expect(!sockets.hasBacklog)
    #expect(sockets.nextDeadline == nil)
    withExtendedLifetime(caller) {}
  }
}
