import Links
import Testing
import Units
import Wire

/// How an allocation comes about, and why it doesn't.
@Suite struct TurnAllocationTests {
  private let second = Interval.seconds(1)

  @Test(arguments: [TurnAllocation.Carrier.datagrams, .stream])
  func `an allocation is made with two requests, and told once`(
    carrier: TurnAllocation.Carrier
  ) {
    let lab = RelayLab(carrier)
    lab.run(for: second)
    #expect(lab.relayedAddresses == [lab.relay.relayed])
    #expect(lab.mapped == SocketAddress(.v4(198, 51, 100, 7), port: 7_000))
    #expect(lab.relay.count(.allocate) == 2)
    #expect(lab.sent.count == 2)
    let first = lab.relay.requests[0]
    #expect(first.integrity == nil)
    #expect(first.attributes == [.requestedTransport(17), .lifetime(600)])
    #expect(lab.relay.requests[1].transactionID != first.transactionID)
  }

  @Test func `an address of IPv6 is asked for by name`() {
    let lab = RelayLab(family: .v6) {
      $0.relayed = SocketAddress(.loopbackV6, port: 9)
    }
    #expect(lab.relayedAddresses.count == 1)
    #expect(lab.relay.requests[0].attributes.contains(.requestedAddressFamily(.v6)))
  }

  @Test func `the best algorithm that is known is used, and the offer repeated`() {
    let unknown = StunPasswordAlgorithm(number: 99, parameters: [1, 2])
    for (offer, best) in [
      ([unknown, .sha256, .md5], StunPasswordAlgorithm.sha256), ([.md5], .md5),
    ] {
      let lab = RelayLab {
        $0.algorithms = offer == [.md5] ? [.md5] : [.sha256, unknown, .md5]
        $0.nonce = Array("obMatJos2AAABxyz".utf8)
      }
      #expect(lab.relayedAddresses.count == 1)
      let request = lab.relay.requests[1]
      #expect(request.integrity?.count == 32)
      #expect(request.attributes.contains(.passwordAlgorithm(best)))
      #expect(request.attributes.contains(.passwordAlgorithms(lab.relay.algorithms!)))
      #expect(request.attributes.contains(.username(Array("1:a".utf8))))
    }
  }

  @Test func `the name is hashed where the nonce says so`() {
    // Bit 1: RFC 8489 appendix B.1 and erratum 6290.
    let lab = RelayLab { $0.nonce = Array("obMatJos2AAACxyz".utf8) }
    let attributes = lab.relay.requests[1].attributes
    let hash = FakeCiphers(seed: 0).sha256(Array("1:a:example.org".utf8))
    #expect(attributes.contains(.userHash(hash)))
    #expect(!attributes.contains(.username(Array("1:a".utf8))))
  }

  @Test func `algorithms that somebody took out of the challenge are noticed`() {
    let lab = RelayLab { $0.nonce = Array("obMatJos2AAABxyz".utf8) }
    #expect(lab.failure == .challenge(.weakened))
    #expect(lab.relay.requests.count == 1)
  }

  @Test func `algorithms that a later challenge leaves out are noticed`() throws {
    let lab = RelayLab { $0.algorithms = [.sha256] }
    try lab.refuseRefresh([
      .errorCode(438, reason: []), .realm(lab.relay.realm), .nonce(lab.relay.nonce),
    ])
    #expect(lab.sent.count == 3)
    lab.isCut = false
    lab.run(for: .seconds(600))
    #expect(lab.failure == nil)
    #expect(lab.relay.requests.allSatisfy { $0.integrity?.count != 20 })
  }

  @Test func `a challenge of unknown algorithms is told`() {
    let lab = RelayLab { $0.algorithms = [StunPasswordAlgorithm(number: 3)] }
    #expect(lab.failure == .challenge(.unknownAlgorithms))
  }

