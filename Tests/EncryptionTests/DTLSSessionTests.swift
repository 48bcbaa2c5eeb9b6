import Encryption
import Links
import Testing
import Units

@Suite struct DTLSSessionTests {
  let peers = TwoPeers()

  @Test func `two peers agree on keys, cipher and each other's certificates`() {
    let pair = peers.pair(.datagram)
    pair.shakeHands()
    #expect(pair.clientEvents == [.established])
    #expect(pair.serverEvents == [.established])
    #expect(pair.client.peerKeyHash == peers.right.certificateKeyHash)
    #expect(pair.server.peerKeyHash == peers.left.certificateKeyHash)
    #expect(pair.client.peerCertificateChain.count == 1)
    #expect(pair.client.cipherName == "ECDHE-ECDSA-AES128-GCM-SHA256")
    let secret = pair.client.exporter(label: "EXPORTER-p2pcall-auth-v1", count: 32)
    #expect(secret?.count == 32)
    #expect(secret == pair.server.exporter(label: "EXPORTER-p2pcall-auth-v1", count: 32))
    #expect(secret != pair.server.exporter(label: "EXPORTER-p2pcall-auth-v2", count: 32))
    #expect(pair.client.nextDeadline == nil)
  }

  @Test func `every message is one datagram each way, and grows by the stated overhead`() {
    let pair = peers.pair(.datagram)
    pair.shakeHands()
    var sizes: [Int] = []
    pair.path = {
      sizes.append($0.count)
      return [$0]
    }
    let messages = [1, 2, 200, DTLSSession.datagramSize - DTLSSession.overhead].map {
      [UInt8](repeating: UInt8($0 & 0xFF), count: $0)
    }
    for message in messages { pair.client.send(message, at: .zero) }
    for message in messages { pair.server.send(message, at: .zero) }
    pair.settle()
    #expect(pair.serverEvents.dropFirst() == ArraySlice(messages.map { .received($0) }))
    #expect(pair.clientEvents.dropFirst() == ArraySlice(messages.map { .received($0) }))
    #expect(sizes.max() == DTLSSession.datagramSize)
  }

  @Test func `a datagram of several records is read to its end`() {
    let pair = peers.pair(.datagram)
    pair.shakeHands()
    var records: [[UInt8]] = []
    pair.path = {
      records.append($0)
      return []
    }
    for number in 1...3 as ClosedRange<UInt8> { pair.client.send([number], at: .zero) }
    pair.settle()
    pair.server.receive(records.flatMap { $0 }, at: .zero)
    pair.settle()
    #expect(pair.serverEvents.dropFirst() == [.received([1]), .received([2]), .received([3])])
  }

