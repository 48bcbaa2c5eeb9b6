import Links
import Rooms
import Testing
import Units
import Wire

@testable import Checks

@Suite struct JudgementTests {
  @Sendable private static func symmetric(_ findings: inout Findings) {
    findings.network.v4.sightings[1].seen.port = 6_000
  }
  @Sendable private static func noUDP(_ findings: inout Findings) {
    findings.network.v4.roundTrip = nil
    findings.network.v4.sightings = []
    findings.network.v4.hairpins = nil
    findings.network.v4.filtering = .unknown
    findings.network.relays = [
      RelayFinding(RelayServer(.udp, JudgedHome.relay), .silent),
      RelayFinding(RelayServer(.tcp, JudgedHome.relay), .allocated(after: .milliseconds(40))),
    ]
  }

  @Test func `where all is well every line is, and the last one is the path`() {
    let judgement = Judgement(JudgedHome.findings())
    #expect(
      judgement.verdicts.map(\.item) == [
        .camera, .microphone, .speaker, .clock, .server, .certificate, .udp, .ipv4, .ipv6, .nat,
        .relay, .path,
      ])
    for verdict in judgement.verdicts where verdict.item != .ipv6 {
      #expect(verdict.grade == .ok, "\(verdict)")
      #expect(verdict.remedy.isEmpty, "\(verdict)")
    }
    #expect(judgement.path == .directToMost)
  }

  @Test func `whatever is wrong has a remedy`() {
    let changes: [@Sendable (inout Findings) -> Void] = [
      Self.symmetric, Self.noUDP, { $0.network.server = .silent },
      { $0.network.server = .refused }, { $0.network.server = .certificateRefused },
      { $0.network.server = .notFound("cannot find x") },
      { $0.network.server = .unreachable("refused") }, { $0.clock.server = JudgedHome.now - 900 },
      { $0.network.relays = [] }, { $0.devices[0].outcome = .silent },
      { $0.devices[1].outcome = .heard(peak: 0) }, { $0.identity?.standing = .unknown },
      { $0.identity?.notAfter = JudgedHome.now + 86_400 },
    ]
    for change in changes {
      for verdict in Judgement(JudgedHome.findings(change)).verdicts
      where verdict.grade == .failed || verdict.grade == .warning {
        #expect(!verdict.remedy.isEmpty, "\(verdict)")
      }
    }
  }

  @Sendable private static func withoutRelay(_ findings: inout Findings) {
    findings.network.relays = []
  }
  @Sendable private static func refusedByRelay(_ findings: inout Findings) {
    findings.network.relays[0].outcome = .failed(.credentialRefused)
  }
  @Sendable private static func withShutRelay(_ findings: inout Findings) {
    findings.network.relays[0].carries = false
  }
  @Sendable private static func letsAllIn(_ findings: inout Findings) {
    findings.network.v4.filtering = .none
  }
  @Sendable private static func withoutServer(_ findings: inout Findings) {
    findings.network.server = .silent
  }
  @Sendable private static func withUntrustedServer(_ findings: inout Findings) {
    findings.network.server = .rejected
  }
  @Sendable private static func onThisComputer(_ findings: inout Findings) {
    findings.network.v4.isLoopback = true
  }
  /// The server has only IPv6, so calls rest on that.
  @Sendable private static func overIPv6(_ findings: inout Findings) {
    findings.network.v6 = findings.network.v4
    findings.network.v4 = FamilyFindings()
  }
  typealias Change = @Sendable (inout Findings) -> Void
  private static let paths: [([Change], ExpectedPath)] = [
    ([], .directToMost), ([letsAllIn], .direct), ([symmetric], .relay), ([noUDP], .relay),
    ([symmetric, letsAllIn], .directToMost), ([symmetric, refusedByRelay], .directToSome),
    ([symmetric, withShutRelay], .directToSome), ([noUDP, withoutRelay], .directToSome),
    ([withoutRelay], .directToMost), ([withoutServer], .none), ([withUntrustedServer], .none),
    ([onThisComputer], .thisComputer), ([overIPv6], .directToMost),
    ([relayOnly], .relay), ([relayOnly, withoutRelay], .none),
    ([relayOnly, letsAllIn, withShutRelay], .none), ([relayOnly, onThisComputer], .relay),
    ([noRelay], .directToMost), ([noRelay, symmetric], .directToSome),
    ([overTCP, letsAllIn], .relay), ([overTCP, withoutRelay], .directToSome),
    ([overUDP, noUDP, withoutRelay], .none), ([overUDP, symmetric, withoutRelay], .directToSome),
    ([overEthernet], .directToMost), ([overEthernet, onThisComputer], .none),
  ]
  @Sendable private static func relayOnly(_ findings: inout Findings) {
    findings.choices.ways = .relayed
  }
  /// As `NetworkCheck` leaves it: none is asked.
  @Sendable private static func noRelay(_ findings: inout Findings) {
    findings.choices.ways = .direct
    for index in findings.network.relays.indices {
      findings.network.relays[index].outcome = .untried(.ways)
    }
  }
  @Sendable private static func overTCP(_ findings: inout Findings) {
    findings.choices.transport = .tcp
  }
  @Sendable private static func overUDP(_ findings: inout Findings) {
    findings.choices.transport = .udp
  }
  @Sendable private static func overEthernet(_ findings: inout Findings) {
    findings.choices.interface = "eth0"
  }

  @Test(arguments: paths)
  func `the expected path is the best that most calls get`(
    changes: [Change], path: ExpectedPath
  ) {
    let judgement = Judgement(
      JudgedHome.findings { findings in for change in changes { change(&findings) } })
    #expect(judgement.path == path)
    let last = judgement.verdicts.last
    #expect(last?.item == .path)
    #expect((last?.grade == .ok) == path.isGood)
    #expect(path.isGood || last?.remedy.isEmpty == false)
  }

  @Test func `the path says which option it is that leaves none, or no other`() {
    for (changes, option) in [
      ([Self.relayOnly], "--relay-only"), ([Self.relayOnly, Self.withoutRelay], "--relay-only"),
      ([Self.noRelay], "--no-relay"),
      ([Self.overUDP, Self.noUDP, Self.withoutRelay], "--transport"),
      ([Self.overEthernet, Self.onThisComputer], "--interface"),
    ] {
      let last = Judgement(
        JudgedHome.findings { findings in for change in changes { change(&findings) } }
      ).verdicts.last
      #expect(last?.message.contains(option) == true, "\(option): \(String(describing: last))")
    }
  }

  @Test
  func `nobody can say that an address that all can dial is reached over TCP, or that it is not`() {
    let open: Change = { $0.network.v4.ownAddresses = [JudgedHome.router] }
    func last(_ changes: [Change]) -> CheckVerdict? {
      Judgement(
        JudgedHome.findings { findings in for change in changes { change(&findings) } }
      ).verdicts.last
    }
    for changes in [
      [Self.overTCP, open, Self.withoutRelay], [open, Self.noUDP, Self.withoutRelay],
    ] {
      #expect(last(changes)?.grade == .unknown)
      #expect(last(changes)?.message.contains("to everybody if no firewall") == true)
      #expect(last(changes)?.remedy.hasPrefix("let connections in") == true)
    }
    for changes in [
      [Self.overTCP, Self.withoutRelay], [Self.noUDP, Self.withoutRelay],
      [Self.overUDP, open, Self.noUDP, Self.withoutRelay],
    ] { #expect(last(changes)?.grade == .failed) }
  }

  @Test func `what the call would not use is not held against it`() {
    let overTCP = Judgement(
      JudgedHome.findings { findings in
        Self.overTCP(&findings)
        Self.noUDP(&findings)
        findings.network.relays[0].outcome = .untried(.transport)
      })
    #expect(overTCP.verdicts.allSatisfy { $0.grade != .failed && $0.grade != .warning })
    #expect(overTCP.path == .relay)
    let direct = JudgedHome.verdicts(of: .relay, Self.noRelay)
    #expect(direct.map(\.grade) == [.unknown])
    #expect(direct.first?.message.contains("--no-relay") == true)
  }

  @Test func `without relays --relay-only fails at the relay's line already`() {
    let found = JudgedHome.verdicts(of: .relay) { findings in
      Self.relayOnly(&findings)
      Self.withoutRelay(&findings)
    }
    #expect(found.map(\.grade) == [.failed])
  }

  @Test func `an interface without an address is told by its name`() {
    let found = JudgedHome.verdicts(of: .ipv6, Self.overEthernet)
    #expect(found.first?.message == "eth0 has no IPv6 address")
  }

  @Test func `no device is worse than a warning, and none changes the path`() {
    let judgement = Judgement(
      JudgedHome.findings { findings in
        for index in findings.devices.indices {
          findings.devices[index].outcome = .failed("there is none", remedy: "plug one in")
        }
      })
    for verdict in judgement.verdicts.prefix(3) { #expect(verdict.grade == .warning) }
    #expect(judgement.path == .directToMost)
    #expect(judgement.verdicts.last?.message.hasSuffix("you only watch") == true)
    let listening = Judgement(
      JudgedHome.findings { findings in
        for index in 0..<2 { findings.devices[index].outcome = .silent }
      })
    #expect(listening.verdicts.last?.message.hasSuffix("you only watch and listen") == true)
  }

  @Test(
    arguments: [
      (.camera, .picture(width: 640, height: 480, brightness: 16), .warning),
      (.camera, .picture(width: 640, height: 480, brightness: 40), .ok),
      (.camera, .silent, .warning), (.microphone, .heard(peak: 0), .warning),
      (.microphone, .heard(peak: 0.001), .ok), (.speaker, .played, .ok),
    ] as [(DeviceFinding.Kind, DeviceFinding.Outcome, CheckVerdict.Grade)])
  func `a black picture and a dead microphone are told`(
    kind: DeviceFinding.Kind, outcome: DeviceFinding.Outcome, grade: CheckVerdict.Grade
  ) {
    #expect(CheckVerdict(DeviceFinding(kind, outcome)).grade == grade)
  }

  @Test(
    arguments: [
      (JudgedHome.now, nil, .ok), (JudgedHome.now + 300, nil, .ok),
      (JudgedHome.now + 301, nil, .warning), (JudgedHome.now - 301, false, .warning),
      (nil, true, .ok), (nil, false, .unknown), (nil, nil, .unknown),
    ] as [(Int64?, Bool?, CheckVerdict.Grade)])
  func `the clock is held against the server's, else against what the system says`(
    server: Int64?, isSynchronized: Bool?, grade: CheckVerdict.Grade
  ) {
    let found = JudgedHome.verdicts(of: .clock) {
      $0.clock = ClockFinding(own: JudgedHome.now, server: server, isSynchronized: isSynchronized)
    }
    #expect(found.map(\.grade) == [grade])
  }

  @Test func `a clock outside of the certificate's time is told where nothing else tells`() {
    let found = JudgedHome.verdicts(of: .clock) {
      $0.clock = ClockFinding(own: JudgedHome.now, server: nil, isSynchronized: true)
      $0.identity?.notBefore = JudgedHome.now + 10
    }
    #expect(found.map(\.grade) == [.warning])
  }

  @Test(
    arguments: [
      (.accepted(.system), 60, .ok), (.accepted(.authority), 13, .warning),
      (.accepted(.pin), -1, .ok), (.accepted(.known), -1, .ok), (.unknown, 60, .warning),
      (.refused("another key; ask"), 60, .failed),
    ] as [(ServerIdentity.Standing, Int64, CheckVerdict.Grade)])
  func `a certificate's dates count where nothing but it vouches for the key`(
    standing: ServerIdentity.Standing, days: Int64, grade: CheckVerdict.Grade
  ) {
    let found = JudgedHome.verdicts(of: .certificate) {
      $0.identity?.standing = standing
      $0.identity?.notAfter = JudgedHome.now + days * 86_400
    }
    #expect(found.map(\.grade) == [grade])
  }

  @Test func `a refused key is told with its remedy apart`() {
    let found = JudgedHome.verdicts(of: .certificate) {
      $0.identity?.standing = .refused("it has another key; ask them")
    }
    #expect(found.first?.message == "it has another key")
    #expect(found.first?.remedy == "ask them")
  }

  @Test func `an address that is the server's name is said once`() {
    let found = JudgedHome.verdicts(of: .server) { findings in
      findings.serverName = "192.0.2.1:7443"
      findings.network.server = .unreachable("192.0.2.1:7443: Connection refused")
    }
    #expect(
      found.first?.message == "192.0.2.1:7443 cannot be reached over TCP (Connection refused)")
    let named = JudgedHome.verdicts(of: .server) {
      $0.network.server = .unreachable("192.0.2.1:7443: Connection refused")
    }
    #expect(named.first?.message.hasSuffix("(192.0.2.1:7443: Connection refused)") == true)
  }

  @Test func `in the server's own network nothing is said of the router beyond it`() {
    for (seen, isTold) in [(JudgedHome.own, true), (IPAddress.v4(203, 0, 113, 77), false)] {
      let found = JudgedHome.verdicts(of: .nat) { findings in
        findings.network.v4.ownAddresses = [seen]
        for index in findings.network.v4.sightings.indices {
          findings.network.v4.sightings[index].seen.ip = seen
        }
      }
      #expect(found.first?.message.contains("of a router beyond it") == isTold)
    }
  }

  @Test func `that strangers get in is told, and what is usual is not`() {
    let usual = JudgedHome.verdicts(of: .nat) { _ in }
    let open = JudgedHome.verdicts(of: .nat, Self.letsAllIn)
    #expect(usual.first?.message.contains("strangers") == false)
    #expect(open.first?.message.contains("strangers get in") == true)
  }

  @Test(
    arguments: [
      (.refused, true, "closed for UDP"), (.unreachable, true, "nothing leads"),
      (.other, true, "blocked"), (nil, true, "blocked"), (.refused, false, "closed for UDP"),
      (nil, false, "either"),
    ] as [(DialFailure?, Bool, String)])
  func `what came back of a question over UDP is told from silence`(
    bounce: DialFailure?, isEntered: Bool, words: String
  ) {
    let found = JudgedHome.verdicts(of: .udp) { findings in
      Self.noUDP(&findings)
      findings.network.v4.bounce = bounce
      if !isEntered { findings.network.server = .unreachable("Connection refused") }
    }
    #expect(found.map(\.grade) == [.failed])
    #expect(found.first?.message.contains(words) == true, "\(found)")
    #expect((found.first?.remedy == "see server above") == !isEntered)
  }

  @Test func `a server whose port is closed for UDP is told from a network that blocks it`() {
    let found = JudgedHome.verdicts(of: .udp) {
      $0.network.v4.roundTrip = nil
      $0.network.v4.sightings.removeFirst()
    }
    #expect(found.first?.grade == .failed)
    #expect(found.first?.message.contains("a relay answers") == true)
    let blocked = JudgedHome.verdicts(of: .udp, Self.noUDP)
    #expect(blocked.first?.message.contains("blocked") == true)
  }

  @Test(
    arguments: [
      (0, "1970-01-01"), (-1, "1969-12-31"), (951_782_400, "2000-02-29"),
      (1_800_000_000, "2027-01-15"), (253_402_300_799, "9999-12-31"),
    ] as [(Int64, String)])
  func `dates are those of the calendar`(seconds: Int64, text: String) {
    #expect(CheckVerdict.date(seconds) == text)
  }
}
