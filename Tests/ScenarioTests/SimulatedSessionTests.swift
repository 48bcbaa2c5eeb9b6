import Links
import Simulation
import Testing
import Units

/// Two sessions with a wire between them on which a test may lay hands.
private final class SessionPair {
  var client: any SecureSession
  var server: any SecureSession
  var clientReceived: [[UInt8]] = []
  var serverReceived: [[UInt8]] = []
  var events: [String] = []
  var now = Instant.zero
  /// Sees every datagram or piece of stream with its number; returns what arrives.
  var wire: (_ fromClient: Bool, _ number: Int, _ bytes: [UInt8]) -> [[UInt8]] = { [$2] }
  private var carried = 0

  init(
    _ carrier: Carrier, client: SimulatedSessionFactory, server: SimulatedSessionFactory,
    clientExpects: [UInt8]? = nil, serverExpects: [UInt8]? = nil
  ) {
    self.client = client.makeSession(carrier, role: .client, expectedKeyHash: clientExpects)
    self.server = server.makeSession(carrier, role: .server, expectedKeyHash: serverExpects)
  }

  func start() {
    server.start(at: now)
    client.start(at: now)
    drain()
  }

  func drain() {
    while true {
      if let output = client.nextOutput() {
        take(output, isClient: true)
      } else if let output = server.nextOutput() {
        take(output, isClient: false)
      } else {
        return
      }
    }
  }

  /// Lets time pass until neither side waits for anything, or `limit` is over.
  func run(for limit: Interval) {
    let end = now + limit
    while let due = Deadline.earlier(client.nextDeadline, server.nextDeadline), due.at <= end {
      now = due.at
      client.handleTimeout(at: now)
      server.handleTimeout(at: now)
      drain()
    }
    now = end
  }

  private func take(_ output: SecureSessionOutput, isClient: Bool) {
    let name = isClient ? "client" : "server"
    switch output {
    case .transmit(let bytes):
      carried += 1
      for piece in wire(isClient, carried, bytes) {
        if isClient { server.receive(piece, at: now) } else { client.receive(piece, at: now) }
      }
    case .received(let bytes):
      if isClient { clientReceived.append(bytes) } else { serverReceived.append(bytes) }
    case .established: events.append("\(name) established")
    case .closed: events.append("\(name) closed")
    case .failed(let failure): events.append("\(name) failed: \(failure)")
    }
  }
}

@Suite struct SimulatedSessionTests {
  private static let carriers: [Carrier] = [.datagram, .stream]
  private let alice = SimulatedSessionFactory(seed: 1)
  private let bob = SimulatedSessionFactory(seed: 2)

  private func pair(_ carrier: Carrier) -> SessionPair {
    SessionPair(
      carrier, client: alice, server: bob, clientExpects: bob.certificateKeyHash,
      serverExpects: alice.certificateKeyHash)
  }

  @Test(arguments: carriers)
  func `both ends agree on keys and know each other's certificate`(carrier: Carrier) {
    let pair = pair(carrier)
    #expect(pair.client.exporter(label: "x", count: 32) == nil)
    pair.start()
    #expect(Set(pair.events) == ["client established", "server established"])
    #expect(pair.client.peerKeyHash == bob.certificateKeyHash)
    #expect(pair.server.peerKeyHash == alice.certificateKeyHash)
    let exported = pair.client.exporter(label: "x", count: 32)
    #expect(exported?.count == 32)
    #expect(exported == pair.server.exporter(label: "x", count: 32))
    #expect(exported != pair.server.exporter(label: "y", count: 32))
  }