  @Test func `a wrong password is told at once, and not tried again`() {
    let lab = RelayLab(password: "wrong")
    #expect(lab.failure == .credentialRefused)
    #expect(lab.relay.requests.count == 2)
    #expect(lab.allocation.nextDeadline == nil)
  }

  @Test(
    arguments: [
      (486, TurnFailure.quotaReached), (437, .addressInUse),
      (442, .refused(.allocate, code: 442)), (508, .refused(.allocate, code: 508)),
      (300, .refused(.allocate, code: 300)), (441, .refused(.allocate, code: 441)),
    ])
  func `a refusal is told with its reason`(code: Int, expected: TurnFailure) {
    let lab = RelayLab { $0.refusals[.allocate] = [.errorCode(code, reason: [])] }
    #expect(lab.failure == expected)
    #expect(lab.relay.requests.count == 2)
    #expect(!expected.description.isEmpty)
  }

  @Test func `a refusal that names another server is told with its address`() {
    let other = SocketAddress(.v4(203, 0, 113, 9), port: 3_478)
    let lab = RelayLab {
      $0.refusals[.allocate] = [.errorCode(300, reason: []), .alternateServer(other)]
    }
    #expect(lab.failure == .otherServer(other))
  }

  @Test func `answers without what they must hold are told`() {
    #expect(
      RelayLab { $0.lifetime = nil }.failure == .answer(.allocate, .withoutLifetime))
    #expect(
      RelayLab { $0.lifetime = 29 }.failure == .answer(.allocate, .shortLifetime(29)))
    #expect(RelayLab { $0.lifetime = 30 }.failure == nil)
    for address in [
      SocketAddress(.loopbackV6, port: 9), SocketAddress(.v4(192, 0, 2, 1), port: 0),
      SocketAddress(.v4(0, 0, 0, 0), port: 9), SocketAddress(.v4(224, 0, 0, 1), port: 9),
    ] {
      #expect(
        RelayLab { $0.relayed = address }.failure == .answer(.allocate, .unusableAddress(address)))
    }
  }

  @Test func `of several addresses that counts which is of use`() {
    let v6 = SocketAddress(
      IPAddress(bytes: [0x20, 1, 0xD, 0xB8] + [UInt8](repeating: 1, count: 12))!, port: 50_000)
    let none = SocketAddress(.v4(0, 0, 0, 0), port: 0)
    let lab = RelayLab(family: .v6) {
      $0.relayed = v6
      $0.namedBefore = [none, SocketAddress(.v4(192, 0, 2, 50), port: 50_000)]
    }
    #expect(lab.failure == nil)
    #expect(lab.relayedAddresses == [v6])
    let useless = RelayLab {
      $0.relayed = v6
      $0.namedBefore = [none]
    }
    #expect(useless.failure == .answer(.allocate, .unusableAddress(none)))
  }

  @Test func `unsigned answers are counted and not believed`() {
    let lab = RelayLab { $0.isUnsigned = true }
    #expect(lab.relayedAddresses.isEmpty)
    lab.run(for: .seconds(8))
    #expect(lab.failure == .unauthenticAnswers(.allocate))
    #expect(lab.allocation.counters.unauthentic == 7)
  }

  @Test func `unsigned refusals of a signed request are counted and not believed`() {
    for code in [300, 400, 403, 437, 486, 500] {
      let lab = RelayLab {
        $0.isUnsigned = true
        $0.refusals[.allocate] = [.errorCode(code, reason: [])]
      }
      #expect(lab.failure == nil, "\(code)")
      lab.run(for: .seconds(8))
      #expect(lab.failure == .unauthenticAnswers(.allocate), "\(code)")
    }
  }

  @Test(arguments: [401, 438])
  func `a challenge signed by somebody else is not believed`(code: Int) throws {
    let lab = RelayLab()
    try lab.refuseRefresh([.errorCode(code, reason: []), .realm([1]), .nonce([2])]) { _ in
      [UInt8](repeating: 9, count: 20)
    }
    #expect(lab.allocation.counters.unauthentic == 1)
    #expect(lab.sent.count == 3)
  }

  @Test func `a refusal that need not be signed doesn't end what is granted`() throws {
    let lab = RelayLab()
    try lab.refuseRefresh([.errorCode(401, reason: []), .realm([1]), .nonce([2])])
    lab.isCut = false
    lab.run(for: .seconds(1_000))
    #expect(lab.failure == nil)
    #expect(lab.relayedAddresses.count == 1)
  }

  @Test func `a challenge without realm or nonce is told`() throws {
    for (attributes, expected) in [
      ([StunAttribute.nonce([2])], TurnFailure.challenge(.withoutRealm)),
      ([.realm([1])], .challenge(.withoutNonce)),
    ] {
      let lab = RelayLab { $0.isSilent = true }
      let request = try StunMessage(decoding: lab.sent[0].bytes)
      lab.deliver(
        StunMessage(
          .error, method: .allocate, transactionID: request.transactionID,
          attributes: [.errorCode(401, reason: [])] + attributes
        ).encoded)
      #expect(lab.failure == expected)
    }
  }

  @Test func `a grant of the unsigned request is not believed`() {
    let lab = RelayLab { $0.isSilent = true }
    let request = try! StunMessage(decoding: lab.sent[0].bytes)
    lab.deliver(
      StunMessage(
        .success, method: .allocate, transactionID: request.transactionID,
        attributes: [.xorRelayedAddress(lab.relay.relayed), .lifetime(600)]
      ).encoded)
    #expect(lab.relayedAddresses.isEmpty)
    #expect(lab.allocation.counters.unauthentic == 1)
  }

  @Test func `an answer to another request, or of another method, is not taken`() {
    let lab = RelayLab { $0.isSilent = true }
    let request = try! StunMessage(decoding: lab.sent[0].bytes)
    for (method, id) in [
      (StunMessage.Method.refresh, request.transactionID), (.allocate, [UInt8](1...12)),
    ] {
      lab.deliver(
        StunMessage(
          .error, method: method, transactionID: id,
          attributes: [.errorCode(486, reason: [])]
        ).encoded)
    }
    #expect(lab.failure == nil)
    #expect(lab.allocation.counters.foreign == 2)
  }

  // MARK: Time

  @Test func `a request is repeated for eight seconds, at first fast`() {
    let lab = RelayLab { $0.isSilent = true }
    let start = lab.now
    lab.run(for: .seconds(20))
    #expect(
      lab.sent.map { ($0.at - start).milliseconds } == [0, 100, 300, 700, 1_500, 3_100, 6_300])
    #expect(Set(lab.sent.map(\.bytes)).count == 1)
    #expect(lab.failure == .noAnswer(.allocate))
  }

  @Test func `on a stream nothing is repeated`() {
    let lab = RelayLab(.stream) { $0.isSilent = true }
    lab.run(for: .milliseconds(7_899))
    #expect(lab.failure == nil)
    lab.run(for: .seconds(20))
    #expect(lab.sent.count == 1)
    #expect(lab.failure == .noAnswer(.allocate))
  }

  @Test func `lost answers cost a repetition each`() {
    let lab = RelayLab { $0.isSilent = true }
    lab.relay.isSilent = false
    lab.answersToLose = 3
    lab.run(for: .seconds(2))
    #expect(lab.relayedAddresses.count == 1)
    #expect(lab.relay.count(.allocate) == 2)
  }

  @Test func `an allocation is refreshed as long as it lasts`() {
    let lab = RelayLab()
    lab.run(for: .seconds(3_600))
    #expect(lab.failure == nil)
    #expect((6...7).contains(lab.relay.count(.refresh)))
    #expect(lab.relayedAddresses.count == 1)
  }

  @Test func `a lifetime is believed up to an hour`() {
    let lab = RelayLab { $0.lifetime = .max }
    lab.run(for: .seconds(3_599))
    #expect(lab.relay.count(.refresh) == 1)
  }

  @Test func `a refresh that nobody answers is tried again until the lifetime's end`() {
    let lab = RelayLab()
    lab.run(for: .seconds(539))
    lab.isCut = true
    lab.run(for: .seconds(60))
    #expect(lab.failure == nil)
    lab.run(for: .seconds(2))
    #expect(lab.failure == .noAnswer(.refresh))

    let other = RelayLab()
    other.run(for: .seconds(539))
    other.isCut = true
    other.run(for: .seconds(25))
    other.isCut = false
    other.run(for: .seconds(600))
    #expect(other.failure == nil)
    #expect(other.relayedAddresses.count == 1)
  }

  @Test func `silence towards the relay is broken every 15 seconds`() {
    let lab = RelayLab()
    lab.run(for: .seconds(61))
    #expect(lab.relay.keepalives == 4)
  }

  @Test func `a stale nonce is answered once, and costs nothing`() {
    let lab = RelayLab()
    lab.relay.nonce = Array("second".utf8)
    lab.run(for: .seconds(541))
    #expect(lab.relay.count(.refresh) == 2)
    #expect(lab.failure == nil)
    lab.run(for: .seconds(600))
    #expect(lab.relay.count(.refresh) == 3)
  }

  @Test func `a relay whose nonces are always stale is not asked without end`() {
    let lab = RelayLab()
    let stale: [StunAttribute] = [
      .errorCode(438, reason: []), .realm(lab.relay.realm), .nonce(lab.relay.nonce),
    ]
    lab.relay.refusals[.refresh] = stale
    lab.run(for: .seconds(599))
    #expect(lab.failure == nil)
    // Two every five seconds of the last minute.
    #expect(lab.relay.count(.refresh) <= 26)
    lab.run(for: second)
    #expect(lab.failure == .refused(.refresh, code: 438))
  }

  @Test func `an allocation that the relay has lost is made anew`() {
    let lab = RelayLab()
    lab.run(for: .seconds(20))
    lab.relay.restart()
    lab.relay.relayed.port = 50_001
    lab.handle(.check)
    #expect(lab.relayedAddresses.map(\.port) == [50_000, 50_001])
    #expect(lab.failure == nil)
  }

  @Test func `an allocation that is lost right away is not made again`() {
    let lab = RelayLab()
    lab.relay.restart()
    lab.handle(.check)
    #expect(lab.failure == .lostAgain)
    #expect(lab.relay.requests.count == 3)
  }

  // MARK: The end

  @Test func `closing gives the address back`() {
    let lab = RelayLab()
    lab.handle(.close)
    #expect(lab.isClosed)
    #expect(!lab.relay.hasAllocation)
    #expect(lab.allocation.nextDeadline == nil)
    lab.handle(.close)
    lab.deliver([0x40, 0, 0, 0])
  }

  @Test func `closing takes half a second where nobody answers`() {
    let lab = RelayLab()
    lab.isCut = true
    lab.handle(.close)
    lab.run(for: .milliseconds(499))
    #expect(!lab.isClosed)
    lab.run(for: .milliseconds(1))
    #expect(lab.isClosed)
    // At 0, 100 and 300 ms.
    #expect(lab.sent.count == 2 + 3)
  }

  @Test func `closing survives a stale nonce, and a relay that knows of nothing`() {
    let lab = RelayLab()
    lab.relay.nonce = Array("second".utf8)
    lab.handle(.close)
    #expect(lab.isClosed && !lab.relay.hasAllocation)
    let other = RelayLab()
    other.relay.restart()
    other.handle(.close)
    #expect(other.isClosed && other.failure == nil)
  }

  @Test func `closing before the first answer is at once`() {
    let lab = RelayLab { $0.isSilent = true }
    lab.handle(.close)
    #expect(lab.isClosed)
    #expect(lab.sent.count == 1)
  }
}
