import Fixtures
import Links
import Testing
import Units
import Wire

/// When a call asks a relay over TLS, and what it makes of one that is not the right one.
@Suite struct SecuredRelayCallTests {
  private func pair(
    seed: UInt64, _ sessions: PlainSessions?, carriers: [RelayServer.Carrier],
    _ prepare: (LabRelay) -> Void
  ) -> (lab: Lab, relay: LabRelay, anna: Lab.Node, bert: Lab.Node) {
    let lab = Lab(seed: seed)
    let relay = LabRelay()
    lab.relay = relay
    lab.weather.isDirectDown = true
    lab.weather.isTCPDown = true
    prepare(relay)
    var options = Lab.Options()
    options.relaySessions = sessions
    let anna = lab.add("anna", options)
    let bert = lab.add("bert", options)
    for node in [anna, bert] { lab.feed(node, .relays(relay.grant(carriers))) }
    lab.introduceAll()
    return (lab, relay, anna, bert)
  }

  private func dials(of node: Lab.Node, to relay: LabRelay) -> [Instant] {
    node.heard.compactMap { at, output in
      if case .dial(_, relay.address) = output { at } else { nil }
    }
  }
  private func refusals(of node: Lab.Node) -> [SecureSessionFailure] {
    node.heard.compactMap {
      if case .relayRefused(_, let failure) = $0.output { failure } else { nil }
    }
  }

  @Test func `where neither UDP nor plain TCP is answered TLS is tried, each after its time`() {
    let sessions = PlainSessions()
    let (lab, relay, anna, bert) = pair(seed: 1, sessions, carriers: [.udp, .tcp, .tls]) {
      ($0.isUDPDown, $0.isTCPDown) = (true, true)
    }
    let start = lab.now
    lab.run(.milliseconds(1_150))
    #expect(dials(of: anna, to: relay).map { $0 - start } == [.milliseconds(600)])
    relay.isTCPDown = false
    lab.run(.seconds(4))
    #expect(
      dials(of: anna, to: relay).map { $0 - start } == [.milliseconds(600), .milliseconds(1_200)])
    for node in [anna, bert] {
      #expect(node.selected.last?.report.isRelayed == true)
      #expect(node.selected.last?.report.carrier == .stream)
    }
    lab.feed(anna, .send(bert.session, .rtp, [7]))
    lab.run(.milliseconds(200))
    #expect(bert.frames.last == [7])
    #expect(sessions.hosts == ["relay.example.org", "relay.example.org"])
    // The other connection, which nobody answered, is given up in time.
    lab.run(.seconds(7))
    #expect(anna.heard.contains { if case .hangUp = $0.output { true } else { false } })
    #expect(lab.stuck.isEmpty)
  }

  @Test func `a connection that does not come about is dialled anew after 1, 3 and 7 seconds`() {
    let (lab, relay, anna, _) = pair(seed: 7, PlainSessions(), carriers: [.tcp]) {
      $0.isTCPDown = true
    }
    let start = lab.now
    lab.run(.seconds(6.9))
    #expect(
      dials(of: anna, to: relay).map { $0 - start } == [.zero, .seconds(1), .seconds(3)])
    relay.isTCPDown = false
    lab.run(.seconds(2))
    #expect(dials(of: anna, to: relay).map { $0 - start }.last == .seconds(7))
    #expect(relay.allocations == 2)
    lab.run(.seconds(30))
    #expect(dials(of: anna, to: relay).count == 4)
    #expect(lab.stuck.isEmpty)
  }

  @Test func `TLS is not asked for where something better reaches the relay`() {
    for isUDPDown in [false, true] {
      let sessions = PlainSessions()
      let (lab, _, anna, _) = pair(seed: 2, sessions, carriers: [.udp, .tcp, .tls]) {
        $0.isUDPDown = isUDPDown
      }
      lab.run(.seconds(5))
      #expect(anna.selected.last?.report.isRelayed == true)
      #expect(sessions.hosts == [])
    }
  }

  @Test
  func `a relay that cannot show who it is is told of once, asked again, and never told a word`() {
    let sessions = PlainSessions(.fails(.refused("certificate has expired")))
    let (lab, relay, anna, _) = pair(seed: 3, sessions, carriers: [.tls]) { _ in }
    lab.run(.seconds(65))
    #expect(refusals(of: anna) == [.refused("certificate has expired")])
    #expect(dials(of: anna, to: relay).count == 3)
    #expect(relay.count(.allocate) == 0)
    let isWritten = anna.heard.contains { if case .write = $0.output { true } else { false } }
    #expect(!isWritten)
    #expect(lab.stuck.isEmpty)
  }

  @Test func `TLS that does not come about is given up after ten seconds`() {
    let (lab, _, anna, _) = pair(seed: 4, PlainSessions(.waits), carriers: [.tls]) { _ in }
    lab.run(.seconds(9.9))
    #expect(refusals(of: anna) == [])
    lab.run(.milliseconds(200))
    #expect(refusals(of: anna) == [.timedOut])
  }

  @Test func `a name that is none is not looked for in a certificate`() {
    let sessions = PlainSessions()
    let (lab, relay, anna, _) = pair(seed: 5, sessions, carriers: []) { _ in }
    var grant = relay.grant([.tls])
    grant.servers[0].host = Array("relay.example.org\0.evil".utf8)
    lab.feed(anna, .relays(grant))
    lab.run(.seconds(1))
    #expect(refusals(of: anna) == [.refused("its name is malformed")])
    #expect(sessions.hosts == [])
  }

  @Test func `who has no TLS asks no such relay`() {
    let (lab, relay, anna, _) = pair(seed: 6, nil, carriers: [.tls]) { _ in }
    lab.run(.seconds(5))
    #expect(dials(of: anna, to: relay) == [])
  }
}
