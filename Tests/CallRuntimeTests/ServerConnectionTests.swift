import CLinux
import Fixtures
import Glibc
import Links
import Rooms
import Runtime
import Testing
import Units

@testable import CallRuntime

@Suite struct ServerConnectionTests {
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

  @Test
  func `an address that swallows what is sent to it does not keep the next from being reached`()
    throws
  {
    let loop = try EventLoop()
    let listener = try TCPListener(boundTo: SocketAddress(.loopbackV4, port: 0))
    let swallower = try SwallowingListener()
    var isSecured = false
    let server = ServerConnection(
      loop: loop, addresses: [swallower.address, listener.localAddress],
      makeSession: { PlainSession() }, decide: { _, _ in true },
      feed: { if case .secured = $0 { isSecured = true } })
    server.perform(.connect)
    let end = Clock.now + .seconds(20)
    while !isSecured, Clock.now < end {
      loop.turn(until: min(end, server.nextDeadline?.at ?? end))
      server.handleTimeout(at: loop.now)
    }
    #expect(isSecured)
    #expect(server.nextDeadline == nil)
  }

  @Test func `the last address to fail ends the attempt, with its reason`() throws {
    let loop = try EventLoop()
    // Nobody listens there any more.
    let closed = try (0..<2).map { _ in
      try TCPListener(boundTo: SocketAddress(.loopbackV4, port: 0)).localAddress
    }
    var reasons: [String] = []
    let server = ServerConnection(
      loop: loop, addresses: closed, makeSession: { PlainSession() }, decide: { _, _ in true },
      feed: { if case .disconnected(let reason) = $0 { reasons.append(reason) } })
    server.perform(.connect)
    let end = Clock.now + .seconds(20)
    while reasons.isEmpty, Clock.now < end {
      loop.turn(until: min(end, server.nextDeadline?.at ?? end))
      server.handleTimeout(at: loop.now)
    }
    #expect(reasons == ["\(closed[1]): Connection refused"])
  }
}

/// Listens, and its queue is full: the kernel drops what comes to open another connection.
private final class SwallowingListener {
  let address: SocketAddress
  private let descriptor: Int32
  private var visitors: [TCPStream] = []

  init() throws {
    let listener = clinux_socket(AF_INET, 1)
    descriptor = listener
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let (isListening, port) = withUnsafeMutableBytes(of: &name) { bytes in
      let storage = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
      var length = size
      let isDone =
        bind(listener, storage, size) == 0 && listen(listener, 0) == 0
        && getsockname(listener, storage, &length) == 0
      return (isDone, bytes.load(as: sockaddr_in.self).sin_port)
    }
    address = SocketAddress(.loopbackV4, port: UInt16(bigEndian: port))
    try #require(isListening)
    for _ in 0..<4 { visitors.append(try TCPStream(connectingTo: address)) }
  }

  deinit { close(descriptor) }
}
