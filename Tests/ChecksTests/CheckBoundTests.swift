import Ciphers
import Fixtures
import Links
import Rooms
import Simulation
import Testing
import Units
import Wire

@testable import Checks

/// What a check believes, how much it asks, and when it stops, whoever is at the other end.
@Suite struct CheckBoundTests {
  private static let path = DatagramPath(socket: SocketID(0), remote: CheckLab.server)
  private let suite = SimulatedCipherSuite(seed: 1)

  private func answer(
    to question: AddressQuestion, _ kind: StunMessage.Class = .success,
    seen: SocketAddress = CheckLab.relay
  ) -> StunMessage {
    StunMessage(
      kind, transactionID: question.transactionID, attributes: [.xorMappedAddress(seen)])
  }

  @Test func `an answer that came another way than its question is not believed`() {
    var question = AddressQuestion(on: Self.path, ciphers: suite, at: .zero)
    let isEarly = question.take(answer(to: question), on: Self.path, at: .zero)
    #expect(!isEarly)
    let isSent = question.send(at: .zero)
    #expect(isSent)
    var another = answer(to: question)
    another.transactionID[0] ^= 1
    let elsewhere = DatagramPath(socket: SocketID(0), remote: CheckLab.relay)
    for (message, way, isTaken) in [
      (answer(to: question), elsewhere, false), (another, Self.path, false),
      (answer(to: question), Self.path, true),
    ] {
      let wasTaken = question.take(message, on: way, at: .zero)
      #expect(wasTaken == isTaken)
      #expect(question.answer?.seen == (isTaken ? CheckLab.relay : nil))
    }
    let isAgain = question.take(
      answer(to: question, seen: CheckLab.server), on: Self.path, at: .zero)
    #expect(!isAgain)
    #expect(question.answer?.seen == CheckLab.relay)
  }

  @Test func `an error that names an address is no answer`() {
    var question = AddressQuestion(on: Self.path, ciphers: suite, at: .zero)
    _ = question.send(at: .zero)
    _ = question.take(answer(to: question, .error), on: Self.path, at: .zero)
    #expect(question.answer == nil)
  }

  @Test func `what comes back before anything was sent is not believed, and then the first is`() {
    var question = AddressQuestion(on: Self.path, ciphers: suite, at: .zero)
    question.bounced(.refused)
    #expect(question.bounce == nil)
    _ = question.send(at: .zero)
    question.bounced(.unreachable)
    question.bounced(.refused)
    #expect(question.bounce == .unreachable)
  }

  @Test func `a knock is sent six times, and known by its number and kind`() {
    var knock = Knock(ciphers: suite, at: .zero)
    var sends = 0
    var now = Instant.zero
    while !knock.isOver {
      if knock.send(at: now) { sends += 1 }
      now += .milliseconds(10)
    }
    #expect(sends == 6)
    var heard = Knock(ciphers: suite, at: .zero)
    for (kind, number, isKnown) in [
      (StunMessage.Class.success, heard.number, false),
      (.request, [UInt8](repeating: 0, count: 12), false),
      (.request, heard.number, true),
    ] {
      let isTaken = heard.take(StunMessage(kind, transactionID: number, attributes: []))
      #expect(isTaken == isKnown)
    }
  }

  @Test func `the first thing that happens to a relay's trial is what is told of it`() {
    let credentials = TurnCredentials(username: [1], password: [2])!
    func trial() -> RelayTrial {
      RelayTrial(
        RelayServer(.udp, CheckLab.relay), path: Self.path, for: [.v4], credentials,
        ciphers: suite, at: .zero)
    }
    var failing = trial()
    failing.fail(.unconnected("first"))
    failing.fail(.silent)
    #expect(failing.finding.outcome == .unconnected("first"))
    var bouncing = trial()
    bouncing.bounced(.refused)
    bouncing.bounced(.unreachable)
    #expect(bouncing.finding.outcome == .bounced(.refused))
  }

