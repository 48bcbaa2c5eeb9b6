import CLinux
import Runtime
import Testing
import Units

/// Datagrams that leave and come several in one message (UDP_SEGMENT, UDP_GRO).
@Suite struct JoinedDatagramTests {
  private let loop: EventLoop
  private let one: UDPSocket
  private let two: UDPSocket

  init() throws {
    loop = try EventLoop()
    one = try UDPSocket(boundTo: SocketAddress(.loopbackV4, port: 0))
    two = try UDPSocket(boundTo: SocketAddress(.loopbackV4, port: 0))
  }

  /// Of distinct bytes, so that one that was cut wrongly shows.
  private func datagrams(_ sizes: [Int]) -> [[UInt8]] {
    sizes.enumerated().map { number, size in
      (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) }
    }
  }

  /// Until so many have come, and whatever else is there then.
  private func received(_ count: Int, at socket: UDPSocket) throws -> [[UInt8]] {
    var received: [[UInt8]] = []
    let token = try loop.watch(socket.fileDescriptor, for: .readable) { _ in
      while socket.receive({ bytes, source in
        #expect(source == one.localAddress)
        received.append(bytes)
      }) {}
    }
    while received.count < count { loop.turn(until: nil) }
    loop.unwatch(token)
    return received
  }

  private static let mixes: [[Int]] = [
    [1_200],
    Array(repeating: 1_200, count: 8) + [700],
    // The last of a run may be shorter, not longer, and ends it.
    [900, 900, 901, 901, 900, 900, 10, 10, 11],
    // Empty ones are datagrams too, and never part of a run.
    [0, 0, 500, 500, 0, 500],
    // Longer than an Ethernet carries.
    Array(repeating: 1_900, count: 10),
    // More than one batch, and more than one message has room for.
    Array(repeating: 1_452, count: 70) + [1_451, 3, 1],
    (0..<60).map { 1_000 + $0 % 3 },
  ]

  @Test(arguments: mixes)
  func `datagrams of any sizes arrive intact, in order and once`(sizes: [Int]) throws {
    let sent = datagrams(sizes)
    for bytes in sent { one.send(bytes, to: two.localAddress) }
    one.flush()
    #expect(try received(sent.count, at: two) == sent)
  }

  @Test func `runs of equal datagrams go to whom they are for`() throws {
    let three = try UDPSocket(boundTo: SocketAddress(.loopbackV4, port: 0))
    let sent = datagrams(Array(repeating: 800, count: 24))
    for (number, bytes) in sent.enumerated() {
      one.send(bytes, to: number / 3 % 2 == 0 ? two.localAddress : three.localAddress)
    }
    #expect(one.flush() == 24)
    #expect(
      try received(12, at: two)
        == sent.enumerated().filter { $0.offset / 3 % 2 == 0 }.map(\.element))
    #expect(
      try received(12, at: three)
        == sent.enumerated().filter { $0.offset / 3 % 2 == 1 }.map(\.element))
  }

  @Test func `a run is one message to the kernel, on both sides`() throws {
    guard one.joins else { return }
    let sent = datagrams(Array(repeating: 1_200, count: 32))
    for bytes in sent { one.send(bytes, to: two.localAddress) }
    #expect(one.flush() == 32)
    // One call takes at most 16 messages.
    var received: [[UInt8]] = []
    let token = try loop.watch(two.fileDescriptor, for: .readable) { _ in
      if received.isEmpty { two.receive { bytes, _ in received.append(bytes) } }
    }
    while received.isEmpty { loop.turn(until: nil) }
    loop.unwatch(token)
    #expect(received == sent)
  }

  @Test func `where the kernel refuses runs, datagrams leave one by one from then on`() throws {
    // Without checksums there is nothing that could be put into each part (udp(7)): EINVAL.
    try #require(clinux_set_option(one.fileDescriptor, SOL_SOCKET, SO_NO_CHECK, 1) == 0)
    for _ in 0..<2 {
      let sent = datagrams([600, 1_200, 1_200, 1_200, 300, 300])
      for bytes in sent { one.send(bytes, to: two.localAddress) }
      #expect(one.flush() == sent.count)
      #expect(try received(sent.count, at: two) == sent)
      #expect(!one.joins)
    }
  }

  @Test func `a run that cannot be sent there says nothing about runs`() throws {
    guard one.joins else { return }
    // Port 0 is nobody's: EINVAL as well.
    for bytes in datagrams([500, 500, 500]) {
      one.send(bytes, to: SocketAddress(.loopbackV4, port: 0))
    }
    let sent = datagrams([500, 500, 500, 200])
    for bytes in sent { one.send(bytes, to: two.localAddress) }
    #expect(one.flush() == sent.count)
    #expect(try received(sent.count, at: two) == sent)
    #expect(one.joins)
  }

  @Test func `a joined message is parted by the size that the kernel tells, whatever it is`() {
    #expect(Array(JoinedDatagrams(count: 10, size: 3)) == [0..<3, 3..<6, 6..<9, 9..<10])
    #expect(Array(JoinedDatagrams(count: 9, size: 3)) == [0..<3, 3..<6, 6..<9])
    for size in [0, 10, 11, -1, .min, .max] {
      #expect(Array(JoinedDatagrams(count: 10, size: size)) == [0..<10], "\(size)")
    }
    #expect(Array(JoinedDatagrams(count: 0, size: 0)) == [0..<0])
    #expect(Array(JoinedDatagrams(count: 0, size: 5)) == [0..<0])
    for count in 1...70 {
      for size in -2...72 {
        let parts = Array(JoinedDatagrams(count: count, size: size))
        #expect(parts.map(\.count).reduce(0, +) == count)
        #expect(zip(parts, parts.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        #expect(Set(parts.dropLast().map(\.count)).count <= 1)
        #expect(parts.allSatisfy { !$0.isEmpty })
      }
    }
  }
}
