import Links
import Testing
import Units
import Wire

@testable import Checks

/// What a check asks of relays, and says, where this computer has no address of IPv4.
@Suite struct LackOfIPv4Tests {
  private static func v6(_ last: UInt8, port: UInt16 = 3_478) -> SocketAddress {
    SocketAddress(
      IPAddress(bytes: [0x20, 1, 0xD, 0xB8] + [UInt8](repeating: 0, count: 11) + [last])!,
      port: port)
  }
  private static let own = v6(2).ip
  private static let relay = v6(9)

  // MARK: What is asked

  private func lab(_ carriers: [RelayServer.Carrier], _ change: (CheckLab) -> Void) -> CheckLab {
    CheckLab { lab in
      lab.own = Self.own
      lab.mapping = .untranslated
      lab.answeringServer = Self.v6(1, port: 7_443)
      lab.servers = [CheckLab.server, lab.answeringServer]
      lab.relayAddress = Self.relay
      lab.carriers = carriers
      change(lab)
    }
  }

  /// As `RelayFamilyTests` have it of calls.
  @Test(arguments: [RelayServer.Carrier.udp, .tcp], [false, true])
  func `a relay is asked over IPv6 for an address of IPv4, and where it has none for its own kind`(
    carrier: RelayServer.Carrier, lacksV4: Bool
  ) {
    let lab = lab([carrier]) { $0.lacksRelayV4 = lacksV4 }
    let found = lab.run()
    #expect(lab.askedFamilies == (lacksV4 ? [.v4, .v6] : [.v4]))
    #expect(found.relays.map(\.works) == [true])
    #expect(found.relays.map(\.given) == [lacksV4 ? .v6 : .v4])
    #expect(lab.allocations == 1)
    #expect(lab.released == 1)
  }

  @Test func `who has IPv4 too asks each relay for an address of its own kind`() {
    let lab = lab([.tcp]) { $0.more = [CheckLab.own] }
    #expect(lab.run().relays.map(\.given) == [.v6])
    #expect(lab.askedFamilies == [.v6])
  }

  @Test func `nothing is sent from IPv6 to the address of IPv4 at the relay`() {
    let lab = lab([.udp]) { _ in }
    let found = lab.run()
    #expect(found.relays.map(\.carries) == [nil])
    #expect(found.v6.filtering == .unknown)
    #expect(lab.sent.allSatisfy { ($0.socket.number < 2) != $0.remote.ip.isV4 })
    // One of IPv6 serves as it does of IPv4.
    let known = self.lab([.udp]) { $0.lacksRelayV4 = true }.run()
    #expect(known.relays.map(\.carries) == [true])
    #expect(known.v6.filtering == .unasked)
  }

  @Test(arguments: [RelayServer.Carrier.udp, .tcp])
  func `a relay of IPv4 is not asked, whatever sockets there are`(carrier: RelayServer.Carrier) {
    let lab = lab([carrier]) { $0.relayAddress = CheckLab.relay }
    #expect(lab.run().relays.map(\.outcome) == [.untried(.family)])
    #expect(lab.dialed == 0)
    #expect(!lab.sent.contains { $0.remote == CheckLab.relay })
  }

  // MARK: What is said

  typealias Change = @Sendable (inout Findings) -> Void
  /// The relay gives an address of IPv4.
  @Sendable private static func withoutIPv4(_ findings: inout Findings) {
    var found = findings.network.v4
    found.ownAddresses = [own]
    for index in found.sightings.indices { found.sightings[index].seen.ip = own }
    findings.network.v6 = found
    findings.network.v4 = FamilyFindings()
    findings.network.v4.isServed = true
    findings.network.relays = [
      RelayFinding(RelayServer(.udp, relay), .allocated(after: .zero), given: .v4)
    ]
  }
  @Sendable private static func relayLacksIt(_ findings: inout Findings) {
    findings.network.relays[0].given = .v6
  }
  @Sendable private static func withoutRelay(_ findings: inout Findings) {
    findings.network.relays = []
  }
  @Sendable private static func noRelay(_ findings: inout Findings) {
    findings.choices.ways = .direct
    findings.network.relays[0].outcome = .untried(.ways)
  }
  @Sendable private static func overTCP(_ findings: inout Findings) {
    findings.choices.transport = .tcp
    findings.network.relays[0].outcome = .untried(.transport)
  }
  @Sendable private static func relayOnly(_ findings: inout Findings) {
    findings.choices.ways = .relayed
  }
  @Sendable private static func onThisComputer(_ findings: inout Findings) {
    findings.network.v4.isLoopback = true
    findings.network.v6.isLoopback = true
  }
  /// Only who has IPv6 comes to it.
  @Sendable private static func serverOfIPv6(_ findings: inout Findings) {
    findings.network.v4.isServed = false
  }