  @Test func `two servers of a family are asked, by both sockets, and one that answers is enough`()
  {
    let others = (2...4).map { SocketAddress(.v4(192, 0, 2, $0), port: 7_443) }
    for servers in [[CheckLab.server] + others, [others[0], CheckLab.server] + others[1...]] {
      let lab = CheckLab { lab in
        lab.servers = servers
        lab.carriers = [.udp]
      }
      let found = lab.run()
      let asked = lab.sent.filter { $0.remote.port == 7_443 }
      #expect(Set(asked.map(\.remote)) == [CheckLab.server, others[0]])
      #expect(Set(asked.map(\.socket)) == [SocketID(0), SocketID(1)])
      #expect(found.v4.hairpins == false)
      #expect(found.v4.filtering == .unasked)
    }
  }

  @Test func `a grant that comes a moment later is waited for, and a second one not taken`() {
    let late = CheckLab { lab in
      lab.carriers = [.udp]
      lab.grantDelay = .milliseconds(350)
      // Nothing else takes time there.
      lab.mapping = .untranslated
    }
    #expect(late.run().relays.map(\.works) == [true])
    let twice = CheckLab { lab in
      lab.carriers = [.udp]
      lab.grants = 2
    }
    #expect(twice.run().relays.map(\.works) == [true])
    #expect(twice.allocations == 1)
  }

  @Test func `a knock that comes to the socket that it was not meant for says nothing`() {
    let lab = CheckLab { lab in
      lab.carriers = [.udp]
      lab.filtering = .none
      lab.crossesSockets = true
    }
    #expect(lab.run().v4.filtering == .unknown)
  }

  @Test func `the first place where a knock arrives from is kept`() {
    let outside = SocketAddress(CheckLab.router, port: 9)
    var way = WayTrial(
      socket: SocketID(1), outside: outside, relay: 0, relayed: CheckLab.relay, knowsAddress: false,
      ciphers: suite, at: .zero)
    var now = Instant.zero
    var knock: StunMessage?
    while knock == nil, !way.isOver {
      for case .direct(let bytes, _) in way.proceed(isRefused: false, ciphers: suite, at: now) {
        knock = try? StunMessage.Received(bytes).message
      }
      now += .milliseconds(10)
    }
    guard let knock else {
      Issue.record("nothing was sent to the relayed address")
      return
    }
    way.receive(knock, atRelayFrom: outside)
    way.receive(knock, atRelayFrom: CheckLab.server)
    #expect(way.seen == outside)
  }

  @Test func `after the end nothing is said and nothing waited for`() {
    let lab = CheckLab { $0.carriers = [.udp, .tcp] }
    _ = lab.run()
    #expect(lab.feedLate())
    #expect(lab.leftOver == 0)
  }

  @Test func `a relay on loopback is asked where the server is there too`() {
    let loopback = SocketAddress(.loopbackV4, port: 3_478)
    let lab = CheckLab { lab in
      lab.carriers = [.tcp]
      lab.servers = [SocketAddress(.loopbackV4, port: 7_443)]
      lab.relayAddress = loopback
    }
    #expect(lab.run().relays.map(\.works) == [true])
  }

  @Test func `a relay of a family that no socket has is not asked`() {
    let lab = CheckLab { lab in
      lab.carriers = [.udp, .tcp]
      lab.relayAddress = SocketAddress(
        IPAddress(bytes: [0x20, 1, 0xD, 0xB8] + [UInt8](repeating: 1, count: 12))!, port: 3_478)
    }
    #expect(lab.run().relays.map(\.outcome) == [.untried(.family), .untried(.family)])
    #expect(lab.dialed == 0)
  }

  @Test(arguments: ["-9223372036854775808:r", "9223372036854775807:r", "r", ":", "-:"])
  func `credentials that name no time tell none`(name: String) {
    let lab = CheckLab { lab in
      lab.carriers = [.udp]
      lab.userName = name
    }
    #expect(lab.run().serverTime == nil)
  }

