import Links
import Rooms
import Testing
import Units
import Wire

@testable import Checks

@Suite struct JudgementTests {
  private static let server = SocketAddress(.v4(192, 0, 2, 1), port: 7_443)
  private static let relay = SocketAddress(.v4(192, 0, 2, 9), port: 3_478)
  private static let own = IPAddress.v4(10, 1, 0, 2)
  private static let router = IPAddress.v4(203, 0, 113, 11)
  private static let now: Int64 = 1_800_000_000

  /// A home behind a usual router, and a server with a relay that works.
  private static func findings(_ change: (inout Findings) -> Void = { _ in }) -> Findings {
    var network = NetworkFindings()
    network.server = .entered(after: .milliseconds(12))
    network.v4.ownAddresses = [own]
    network.v4.isServed = true
    network.v4.roundTrip = .milliseconds(20)
    for asked in [server, relay] {
      network.v4.sightings.append(
        .init(
          socket: SocketID(0), port: 5_000, asked: asked,
          seen: SocketAddress(router, port: 5_000)))
    }
    network.v4.hairpins = false
    network.v4.filtering = .unasked
    network.relays = [
      RelayFinding(
        RelayServer(.udp, relay), .allocated(after: .milliseconds(30)), carries: true)
    ]
    var findings = Findings(
      devices: [
        DeviceFinding(.camera, .picture(width: 640, height: 480, brightness: 110)),
        DeviceFinding(.microphone, .heard(peak: 0.1)), DeviceFinding(.speaker, .played),
      ],
      clock: ClockFinding(own: now, server: now + 1, isSynchronized: true),
      serverName: "call.example.org:7443", network: network,
      identity: ServerIdentity(
        standing: .accepted(.system), pin: KeyFingerprint(bytes: [UInt8](repeating: 1, count: 32))!,
        notBefore: now - 86_400, notAfter: now + 60 * 86_400))
    change(&findings)
    return findings
  }

  private static func verdicts(
    of item: CheckVerdict.Item, _ change: (inout Findings) -> Void
  ) -> [CheckVerdict] {
    Judgement(findings(change)).verdicts.filter { $0.item == item }
  }

  @Sendable private static func symmetric(_ findings: inout Findings) {
    findings.network.v4.sightings[1].seen.port = 6_000
  }
  @Sendable private static func noUDP(_ findings: inout Findings) {
    findings.network.v4.roundTrip = nil
    findings.network.v4.sightings = []
    findings.network.v4.hairpins = nil
    findings.network.v4.filtering = .unknown
    findings.network.relays = [
      RelayFinding(RelayServer(.udp, relay), .silent),
      RelayFinding(RelayServer(.tcp, relay), .allocated(after: .milliseconds(40))),
    ]
  }