  @Test(arguments: carriers)
  func `two sessions of the same two ends export different keys`(carrier: Carrier) {
    let first = pair(carrier)
    let second = pair(carrier)
    first.start()
    second.start()
    #expect(
      first.client.exporter(label: "x", count: 32) != second.client.exporter(label: "x", count: 32))
  }

  @Test(arguments: carriers)
  func `messages pass both ways and datagrams keep their boundaries`(carrier: Carrier) {
    let pair = pair(carrier)
    pair.start()
    pair.client.send([1, 2, 3], at: pair.now)
    pair.client.send([], at: pair.now)
    pair.client.send([4], at: pair.now)
    pair.server.send([UInt8](repeating: 7, count: 1_000), at: pair.now)
    pair.drain()
    if carrier == .datagram { #expect(pair.serverReceived == [[1, 2, 3], [], [4]]) }
    #expect(pair.serverReceived.flatMap { $0 } == [1, 2, 3, 4])
    #expect(pair.clientReceived.flatMap { $0 } == [UInt8](repeating: 7, count: 1_000))
  }

  @Test func `a client that begins anew in the middle of a handshake is answered`() {
    let pair = pair(.datagram)
    var flight: [[UInt8]] = []
    pair.wire = { isClient, _, bytes in
      guard !isClient else { return [bytes] }
      flight.append(bytes)
      return flight.count == 1 ? [bytes] : []
    }
    pair.start()
    #expect(flight.count == 2)
    pair.client = alice.makeSession(
      .datagram, role: .client, expectedKeyHash: bob.certificateKeyHash)
    // What still comes of the flight before stands before the new hello's answer.
    var answers = 0
    pair.wire = { isClient, _, bytes in
      if isClient { return [bytes] }
      answers += 1
      return answers == 1 ? [flight[1], bytes] : [bytes]
    }
    pair.client.start(at: pair.now)
    pair.drain()
    pair.run(for: .seconds(2))
    #expect(Set(pair.events) == ["client established", "server established"])
  }

  @Test(arguments: carriers)
  func `the server's certificate is compared in the handshake`(carrier: Carrier) {
    let wrong = SimulatedSessionFactory(seed: 3).certificateKeyHash
    let pair = SessionPair(carrier, client: alice, server: bob, clientExpects: wrong)
    pair.start()
    let mismatch = SecureSessionFailure.keyMismatch(
      expected: wrong, found: bob.certificateKeyHash)
    #expect(pair.events.contains("client failed: \(mismatch)"))
    #expect(!pair.events.contains("server established"))
  }

  @Test(arguments: carriers)
  func `the client's certificate is compared in the handshake`(carrier: Carrier) {
    let wrong = SimulatedSessionFactory(seed: 3).certificateKeyHash
    let pair = SessionPair(carrier, client: alice, server: bob, serverExpects: wrong)
    pair.start()
    let mismatch = SecureSessionFailure.keyMismatch(
      expected: wrong, found: alice.certificateKeyHash)
    #expect(pair.events.contains("server failed: \(mismatch)"))
    #expect(pair.events.contains { $0.hasPrefix("client failed") })
  }

  @Test func `a datagram handshake survives the loss of each datagram in turn`() {
    for lost in 1...6 {
      let pair = pair(.datagram)
      pair.wire = { $1 == lost ? [] : [$2] }
      pair.start()
      pair.run(for: .milliseconds(500))
      #expect(Set(pair.events) == ["client established", "server established"], "lost \(lost)")
      #expect(
        pair.client.exporter(label: "x", count: 32) == pair.server.exporter(label: "x", count: 32))
    }
  }

  @Test func `a datagram handshake without any answer times out once and rests`() {
    let pair = pair(.datagram)
    pair.wire = { _, _, _ in [] }
    pair.start()
    pair.run(for: .seconds(60))
    #expect(pair.events == ["client failed: no answer in time"])
    #expect(pair.client.nextDeadline == nil)
  }

  @Test(arguments: carriers)
  func `a handshake that is altered anywhere never establishes both ends`(carrier: Carrier) {
    let lengths = lengths(of: carrier)
    for (number, length) in lengths.enumerated() {
      for offset in stride(from: 13, to: length, by: 7) {
        let pair = pair(carrier)
        pair.wire = { _, at, bytes in
          guard at == number + 1 else { return [bytes] }
          var altered = bytes
          altered[offset] ^= 0x10
          return [altered]
        }
        pair.start()
        let both = Set(pair.events) == ["client established", "server established"]
        // Up to the cookie a datagram server keeps no state: the client just asks again.
        let isStateless = carrier == .datagram && number < 3
        #expect(!both || isStateless, "message \(number), byte \(offset)")
      }
    }
  }

  private func lengths(of carrier: Carrier) -> [Int] {
    var lengths: [Int] = []
    let pair = pair(carrier)
    pair.wire = {
      lengths.append($2.count)
      return [$2]
    }
    pair.start()
    return lengths
  }

  @Test func `an altered, repeated or cut datagram is dropped and the rest passes`() {
    let pair = pair(.datagram)
    pair.start()
    pair.wire = { _, _, bytes in
      var altered = bytes
      altered[bytes.count - 20] ^= 1
      return [altered, bytes, bytes, Array(bytes.dropLast()), []]
    }
    pair.client.send([1], at: pair.now)
    pair.client.send([2], at: pair.now)
    pair.drain()
    #expect(pair.serverReceived == [[1], [2]])
    #expect(pair.events.count == 2)
  }

  @Test func `datagrams may arrive out of order, each once`() {
    let pair = pair(.datagram)
    pair.start()
    var held: [[UInt8]] = []
    pair.wire = {
      held.append($2)
      return []
    }
    for byte in UInt8(0)..<10 { pair.client.send([byte], at: pair.now) }
    pair.drain()
    for datagram in held.reversed() + held { pair.server.receive(datagram, at: pair.now) }
    pair.drain()
    #expect(pair.serverReceived == (0..<10).reversed().map { [$0] })
  }

  @Test func `an altered byte of a stream ends it`() {
    let pair = pair(.stream)
    pair.start()
    pair.wire = { _, _, bytes in
      var altered = bytes
      altered[9] ^= 1
      return [altered]
    }
    pair.client.send([1, 2, 3, 4, 5, 6], at: pair.now)
    pair.drain()
    #expect(pair.serverReceived.isEmpty)
    #expect(pair.events.last?.contains("failed") == true)
  }

  @Test func `a stream may be cut anywhere`() {
    let pair = pair(.stream)
    pair.wire = { _, _, bytes in bytes.map { [$0] } }
    pair.start()
    let long = (0..<40_000).map { UInt8(truncatingIfNeeded: $0) }
    pair.client.send(long, at: pair.now)
    pair.drain()
    #expect(pair.serverReceived.flatMap { $0 } == long)
  }

  @Test func `a stream's server may write in its first flight`() {
    let pair = pair(.stream)
    pair.server.start(at: pair.now)
    pair.client.start(at: pair.now)
    guard case .transmit(let hello)? = pair.client.nextOutput() else {
      Issue.record("no client hello")
      return
    }
    pair.server.receive(hello, at: pair.now)
    pair.server.send([5], at: pair.now)
    pair.drain()
    #expect(pair.clientReceived == [[5]])
    #expect(pair.events == ["client established", "server established"])
  }

  @Test(arguments: carriers)
  func `an orderly close is told to the other side`(carrier: Carrier) {
    let pair = pair(carrier)
    pair.start()
    pair.client.close(at: pair.now)
    pair.drain()
    #expect(pair.events.last == "server closed")
    pair.client.send([1], at: pair.now)
    pair.drain()
    #expect(pair.serverReceived.isEmpty)
  }

  @Test func `a man in the middle ends up with two exporters`() {
    let mallory = SimulatedSessionFactory(seed: 9)
    let left = SessionPair(.stream, client: alice, server: mallory)
    let right = SessionPair(.stream, client: mallory, server: bob)
    left.start()
    right.start()
    #expect(
      left.client.exporter(label: "x", count: 32) != right.server.exporter(label: "x", count: 32))
  }
}