  @Test func `a relay that lets nothing to us carries nothing, and leaves filtering unknown`() {
    let lab = CheckLab { lab in
      lab.carriers = [.udp]
      lab.isRelayRefusing = true
    }
    let found = lab.run()
    #expect(found.relays[0].carries == nil)
    #expect(found.relays[0].works)
    #expect(found.v4.filtering == .unknown)
    #expect(lab.elapsed < .seconds(2))
  }

  @Test func `what comes back over one family is no word about the other`() {
    let v6 = SocketAddress(
      IPAddress(bytes: [0x20, 1, 0xD, 0xB8] + [UInt8](repeating: 1, count: 12))!, port: 7_443)
    var check = check([CheckLab.server, v6, SocketAddress(.loopbackV4, port: 7_443)])
    check.handle(.start, at: .zero)
    check.handle(.bounced(.refused, Self.path), at: .zero)
    #expect(check.findings.v4.bounce == .refused)
    #expect(check.findings.v6.bounce == nil)
    // Neither loopback nor link-local addresses are of use to others; one server elsewhere is enough.
    #expect(check.findings.v4.ownAddresses == [CheckLab.own])
    #expect(check.findings.v6.ownAddresses == [])
    #expect(!check.findings.v4.isLoopback)
  }

  @Test func `the shortest round trip of all answers is told`() {
    let second = SocketAddress(.v4(192, 0, 2, 2), port: 7_443)
    var check = check([CheckLab.server, second])
    check.handle(.start, at: .zero)
    // With one socket of the family.
    var asked: [(bytes: [UInt8], path: DatagramPath)] = []
    while let output = check.nextOutput() {
      if case .transmit(let bytes, let path) = output { asked.append((bytes, path)) }
    }
    #expect(asked.map(\.path.remote) == [CheckLab.server, second])
    let own = SocketAddress(CheckLab.router, port: 9)
    for (index, question) in asked.enumerated() {
      let answer = StunResponder.answer(to: question.bytes, from: own) ?? []
      check.handle(
        .datagram(answer, from: question.path.remote, on: question.path.socket),
        at: .zero + .milliseconds(10 + 20 * Int64(index)))
    }
    #expect(check.findings.v4.roundTrip == .milliseconds(10))
  }

  @Test func `where a datagram arrives at the relay tells the mapping where the relay does not`() {
    let lab = CheckLab { lab in
      lab.carriers = [.udp]
      lab.mapping = .dependent
      lab.isRelayDiscreet = true
    }
    #expect(lab.run().v4.mapping == .dependent)
  }

  @Test func `a datagram that comes back to its own sender is no hairpin`() {
    let (one, two) = (SocketID(1), SocketID(2))
    let outside = SocketAddress(CheckLab.router, port: 9)
    var trial = HairpinTrial((one, outside), (two, outside), ciphers: suite, at: .zero)
    let orders = trial.proceed(at: .zero)
    for (bytes, path) in orders {
      guard let message = try? StunMessage.Received(bytes).message else { continue }
      trial.receive(message, on: path.socket)
      #expect(!trial.hasSucceeded)
      trial.receive(message, on: path.socket == one ? two : one)
      #expect(trial.hasSucceeded)
      break
    }
    #expect(orders.count == 2)
  }

  /// With a socket for each family.
  private func check(_ servers: [SocketAddress]) -> NetworkCheck {
    let client = RendezvousClient(
      .init(
        admissionSeed: [UInt8](repeating: 1, count: 32),
        session: SessionID(bytes: [UInt8](repeating: 7, count: SessionID.count))!,
        peerID: [UInt8](repeating: 2, count: 32), record: nil, seed: 1), ciphers: suite)
    return NetworkCheck(
      .init(
        sockets: [
          .init(SocketID(0), isV4: true, port: 5), .init(SocketID(1), isV4: false, port: 6),
        ],
        ownAddresses: [CheckLab.own, .loopbackV4, .loopbackV6, .v4(169, 254, 1, 1)],
        servers: servers, choices: CallChoices(), ciphers: suite, relaySessions: PlainSessions()),
      rendezvous: client)
  }
}
