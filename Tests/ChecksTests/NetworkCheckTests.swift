import Fixtures
import Links
import Simulation
import Testing
import Units
import Wire

@testable import Checks

@Suite struct NetworkCheckTests {
  private static let all: [CheckLab.Filtering] = [.none, .byAddress, .byPort]

  @Test func `a home behind a usual router is seen as one, and everything is given back`() {
    let lab = CheckLab { lab in lab.carriers = [.udp, .tcp] }
    let found = lab.run()
    guard case .entered = found.server else {
      Issue.record("\(found.server)")
      return
    }
    #expect(found.v4.mapping == .independent)
    #expect(found.v4.filtering == .unasked)
    #expect(found.v4.hairpins == false)
    #expect(found.relays.map(\.works) == [true, true])
    #expect(found.relays[0].carries == true)
    #expect(lab.allocations == 2)
    #expect(lab.released == 2)
    #expect(lab.hasLeft)
    #expect(lab.elapsed < .seconds(4))
  }

  @Test(
    arguments: [
      (.none, .none), (.byAddress, .unasked), (.byPort, .unasked),
    ] as [(CheckLab.Filtering, FamilyFindings.Filtering)])
  func `who gets in unasked is found with the relay's help`(
    filtering: CheckLab.Filtering, found: FamilyFindings.Filtering
  ) {
    for mapping in [CheckLab.Mapping.independent, .untranslated] {
      let lab = CheckLab { lab in
        lab.carriers = [.udp]
        lab.mapping = mapping
        lab.filtering = filtering
      }
      let findings = lab.run()
      #expect(findings.v4.filtering == found, "\(mapping)")
      #expect(findings.relays[0].carries == true)
    }
  }

  @Test(
    arguments: [
      (.none, .notByPort), (.byAddress, .notByPort), (.byPort, .unasked),
    ] as [(CheckLab.Filtering, FamilyFindings.Filtering)])
  func `a relay at the server's own address cannot tell strangers from acquaintances`(
    filtering: CheckLab.Filtering, found: FamilyFindings.Filtering
  ) {
    let lab = CheckLab { lab in
      lab.carriers = [.udp]
      lab.relayAddress.ip = CheckLab.server.ip
      lab.filtering = filtering
    }
    let findings = lab.run()
    #expect(findings.v4.filtering == found)
    #expect(findings.v4.mapping == .sameForPorts)
  }

  @Test func `a symmetric router is known by its relay's word, whatever it lets in`() {
    for filtering in Self.all {
      let lab = CheckLab { lab in
        lab.carriers = [.udp]
        lab.mapping = .dependent
        lab.filtering = filtering
      }
      #expect(lab.run().v4.mapping == .dependent)
    }
  }

  @Test func `without a relay one server tells no more than that there is a router`() {
    let lab = CheckLab()
    let found = lab.run()
    #expect(found.v4.mapping == .unknown(keepsPorts: false))
    #expect(found.v4.filtering == .unknown)
    #expect(found.relays.isEmpty)
    #expect(lab.elapsed < .seconds(2))
  }

  @Test func `a router that turns datagrams back in is known by our own`() {
    let lab = CheckLab { lab in
      lab.hairpins = true
      lab.filtering = .none
    }
    #expect(lab.run().v4.hairpins == true)
    let open = CheckLab { $0.mapping = .untranslated }
    #expect(open.run().v4.hairpins == nil)
  }

  @Test func `where UDP is blocked the relay is reached over TCP`() {
    let lab = CheckLab { lab in
      lab.carriers = [.udp, .tcp]
      lab.passesUDP = false
    }
    let found = lab.run()
    #expect(found.v4.roundTrip == nil)
    #expect(found.v4.mapping == nil)
    #expect(found.relays.map(\.outcome)[0] == .silent)
    #expect(found.relays[1].works)
    #expect(lab.elapsed <= NetworkCheck.timeLimit)
  }

