import Encryption
import Links
import Testing
import Units

@Suite struct TLSSessionTests {
  let peers = TwoPeers()

  @Test func `two peers agree over a stream, and messages arrive in order`() {
    let pair = peers.pair(.stream)
    pair.shakeHands()
    #expect(pair.isEstablished)
    #expect(pair.client.peerKeyHash == peers.right.certificateKeyHash)
    #expect(pair.server.peerKeyHash == peers.left.certificateKeyHash)
    #expect(pair.client.cipherName.hasPrefix("TLS_"))
    let label = "EXPORTER-p2pcall-auth-v1"
    #expect(pair.client.exporter(label: label, count: 32)?.count == 32)
    #expect(
      pair.client.exporter(label: label, count: 32) == pair.server.exporter(label: label, count: 32)
    )
    let long = [UInt8](repeating: 7, count: 100_000)
    pair.client.send([1], at: .zero)
    pair.client.send(long, at: .zero)
    pair.server.send([2], at: .zero)
    pair.settle()
    #expect(SessionPair.received(pair.serverEvents) == [1] + long)
    #expect(SessionPair.received(pair.clientEvents) == [2])
  }

  @Test func `a stream that comes byte by byte is the same stream`() {
    let pair = peers.pair(.stream)
    pair.path = { $0.map { [$0] } }
    pair.server.send([5, 6], at: .zero)
    pair.shakeHands()
    pair.client.send([1, 2, 3], at: .zero)
    pair.settle()
    #expect(SessionPair.received(pair.serverEvents) == [1, 2, 3])
    #expect(SessionPair.received(pair.clientEvents) == [5, 6])
    #expect(pair.isEstablished)
  }

  @Test func `a server's first message travels in its first flight`() {
    let pair = peers.pair(.stream)
    pair.start()
    pair.server.send([0xAA, 0xBB], at: .zero)
    let hello = pair.interceptToServer().flatMap(\.self)
    pair.injectToServer(hello)
    let flight = pair.interceptToClient().flatMap(\.self)
    #expect(pair.serverEvents.isEmpty, "the client is not proved yet")
    pair.injectToClient(flight)
    #expect(pair.clientEvents == [.established, .received([0xAA, 0xBB])])
    // And between its flight and the client's answer.
    pair.server.send([0xCC], at: .zero)
    pair.settle()
    #expect(pair.serverEvents == [.established])
    #expect(SessionPair.received(pair.clientEvents) == [0xAA, 0xBB, 0xCC])
    pair.server.send([0xDD], at: .zero)
    pair.client.send([0xEE], at: .zero)
    pair.settle()
    #expect(SessionPair.received(pair.clientEvents) == [0xAA, 0xBB, 0xCC, 0xDD])
    #expect(SessionPair.received(pair.serverEvents) == [0xEE])
  }

  @Test func `either side refuses another key`() {
    let stranger = OpenSSLSessionFactory(LinkCertificate()).certificateKeyHash
    let distrustful = SessionPair(
      peers.left.makeSession(.stream, role: .client, expectedKeyHash: stranger),
      peers.right.makeSession(.stream, role: .server, expectedKeyHash: nil))
    distrustful.shakeHands()
    #expect(
      distrustful.clientEvents
        == [.failed(.keyMismatch(expected: stranger, found: peers.right.certificateKeyHash))])
    #expect(!distrustful.serverEvents.contains(.established))
    let guarded = SessionPair(
      peers.left.makeSession(.stream, role: .client, expectedKeyHash: nil),
      peers.right.makeSession(.stream, role: .server, expectedKeyHash: stranger))
    guarded.shakeHands()
    #expect(
      guarded.serverEvents
        == [.failed(.keyMismatch(expected: stranger, found: peers.left.certificateKeyHash))])
  }

  @Test func `an altered record ends the stream`() {
    let pair = peers.pair(.stream)
    pair.shakeHands()
    pair.path = { bytes in
      var altered = bytes
      altered[altered.count - 1] ^= 1
      return [altered]
    }
    pair.client.send([1, 2, 3], at: .zero)
    pair.settle()
    #expect(SessionPair.received(pair.serverEvents).isEmpty)
    guard case .failed = pair.serverEvents.last else {
      Issue.record("the server goes on after \(pair.serverEvents)")
      return
    }
  }

  @Test func `garbage instead of a handshake fails and never traps`() {
    for seed in 0..<300 as Range<UInt64> {
      var random = SeededRandom(seed: seed)
      let pair = peers.pair(.stream)
      pair.start()
      pair.injectToServer(random.bytes(Int(random.next() % 400)))
      pair.injectToClient([22, 3, 3] + random.bytes(Int(random.next() % 400)))
      #expect(!pair.isEstablished)
    }
  }

  @Test func `a close is told to the peer, and nothing follows`() {
    let pair = peers.pair(.stream)
    pair.shakeHands()
    pair.server.close(at: .zero)
    pair.server.send([1], at: .zero)
    pair.settle()
    #expect(pair.clientEvents == [.established, .closed])
  }

  @Test func `nothing is sent before the handshake but a server's first words`() {
    let pair = peers.pair(.stream)
    pair.client.send([1], at: .zero)
    pair.shakeHands()
    #expect(SessionPair.received(pair.serverEvents).isEmpty)
  }
}