  @Test func `no handshake datagram is larger than the path carries`() {
    let pair = peers.pair(.datagram)
    var sizes: [Int] = []
    pair.path = {
      sizes.append($0.count)
      return [$0]
    }
    pair.shakeHands()
    #expect(pair.isEstablished)
    #expect(sizes.allSatisfy { $0 <= DTLSSession.datagramSize })
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `a handshake survives loss, reordering and duplication`(seed: UInt64) {
    let pair = peers.pair(.datagram)
    var random = SeededRandom(seed: seed)
    pair.path = Self.badPath(random.split())
    pair.backPath = Self.badPath(random.split())
    pair.start()
    pair.settleThroughLoss { pair.isEstablished }
    #expect(pair.isEstablished)
    pair.path = { [$0] }
    pair.client.send([1, 2, 3], at: pair.now)
    pair.server.send([4, 5], at: pair.now)
    pair.settle()
    #expect(pair.serverEvents.last == .received([1, 2, 3]))
    #expect(pair.clientEvents.last == .received([4, 5]))
  }

  /// Loses a quarter, holds a quarter back until the next, doubles some.
  private static func badPath(_ generator: SeededRandom) -> ([UInt8]) -> [[UInt8]] {
    var random = generator
    var held: [[UInt8]] = []
    return { datagram in
      if random.chance(0.25) { return [] }
      if random.chance(0.25) {
        held.append(datagram)
        return []
      }
      defer { held = [] }
      return [datagram] + held + (random.chance(0.3) ? [datagram] : [])
    }
  }

  @Test func `the first flight is sent again after 50 ms, then after twice the wait`() {
    let pair = peers.pair(.datagram)
    pair.path = { _ in [] }
    pair.start()
    pair.settle()
    let first = pair.client.nextDeadline
    #expect(first.map { $0.at - .zero <= .milliseconds(50) } == true)
    #expect(first.map { $0.at > .zero } == true)
    var flights = 0
    pair.path = { _ in
      flights += 1
      return []
    }
    pair.settleThroughLoss { flights >= 2 }
    #expect(flights == 2)
    #expect(pair.now - .zero <= .milliseconds(150))
  }

  @Test func `a peer that never answers ends in a timeout`() {
    let pair = peers.pair(.datagram)
    pair.path = { _ in [] }
    pair.start()
    pair.settleThroughLoss { pair.clientEvents.contains(.failed(.timedOut)) }
    #expect(pair.clientEvents == [.failed(.timedOut)])
    #expect(pair.client.nextDeadline == nil)
  }

  @Test func `a server with another key is refused by the client`() {
    let stranger = OpenSSLSessionFactory(LinkCertificate())
    let pair = SessionPair(
      peers.left.makeSession(
        .datagram, role: .client, expectedKeyHash: stranger.certificateKeyHash),
      peers.right.makeSession(
        .datagram, role: .server, expectedKeyHash: peers.left.certificateKeyHash))
    pair.shakeHands()
    let mismatch = SecureSessionFailure.keyMismatch(
      expected: stranger.certificateKeyHash, found: peers.right.certificateKeyHash)
    #expect(pair.clientEvents == [.failed(mismatch)])
    #expect(pair.serverEvents.isEmpty)
    #expect(pair.client.peerKeyHash == nil)
    #expect(pair.client.exporter(label: "EXPORTER-p2pcall-auth-v1", count: 32) == nil)
  }

  @Test func `a client with another key is refused by the server`() {
    let stranger = OpenSSLSessionFactory(LinkCertificate())
    let pair = SessionPair(
      peers.left.makeSession(.datagram, role: .client, expectedKeyHash: nil),
      peers.right.makeSession(
        .datagram, role: .server, expectedKeyHash: stranger.certificateKeyHash))
    pair.shakeHands()
    let mismatch = SecureSessionFailure.keyMismatch(
      expected: stranger.certificateKeyHash, found: peers.left.certificateKeyHash)
    #expect(pair.serverEvents == [.failed(mismatch)])
    #expect(!pair.clientEvents.contains(.established))
  }

  @Test func `without an expected key the peer's is reported`() {
    let pair = SessionPair(
      peers.left.makeSession(.datagram, role: .client, expectedKeyHash: nil),
      peers.right.makeSession(.datagram, role: .server, expectedKeyHash: nil))
    pair.shakeHands()
    #expect(pair.isEstablished)
    #expect(pair.server.peerKeyHash == peers.left.certificateKeyHash)
  }

  @Test func `junk, empty and truncated datagrams change nothing, before or after`() {
    var random = SeededRandom(seed: 7)
    let pair = peers.pair(.datagram)
    pair.path = { datagram in
      [[], random.bytes(Int(random.next() % 100)), Array(datagram.prefix(datagram.count / 2))]
        + [datagram]
    }
    pair.start()
    pair.settleThroughLoss { pair.isEstablished }
    #expect(pair.isEstablished)
    for _ in 0..<2_000 {
      var junk = random.bytes(Int(random.next() % 80))
      if random.chance(0.5) { junk = [UInt8(20 + random.next() % 4), 0xFE, 0xFD] + junk }
      pair.injectToServer(junk)
      pair.injectToClient(junk)
    }
    pair.client.send([42], at: pair.now)
    pair.server.send([43], at: pair.now)
    pair.settle()
    #expect(pair.serverEvents == [.established, .received([42])])
    #expect(pair.clientEvents == [.established, .received([43])])
  }

  @Test func `a replayed or altered message is dropped`() {
    let pair = peers.pair(.datagram)
    pair.shakeHands()
    pair.path = { datagram in
      var altered = datagram
      altered[altered.count - 1] ^= 1
      return [altered, datagram, datagram]
    }
    pair.client.send([9, 9], at: .zero)
    pair.settle()
    #expect(pair.serverEvents == [.established, .received([9, 9])])
  }

  @Test func `forged alerts and ClientHellos with a foreign cookie do not end a handshake`() {
    let pair = peers.pair(.datagram)
    let fatalAlert: [UInt8] = [21, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40]
    var hellos = 0
    pair.path = { datagram in
      var forged = datagram
      // A ClientHello with its cookie: type 22, message 1, cookie after the empty session id.
      if datagram.count > 100, datagram[0] == 22, datagram[13] == 1, datagram[60] == 32 {
        hellos += 1
        forged[61] ^= 0xFF
      }
      return [fatalAlert, forged == datagram ? [] : forged, datagram]
    }
    pair.start()
    pair.settleThroughLoss { pair.isEstablished }
    #expect(hellos >= 1)
    #expect(pair.isEstablished)
  }

  @Test func `a client that begins anew in the middle of a handshake is answered`() {
    let first = peers.pair(.datagram)
    var flight: [[UInt8]] = []
    // The server's flight is lost, and the client gives up.
    first.backPath = { datagram in
      guard datagram[13] != 3 else { return [datagram] }
      flight.append(datagram)
      return []
    }
    first.shakeHands()
    #expect(!flight.isEmpty)

    let client = peers.left.makeSession(
      .datagram, role: .client, expectedKeyHash: peers.right.certificateKeyHash)
    let second = SessionPair(client, first.server)
    second.start()
    // What still comes of the flight before.
    for datagram in flight { second.injectToClient(datagram) }
    second.settleThroughLoss { second.isEstablished }
    #expect(second.clientEvents == [.established])
    #expect(second.serverEvents == [.established])
    client.send([1], at: second.now)
    second.settle()
    #expect(second.serverEvents.last == .received([1]))
  }

  @Test func `forged alerts and ClientHellos do not end an established session`() {
    let pair = peers.pair(.datagram)
    var hello: [UInt8] = []
    pair.path = { datagram in
      if hello.isEmpty { hello = datagram }
      return [datagram]
    }
    pair.shakeHands()
    for description in 0..<120 as Range<UInt8> {
      for epoch in 0...2 as ClosedRange<UInt8> {
        let alert = [21, 0xFE, 0xFD, 0, epoch, 0, 0, 0, 0, 0, 99, 0, 2, 2, description]
        pair.injectToServer(alert)
        pair.injectToClient(alert)
      }
    }
    pair.injectToServer(hello)
    pair.client.send([1], at: .zero)
    pair.settle()
    #expect(pair.serverEvents == [.established, .received([1])])
    #expect(pair.clientEvents == [.established])
  }

  @Test func `protected records too short to be authentic end nothing, whenever they come`() {
    let pair = peers.pair(.datagram)
    let forged = (20...23 as ClosedRange<UInt8>).flatMap { type in
      (0...25 as ClosedRange<UInt8>).map { count in
        [type, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 200 + type, 0, count]
          + [UInt8](repeating: 2, count: Int(count))
      }
    }
    pair.path = { datagram in forged + [datagram] + forged }
    pair.start()
    pair.settleThroughLoss { pair.isEstablished }
    pair.client.send([5], at: pair.now)
    pair.server.send([6], at: pair.now)
    pair.settle()
    #expect(pair.serverEvents == [.established, .received([5])])
    #expect(pair.clientEvents == [.established, .received([6])])
  }

  @Test func `altered handshakes end in failure or in the right keys, and never trap`() {
    for seed in 0..<60 as Range<UInt64> {
      let pair = peers.pair(.datagram)
      var random = SeededRandom(seed: seed)
      pair.path = { datagram in
        var altered = datagram
        for _ in 0...Int(random.next() % 3) {
          altered[Int(random.next() % UInt64(altered.count))] ^= UInt8(random.next() % 255) + 1
        }
        let cut = Array(datagram.prefix(Int(random.next() % UInt64(datagram.count))))
        return random.chance(0.5) ? [altered, cut, datagram] : [datagram, altered]
      }
      pair.start()
      pair.settle()
      for event in pair.clientEvents + pair.serverEvents {
        switch event {
        case .established, .failed: break
        case .received, .closed: Issue.record("seed \(seed): \(event)")
        }
      }
      if pair.isEstablished {
        let label = "EXPORTER-p2pcall-auth-v1"
        #expect(
          pair.client.exporter(label: label, count: 32)
            == pair.server.exporter(label: label, count: 32))
        #expect(pair.client.peerKeyHash == peers.right.certificateKeyHash)
      }
    }
  }

  @Test func `a server answers a first ClientHello with nothing but a cookie request`() {
    let pair = peers.pair(.datagram)
    pair.start()
    let hello = pair.toServer.first ?? []
    pair.injectToServer(hello)
    #expect(pair.toClient.count == 1)
    #expect((pair.toClient.first?.count ?? .max) <= hello.count)
    // Handshake message 3, HelloVerifyRequest.
    #expect(pair.toClient.first?.dropFirst(13).first == 3)
  }

  @Test func `a close is told to the peer`() {
    let pair = peers.pair(.datagram)
    pair.shakeHands()
    pair.client.close(at: .zero)
    pair.settle()
    #expect(pair.serverEvents == [.established, .closed])
  }
}