  @Test func `where all is well every line is, and the last one is the path`() {
    let judgement = Judgement(Self.findings())
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
      { $0.network.server = .unreachable("refused") }, { $0.clock.server = Self.now - 900 },
      { $0.network.relays = [] }, { $0.devices[0].outcome = .silent },
      { $0.devices[1].outcome = .heard(peak: 0) }, { $0.identity?.standing = .unknown },
      { $0.identity?.notAfter = Self.now + 86_400 },
    ]
    for change in changes {
      for verdict in Judgement(Self.findings(change)).verdicts
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
      Self.findings { findings in for change in changes { change(&findings) } })
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
        Self.findings { findings in for change in changes { change(&findings) } }
      ).verdicts.last
      #expect(last?.message.contains(option) == true, "\(option): \(String(describing: last))")
    }
  }

  @Test func `what the call would not use is not held against it`() {
    let overTCP = Judgement(
      Self.findings { findings in
        Self.overTCP(&findings)
        Self.noUDP(&findings)
        findings.network.relays[0].outcome = .untried(.transport)
      })
    #expect(overTCP.verdicts.allSatisfy { $0.grade != .failed && $0.grade != .warning })
    #expect(overTCP.path == .relay)
    let direct = Self.verdicts(of: .relay, Self.noRelay)
    #expect(direct.map(\.grade) == [.unknown])
    #expect(direct.first?.message.contains("--no-relay") == true)
  }

  @Test func `without relays --relay-only fails at the relay's line already`() {
    let found = Self.verdicts(of: .relay) { findings in
      Self.relayOnly(&findings)
      Self.withoutRelay(&findings)
    }
    #expect(found.map(\.grade) == [.failed])
  }

  @Test func `an interface without an address is told by its name`() {
    let found = Self.verdicts(of: .ipv6, Self.overEthernet)
    #expect(found.first?.message == "eth0 has no IPv6 address")
  }

  @Test func `no device is worse than a warning, and none changes the path`() {
    let judgement = Judgement(
      Self.findings { findings in
        for index in findings.devices.indices {
          findings.devices[index].outcome = .failed("there is none", remedy: "plug one in")
        }
      })
    for verdict in judgement.verdicts.prefix(3) { #expect(verdict.grade == .warning) }
    #expect(judgement.path == .directToMost)
    #expect(judgement.verdicts.last?.message.hasSuffix("you only watch") == true)
    let listening = Judgement(
      Self.findings { findings in
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
      (now, nil, .ok), (now + 300, nil, .ok), (now + 301, nil, .warning),
      (now - 301, false, .warning), (nil, true, .ok), (nil, false, .unknown), (nil, nil, .unknown),
    ] as [(Int64?, Bool?, CheckVerdict.Grade)])
  func `the clock is held against the server's, else against what the system says`(
    server: Int64?, isSynchronized: Bool?, grade: CheckVerdict.Grade
  ) {
    let found = Self.verdicts(of: .clock) {
      $0.clock = ClockFinding(own: Self.now, server: server, isSynchronized: isSynchronized)
    }
    #expect(found.map(\.grade) == [grade])
  }

  @Test func `a clock outside of the certificate's time is told where nothing else tells`() {
    let found = Self.verdicts(of: .clock) {
      $0.clock = ClockFinding(own: Self.now, server: nil, isSynchronized: true)
      $0.identity?.notBefore = Self.now + 10
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
    let found = Self.verdicts(of: .certificate) {
      $0.identity?.standing = standing
      $0.identity?.notAfter = Self.now + days * 86_400
    }
    #expect(found.map(\.grade) == [grade])
  }

  @Test func `a refused key is told with its remedy apart`() {
    let found = Self.verdicts(of: .certificate) {
      $0.identity?.standing = .refused("it has another key; ask them")
    }
    #expect(found.first?.message == "it has another key")
    #expect(found.first?.remedy == "ask them")
  }

  @Test(
    arguments: [
      (.failed(.credentialRefused), nil, .failed, "static-auth-secret"),
      (.failed(.quotaReached), nil, .failed, "quota"), (.silent, nil, .failed, "port is open"),
      (.unconnected("refused"), nil, .failed, "TCP"),
      (.unsecured(.untrusted(fault(.outdated))), nil, .failed, "renew"),
      (.unsecured(.untrusted(fault(.misnamed))), nil, .failed, "must agree"),
      (.unsecured(.untrusted(fault(.unvouched))), nil, .failed, "--ca"),
      (.unsecured(.untrusted(fault(.other))), nil, .failed, "good for a server"),
      (.unsecured(.handshake("no shared cipher")), nil, .failed, "TLS 1.2"),
      (.bounced(.refused), nil, .failed, "over UDP"),
      (.bounced(.unreachable), nil, .failed, "firewall here"),
      (.bounced(.other), nil, .failed, "port is open"),
      (.untried(.transport), nil, .unknown, ""),
      (.untried(.address), nil, .warning, "--turn"),
      (.allocated(after: .zero), false, .failed, "min-port"),
      (.allocated(after: .zero), nil, .ok, ""),
    ] as [(RelayFinding.Outcome, Bool?, CheckVerdict.Grade, String)])
  func `each end of a relay's trial has its verdict and remedy`(
    outcome: RelayFinding.Outcome, carries: Bool?, grade: CheckVerdict.Grade, remedy: String
  ) {
    let found = Self.verdicts(of: .relay) {
      $0.network.relays = [
        RelayFinding(RelayServer(.udp, Self.relay), outcome, carries: carries)
      ]
    }
    #expect(found.map(\.grade) == [grade])
    #expect(found.first?.remedy.contains(remedy) == true || remedy.isEmpty)
  }

  @Test func `an address that is the server's name is said once`() {
    let found = Self.verdicts(of: .server) { findings in
      findings.serverName = "192.0.2.1:7443"
      findings.network.server = .unreachable("192.0.2.1:7443: Connection refused")
    }
    #expect(
      found.first?.message == "192.0.2.1:7443 cannot be reached over TCP (Connection refused)")
    let named = Self.verdicts(of: .server) {
      $0.network.server = .unreachable("192.0.2.1:7443: Connection refused")
    }
    #expect(named.first?.message.hasSuffix("(192.0.2.1:7443: Connection refused)") == true)
  }

  @Test func `in the server's own network nothing is said of the router beyond it`() {
    for (seen, isTold) in [(Self.own, true), (IPAddress.v4(203, 0, 113, 77), false)] {
      let found = Self.verdicts(of: .nat) { findings in
        findings.network.v4.ownAddresses = [seen]
        for index in findings.network.v4.sightings.indices {
          findings.network.v4.sightings[index].seen.ip = seen
        }
      }
      #expect(found.first?.message.contains("of a router beyond it") == isTold)
    }
  }

  @Test func `that strangers get in is told, and what is usual is not`() {
    let usual = Self.verdicts(of: .nat) { _ in }
    let open = Self.verdicts(of: .nat, Self.letsAllIn)
    #expect(usual.first?.message.contains("strangers") == false)
    #expect(open.first?.message.contains("strangers get in") == true)
  }

  private static func fault(_ kind: CertificateFault.Kind) -> CertificateFault {
    CertificateFault(kind, "the library's words")
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
    let found = Self.verdicts(of: .udp) { findings in
      Self.noUDP(&findings)
      findings.network.v4.bounce = bounce
      if !isEntered { findings.network.server = .unreachable("Connection refused") }
    }
    #expect(found.map(\.grade) == [.failed])
    #expect(found.first?.message.contains(words) == true, "\(found)")
    #expect((found.first?.remedy == "see server above") == !isEntered)
  }

  @Test func `a relay over TLS is called by the name that its certificate must have`() {
    let found = Self.verdicts(of: .relay) {
      $0.network.relays = [
        RelayFinding(
          RelayServer(.tls, Self.relay, host: Array("relay.example.org".utf8)),
          .unsecured(.untrusted(Self.fault(.misnamed))))
      ]
    }
    let message = found.first?.message ?? ""
    #expect(message.hasPrefix("relay.example.org (192.0.2.9:3478) over TLS: "))
    #expect(message.hasSuffix("it is for another name (the library's words)"))
    let nameless = Self.verdicts(of: .relay) {
      $0.network.relays = [
        RelayFinding(RelayServer(.tls, Self.relay, host: Array("192.0.2.9".utf8)), .silent)
      ]
    }
    #expect(nameless.first?.message.hasPrefix("192.0.2.9:3478 over TLS: ") == true)
  }

  @Test func `a server whose port is closed for UDP is told from a network that blocks it`() {
    let found = Self.verdicts(of: .udp) {
      $0.network.v4.roundTrip = nil
      $0.network.v4.sightings.removeFirst()
    }
    #expect(found.first?.grade == .failed)
    #expect(found.first?.message.contains("a relay answers") == true)
    let blocked = Self.verdicts(of: .udp, Self.noUDP)
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
