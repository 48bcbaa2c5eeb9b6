import CLinux
import Runtime
import Testing
import Units

@Suite struct SocketTests {
  @Test(arguments: [IPAddress.loopbackV4, .loopbackV6])
  func `datagrams arrive whole, in batches, with their sender`(ip: IPAddress) throws {
    let loop = try EventLoop()
    let one = try UDPSocket(boundTo: SocketAddress(ip, port: 0))
    let two = try UDPSocket(boundTo: SocketAddress(ip, port: 0))
    let sent = (0..<50).map { [UInt8](repeating: UInt8($0), count: $0 * 20) }
    var received: [[UInt8]] = []
    let token = try loop.watch(two.fileDescriptor, for: .readable) { _ in
      while two.receive({ bytes, source in
        #expect(source == one.localAddress)
        received.append(bytes)
      }) {}
    }
    for bytes in sent { one.send(bytes, to: two.localAddress) }
    // A full batch of 32 has left by itself.
    #expect(one.flush() == sent.count - 32)
    #expect(one.flush() == 0)
    while received.count < sent.count { loop.turn(until: nil) }
    loop.unwatch(token)
    #expect(received == sent)
  }

  @Test func `a datagram longer than we take is dropped and the next one arrives`() throws {
    let loop = try EventLoop()
    let one = try UDPSocket(boundTo: SocketAddress(.loopbackV4, port: 0))
    let two = try UDPSocket(boundTo: SocketAddress(.loopbackV4, port: 0))
    one.send([UInt8](repeating: 1, count: UDPSocket.largestDatagram + 1), to: two.localAddress)
    one.send([2], to: two.localAddress)
    one.flush()
    var received: [[UInt8]] = []
    let token = try loop.watch(two.fileDescriptor, for: .readable) { _ in
      while two.receive({ bytes, _ in received.append(bytes) }) {}
    }
    while received.isEmpty { loop.turn(until: nil) }
    loop.unwatch(token)
    #expect(received == [[2]])
  }

  @Test func `an unreachable port neither fails nor stops later datagrams`() throws {
    let gone = try UDPSocket(boundTo: SocketAddress(.loopbackV4, port: 0)).localAddress
    let one = try UDPSocket(boundTo: SocketAddress(.loopbackV4, port: 0))
    // The kernel's complaint about one of them meets the next, which is then sent again.
    for _ in 0..<20 {
      one.send([1], to: gone)
      #expect(one.flush() == 1)
    }
    one.receive { _, _ in Issue.record("nobody sent anything") }
    one.send([1], to: one.localAddress)
    #expect(one.flush() == 1)
  }

  @Test(arguments: [IPAddress.loopbackV4, .loopbackV6])
  func `a closed port is told to who asked for that, and later datagrams leave`(
    ip: IPAddress
  ) throws {
    let loop = try EventLoop()
    let gone = try UDPSocket(boundTo: SocketAddress(ip, port: 0)).localAddress
    let one = try UDPSocket(boundTo: SocketAddress(ip, port: 0), keepsBounces: true)
    let two = try UDPSocket(boundTo: SocketAddress(ip, port: 0))
    var bounces: [(to: SocketAddress, reason: SystemError)] = []
    let token = try loop.watch(one.fileDescriptor, for: .readable) { _ in
      while let bounce = one.nextBounce() { bounces.append(bounce) }
    }
    one.send([1], to: gone)
    one.flush()
    while bounces.isEmpty { loop.turn(until: nil) }
    loop.unwatch(token)
    #expect(bounces.map(\.to) == [gone])
    #expect(bounces.map(\.reason.code) == [ECONNREFUSED])
    one.send([2], to: two.localAddress)
    #expect(one.flush() == 1)
    two.send([3], to: gone)
    two.flush()
    #expect(two.nextBounce() == nil)
  }

