import Links
import Testing
import Units
import Wire

/// What a hub can say of the ways that it tried in vain.
@Suite struct AttemptTests {
  private func pair(
    _ seed: UInt64, _ left: Lab.Options = .init(), _ right: Lab.Options = .init(),
    _ prepare: (Lab) -> Void
  ) -> (lab: Lab, anna: Lab.Node, bert: Lab.Node) {
    let lab = Lab(seed: seed)
    prepare(lab)
    let anna = lab.add("anna", left)
    let bert = lab.add("bert", right)
    lab.introduceAll()
    return (lab, anna, bert)
  }

  private func report(_ node: Lab.Node, on other: Lab.Node) throws -> AttemptReport {
    try #require(node.hub.attempts(with: other.session))
  }

  @Test(
    arguments: [
      (.refused, .connectionRefused), (.noAnswer, .unanswered), (.unreachable, .unreachable),
      (.other, .connectionFailed),
    ] as [(DialFailure, Attempt.End)])
  func `each way that was tried is told with how it ended`(
    failure: DialFailure, end: Attempt.End
  ) throws {
    let (lab, anna, bert) = pair(1) { lab in
      lab.weather.isUDPDown = true
      lab.weather.isTCPDown = true
      lab.weather.dialFailure = failure
    }
    lab.run(.seconds(30))
    let report = try report(anna, on: bert)
    let theirs = SocketAddress(.v4(10, 0, 0, 2), port: 5_000)
    #expect(
      report.ways == [
        Attempt(
          carrier: .datagram, local: SocketAddress(.v4(10, 0, 0, 1), port: 5_000),
          isFromRelay: false, remote: theirs, remoteKind: .host, end: .unanswered),
        Attempt(
          carrier: .stream, local: nil, isFromRelay: false, remote: theirs, remoteKind: .host,
          end: end),
      ])
    #expect(report.isDescribed)
    #expect(report.relays.isEmpty)
    #expect(report.isSeenOverUDP == nil)
    #expect(report.hasTheirV4)
    #expect(!report.hasOwnV6 && !report.hasTheirV6)
  }

  @Test(arguments: [Transport.udp, .tcp])
  func `a way that leads there and fails in the handshake is told as that`(
    transport: Transport
  ) throws {
    let (lab, anna, eve) = pair(
      4, .init(transport: transport), .init(transport: transport, authenticationKey: [9])
    ) { _ in }
    lab.run(.seconds(30))
    let reports = try [report(anna, on: eve), report(eve, on: anna)]
    for report in reports { #expect(report.transport == transport) }
    let ends = reports.flatMap(\.ways).map(\.end)
    #expect(ends.contains(.handshakeFailed(.proof)), "\(ends)")
  }

  @Test func `who never told where he is was not looked for`() throws {
    let lab = Lab(seed: 2)
    lab.weather.isServerDown = true
    let anna = lab.add("anna")
    let bert = lab.add("bert")
    lab.introduceAll()
    lab.run(.seconds(30))
    let report = try report(anna, on: bert)
    #expect(!report.isDescribed)
    #expect(report.ways.isEmpty)
    #expect(anna.hub.attempts(with: SessionID(bytes: [UInt8](repeating: 0, count: 16))!) == nil)
  }

  private func relayed(
    _ carriers: [RelayServer.Carrier] = [.udp], password: String = "secret",
    _ prepare: (LabRelay) -> Void = { _ in }
  ) throws -> AttemptReport {
    let relay = LabRelay()
    prepare(relay)
    let (lab, anna, bert) = pair(3) { lab in
      lab.relay = relay
      lab.isPublic = true
      lab.weather.isDirectDown = true
      lab.weather.isTCPDown = true
    }
    lab.feed(anna, .relays(relay.grant(carriers, password: password)))
    lab.run(.seconds(20))
    return try report(anna, on: bert)
  }

  @Test func `a relay that lets nothing to the other side is told with its code`() throws {
    let report = try relayed { $0.template.forbidden = [.v4(20, 0, 0, 2)] }
    #expect(report.relays.map(\.end) == [.allocated])
    let refused = report.ways.filter { $0.end == .refusedByRelay(code: 403) }
    #expect(refused.map(\.isFromRelay) == [true])
    #expect(refused.map(\.remote.ip) == [.v4(20, 0, 0, 2)])
    #expect(refused.first?.local?.ip == .v4(192, 0, 2, 100))
  }

  @Test func `relays that gave us nothing are told with what they said`() throws {
    let refused = try relayed(password: "wrong")
    #expect(refused.relays.map(\.end) == [.failed(.credentialRefused)])
    let silent = try relayed { $0.isUDPDown = true }
    #expect(silent.relays.map(\.end) == [.failed(.noAnswer(.allocate))])
    // One that this version cannot use.
    let other = try relayed([.tls])
    #expect(other.relays.map(\.end) == [.untried])
  }

  @Test func `a peer with many addresses has no more ways kept than there is room for`() throws {
    let lab = Lab(seed: 5)
    let anna = lab.add("anna", .init(sockets: 4))
    let bert = SessionID(bytes: [UInt8](repeating: 8, count: 16))!
    lab.feed(anna, .peerAppeared(bert))
    let candidates = (1...LinkDescription.candidateLimit).map { number in
      Candidate(
        transport: .udp, kind: .host, foundation: UInt32(number), priority: UInt32(number),
        address: SocketAddress(.v4(10, 9, 0, UInt8(number)), port: 4_000))
    }
    let description = LinkDescription(
      certificateKeyHash: [UInt8](repeating: 1, count: 32), generation: 0,
      userFragment: Array("abcd".utf8), password: [UInt8](repeating: 0x70, count: 22),
      candidates: candidates)
    lab.feed(anna, .description(description, from: bert))
    lab.run(.seconds(5))
    let report = try #require(anna.hub.attempts(with: bert))
    #expect(report.ways.count == AttemptReport.wayLimit)
    // 100 pairs are the most that an agent has.
    #expect(report.omitted == 100 - AttemptReport.wayLimit)
  }
}