  @Test func `a relay with another secret refuses, over UDP and over TCP`() {
    let lab = CheckLab { lab in
      lab.carriers = [.udp, .tcp]
      lab.isSecretWrong = true
    }
    let found = lab.run()
    #expect(
      found.relays.map(\.outcome) == [.failed(.credentialRefused), .failed(.credentialRefused)])
    #expect(lab.allocations == 0)
  }

  @Test func `a relay whose ports are shut gives an address and carries nothing`() {
    let lab = CheckLab { lab in
      lab.carriers = [.udp]
      lab.isRelayShut = true
    }
    let found = lab.run()
    #expect(found.relays[0].carries == false)
    #expect(!found.relays[0].works)
    #expect(found.v4.filtering == .unknown)
  }

  @Test func `relays that cannot be tried are told, and those that do not answer end in time`() {
    let loopback = CheckLab { lab in
      lab.carriers = [.udp]
      lab.relayAddress = SocketAddress(.loopbackV4, port: 3_478)
    }
    #expect(loopback.run().relays.map(\.outcome) == [.untried(.address)])
    let refused = CheckLab { lab in
      lab.carriers = [.tcp]
      lab.dialFailure = "Connection refused"
    }
    #expect(refused.run().relays.map(\.outcome) == [.unconnected("Connection refused")])
    let mute = CheckLab { lab in
      lab.carriers = [.tcp]
      lab.isDialSilent = true
    }
    #expect(mute.run().relays.map(\.outcome) == [.silent])
    #expect(mute.elapsed <= NetworkCheck.timeLimit)
  }

  @Test func `a relay over TLS is tried by its name, and its address is given back`() {
    let lab = CheckLab { lab in
      lab.carriers = [.udp, .tcp, .tls]
      lab.passesUDP = false
    }
    let found = lab.run()
    #expect(found.relays.map(\.works) == [false, true, true])
    #expect(lab.sessions.hosts == ["r.example"])
    #expect(lab.allocations == 2)
    #expect(lab.released == 2)
    #expect(lab.sessions.closed == 1)
    #expect(lab.hungUp == 2)
  }

  @Test(
    arguments: [
      .untrusted(CertificateFault(.outdated, "certificate has expired")),
      .handshake("wrong version number"),
    ] as [SecureSessionFailure])
  func `a relay that does not show who it is is told nothing`(failure: SecureSessionFailure) {
    let lab = CheckLab { lab in
      lab.carriers = [.tls]
      lab.sessions = PlainSessions(.fails(failure))
    }
    let found = lab.run()
    #expect(found.relays.map(\.outcome) == [.unsecured(failure)])
    #expect(lab.dialed == 1)
    #expect(lab.written == 0)
    #expect(lab.elapsed < .seconds(3))
  }

  @Test func `TLS that never stands, and a name that is none, end in time`() {
    let silent = CheckLab { lab in
      lab.carriers = [.tls]
      lab.sessions = PlainSessions(.waits)
    }
    #expect(silent.run().relays.map(\.outcome) == [.silent])
    #expect(silent.written == 0)
    #expect(silent.elapsed <= NetworkCheck.timeLimit)
    let ending = CheckLab { lab in
      lab.carriers = [.tls]
      lab.sessions = PlainSessions(.ends)
    }
    #expect(
      ending.run().relays.map(\.outcome) == [.unconnected("the connection was closed")])
    let nameless = CheckLab { lab in
      lab.carriers = [.tls]
      lab.relayHost = "r.example\0.evil"
    }
    #expect(
      nameless.run().relays.map(\.outcome) == [.unsecured(.refused("its name is malformed"))])
    #expect(nameless.sessions.hosts == [])
  }

  @Test(
    arguments: [
      (CallChoices(transport: .udp), [nil, .transport, .transport]),
      (CallChoices(transport: .tcp), [.transport, nil, nil]),
      (CallChoices(ways: .direct), [.ways, .ways, .ways]),
      (CallChoices(ways: .relayed), [nil, nil, nil]),
    ] as [(CallChoices, [RelayFinding.Untried?])])
  func `relays that the call would not use are not asked`(
    choices: CallChoices, untried: [RelayFinding.Untried?]
  ) {
    let lab = CheckLab { lab in
      lab.carriers = [.udp, .tcp, .tls]
      lab.choices = choices
    }
    for (finding, reason) in zip(lab.run().relays, untried) {
      #expect(finding.works == (reason == nil))
      if let reason { #expect(finding.outcome == .untried(reason)) }
    }
    #expect(lab.allocations == untried.count { $0 == nil })
    #expect(lab.dialed == untried.dropFirst().count { $0 == nil })
    if choices.transport == .tcp { #expect(lab.sent.isEmpty) }
  }

  @Test func `what comes back instead of an answer is told, unless an answer comes too`() {
    let closed = CheckLab { lab in
      lab.carriers = [.udp]
      lab.passesUDP = false
      lab.bounce = .refused
    }
    let found = closed.run()
    #expect(found.v4.bounce == .refused)
    #expect(found.relays.map(\.outcome) == [.bounced(.refused)])
    let late = CheckLab { lab in
      lab.carriers = [.udp]
      lab.passesUDP = false
      lab.bounce = .unreachable
      lab.passesUDPAfter = .milliseconds(250)
    }
    let answered = late.run()
    #expect(answered.v4.bounce == nil)
    #expect(answered.v4.roundTrip != nil)
    #expect(answered.relays[0].works)
  }

  @Test func `a server that is not there, mute, refusing or untrusted is told as what it is`() {
    let absent = CheckLab { $0.isServerThere = false }
    #expect(absent.run().server == .unreachable("connection refused"))
    let mute = CheckLab { $0.entry = nil }
    #expect(mute.run().server == .silent)
    #expect(mute.elapsed == NetworkCheck.timeLimit)
    let refusing = CheckLab { $0.entry = .refused }
    #expect(refusing.run().server == .refused)
    let untrusted = CheckLab { $0.isTrusted = false }
    let found = untrusted.run()
    #expect(found.server == .rejected)
    // The way there is known all the same.
    #expect(found.v4.roundTrip == .milliseconds(30))
  }

  @Test func `a server that is mute over UDP is told from a network that is`() {
    let lab = CheckLab { lab in
      lab.carriers = [.udp]
      lab.isServerMuteOverUDP = true
    }
    let found = lab.run()
    #expect(found.v4.roundTrip == nil)
    #expect(found.v4.sightings.map(\.asked) == [CheckLab.relay])
    #expect(found.relays[0].works)
  }

  @Test func `the server's clock is read from what relays are granted by`() {
    let lab = CheckLab { $0.carriers = [.udp] }
    #expect(lab.run().serverTime?.seconds == 1_000_000)
  }
}