  @Test func `a burst leaves in order, without what cannot be sent`() throws {
    let loop = try EventLoop()
    let one = try UDPSocket(boundTo: SocketAddress(.loopbackV4, port: 0))
    let two = try UDPSocket(boundTo: SocketAddress(.loopbackV4, port: 0))
    for number in 0..<10 {
      // Port 0 is nobody's: the kernel refuses it, the first and last of the burst among them.
      let isRefused = number % 3 == 0
      let address = isRefused ? SocketAddress(.loopbackV4, port: 0) : two.localAddress
      one.send([UInt8](repeating: UInt8(number), count: 1_000 + number), to: address)
    }
    #expect(one.flush() == 6)
    var received: [[UInt8]] = []
    let token = try loop.watch(two.fileDescriptor, for: .readable) { _ in
      while two.receive({ bytes, _ in received.append(bytes) }) {}
    }
    while received.count < 6 { loop.turn(until: nil) }
    loop.unwatch(token)
    #expect(received.map { Int($0[0]) } == [1, 2, 4, 5, 7, 8])
    #expect(received.map(\.count) == [1_001, 1_002, 1_004, 1_005, 1_007, 1_008])
  }

  /// Both ends of a connection over loopback.
  private func connection(
    _ loop: EventLoop, _ ip: IPAddress
  ) throws -> (client: TCPStream, server: TCPStream) {
    let listener = try TCPListener(boundTo: SocketAddress(ip, port: 0))
    let client = try TCPStream(connectingTo: listener.localAddress)
    var server: TCPStream?
    var isConnected = false
    let accepting = try loop.watch(listener.fileDescriptor, for: .readable) { _ in
      if case .connection(let stream) = listener.accept() { server = stream }
    }
    let connecting = try loop.watch(client.fileDescriptor, for: .writable) { _ in
      #expect(client.finishConnecting() == nil)
      isConnected = true
    }
    while server == nil || !isConnected { loop.turn(until: nil) }
    loop.unwatch(accepting)
    loop.unwatch(connecting)
    return (client, try #require(server))
  }

  @Test(arguments: [IPAddress.loopbackV4, .loopbackV6])
  func `a stream larger than the kernel's buffers arrives complete`(ip: IPAddress) throws {
    let loop = try EventLoop()
    let (client, server) = try connection(loop, ip)
    #expect(server.remoteAddress == client.localAddress)
    var random = SeededRandom(seed: 1)
    let sent = random.bytes(3_000_000)
    #expect(client.write(sent) == nil)
    #expect(client.queuedByteCount > 0)

    var received: [UInt8] = []
    var hasEnded = false
    let reading = try loop.watch(server.fileDescriptor, for: .readable) { _ in
      switch server.read() {
      case .bytes(let bytes): received += bytes
      case .ended: hasEnded = true
      case .blocked: break
      case .failed(let error): Issue.record("\(error)")
      }
    }
    let writing = try loop.watch(client.fileDescriptor, for: .writable) { _ in
      #expect(client.flush() == nil)
      if client.queuedByteCount == 0 { client.shutdownWriting() }
    }
    while !hasEnded {
      loop.turn(until: nil)
      if client.queuedByteCount == 0 { loop.change(writing, to: []) }
    }
    loop.unwatch(reading)
    loop.unwatch(writing)
    #expect(received == sent)
  }

  @Test func `connecting to a closed port says so`() throws {
    let loop = try EventLoop()
    let address = try TCPListener(boundTo: SocketAddress(.loopbackV4, port: 0)).localAddress
    let client = try TCPStream(connectingTo: address)
    var failure: SystemError?
    let token = try loop.watch(client.fileDescriptor, for: .writable) { _ in
      failure = client.finishConnecting()
    }
    while failure == nil { loop.turn(until: nil) }
    loop.unwatch(token)
    #expect(failure?.code == ECONNREFUSED)
    #expect(failure?.description == "connect to \(address): Connection refused")
  }

  @Test func `a taken port is refused with a sentence`() throws {
    let first = try TCPListener(boundTo: SocketAddress(.loopbackV4, port: 0))
    #expect(throws: SystemError("bind to \(first.localAddress)", code: EADDRINUSE)) {
      _ = try TCPListener(boundTo: first.localAddress)
    }
  }

  @Test func `the loopback address is among the computer's own`() throws {
    #expect(try LocalAddress.current().contains { $0.ip == .loopbackV4 })
  }

  @Test func `a literal address resolves to itself and nonsense is an error`() {
    #expect(lookUp("::1", port: 7443) == .success([SocketAddress(.loopbackV6, port: 7443)]))
    #expect(throws: ResolutionError.self) { try lookUp("no such host.invalid", port: 1).get() }
  }
}