  private struct Sayings {
    var path: ExpectedPath
    var relay: CheckVerdict.Grade
    /// Parts of the remedies.
    var ipv4: String
    var way: String

    init(_ path: ExpectedPath, _ relay: CheckVerdict.Grade, ipv4: String, way: String) {
      self.path = path
      self.relay = relay
      self.ipv4 = ipv4
      self.way = way
    }
  }
  private static let cases: [([Change], Sayings)] = [
    ([], Sayings(.relay, .ok, ipv4: "are reached over a relay", way: "")),
    (
      [relayLacksIt],
      Sayings(.directToSome, .warning, ipv4: "not reached", way: "runs the relay should give it")
    ),
    (
      [withoutRelay],
      Sayings(.directToSome, .unknown, ipv4: "not reached", way: "reached over IPv6 and has")
    ),
    ([noRelay], Sayings(.directToSome, .unknown, ipv4: "--no-relay", way: "leave out --no-relay")),
    (
      [overTCP],
      Sayings(.directToSome, .unknown, ipv4: "not reached", way: "leave out --transport")
    ),
    ([relayOnly], Sayings(.relay, .ok, ipv4: "are reached over a relay", way: "")),
    (
      [relayOnly, relayLacksIt],
      Sayings(.directToSome, .warning, ipv4: "not reached", way: "runs the relay should give it")
    ),
    (
      [onThisComputer, relayLacksIt],
      Sayings(.thisComputer, .ok, ipv4: "see udp", way: "the address that the others use")
    ),
    ([serverOfIPv6], Sayings(.directToMost, .ok, ipv4: "are reached over a relay", way: "")),
    (
      [serverOfIPv6, relayLacksIt],
      Sayings(.directToMost, .ok, ipv4: "are reached over a relay", way: "")
    ),
  ]

  @Test(arguments: cases.indices)
  func `what keeps us from those who have only IPv4 is told with its remedy`(row: Int) {
    let (changes, said) = Self.cases[row]
    let judgement = Judgement(
      JudgedHome.findings { findings in
        Self.withoutIPv4(&findings)
        for change in changes { change(&findings) }
      })
    func verdict(_ item: CheckVerdict.Item) -> CheckVerdict? {
      judgement.verdicts.first { $0.item == item }
    }
    #expect(judgement.path == said.path)
    #expect(verdict(.relay)?.grade == said.relay)
    #expect(verdict(.ipv4)?.remedy.contains(said.ipv4) == true)
    let last = verdict(.path)
    #expect(said.way.isEmpty ? last?.remedy == "" : last?.remedy.contains(said.way) == true)
    #expect((last?.message.contains("only with those who have IPv6") == true) != said.path.isGood)
  }

  @Test func `beside those over a relay who has IPv6 too is reached directly`() {
    let last = Judgement(JudgedHome.findings(Self.withoutIPv4)).verdicts.last
    #expect(last?.message == "calls go over a relay, or directly to those who have IPv6")
  }

  @Test func `who has IPv4 is not told of a relay of IPv6 that it joins him to some alone`() {
    let judgement = Judgement(
      JudgedHome.findings {
        $0.network.relays = [RelayFinding(RelayServer(.udp, Self.relay), .allocated(after: .zero))]
      })
    #expect(judgement.verdicts.first { $0.item == .relay }?.grade == .ok)
    #expect(judgement.path == .directToMost)
    // And it doesn't join him to those whom he does not reach directly.
    #expect(judgement.verdicts.last?.message.contains("the others over a relay") == false)
  }

  @Test func `of a relay's address of a family that is not here only the last one is a warning`() {
    for (isAlone, grade) in [(true, CheckVerdict.Grade.warning), (false, .unknown)] {
      let found = JudgedHome.verdicts(of: .relay) {
        let absent = RelayFinding(RelayServer(.udp, Self.relay), .untried(.family))
        $0.network.relays = isAlone ? [absent] : [absent] + $0.network.relays
      }
      #expect(found.first?.grade == grade)
      #expect(found.first?.message.hasSuffix("this computer has no IPv6 address") == true)
      #expect(found.first?.remedy.contains("reached over IPv4") == isAlone)
    }
  }
}
