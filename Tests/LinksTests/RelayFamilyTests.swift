import Testing
import Units
import Wire

@testable import Links

/// Of which family an address at a relay is, for somebody who has no IPv4.
@Suite struct RelayFamilyTests {
  private static let v6 = SocketAddress(
    IPAddress(bytes: [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [9])!,
    port: 3_478)

  /// What an only member is told that he has at a relay of IPv6, over this carrier.
  private func relayed(
    _ carrier: RelayServer.Carrier, isV6: Bool, _ prepare: (LabRelay) -> Void = { _ in },
    then: (Lab, Lab.Node) -> Void = { _, _ in }
  ) -> (candidates: [IPAddress], relay: LabRelay) {
    let lab = Lab(seed: 51)
    let relay = LabRelay(at: isV6 ? Self.v6 : SocketAddress(.v4(192, 0, 2, 50), port: 3_478))
    prepare(relay)
    lab.relay = relay
    let anna = lab.add("anna", .init(isV6: true))
    lab.feed(anna, .relays(relay.grant([carrier])))
    lab.feed(anna, .peerAppeared(SessionID(bytes: [UInt8](repeating: 1, count: 16))!))
    lab.run(.seconds(2))
    var told: [IPAddress] = []
    for case .describe(_, let description) in anna.heard.map(\.output) {
      told = description.candidates.filter { $0.kind == .relayed }.map(\.address.ip)
    }
    then(lab, anna)
    #expect(lab.stuck.isEmpty)
    return (told, relay)
  }

  @Test(arguments: [RelayServer.Carrier.udp, .tcp])
  func `who has no IPv4 gets an address of it at the relay, to meet those who have nothing else`(
    carrier: RelayServer.Carrier
  ) {
    let (candidates, relay) = relayed(carrier, isV6: true)
    #expect(candidates == [.v4(192, 0, 2, 100)])
    #expect(relay.count(.allocate) == 2)
  }

  @Test(arguments: [RelayServer.Carrier.udp, .tcp])
  func `a relay that has none gives one of IPv6, at the same asking`(
    carrier: RelayServer.Carrier
  ) {
    let (candidates, relay) = relayed(carrier, isV6: true) { $0.template.lacksV4 = true }
    #expect(candidates.map(\.isV4) == [false])
    #expect(relay.allocations == 1)
  }

  @Test func `a relay that had none of IPv4 is not asked for one again`() {
    let relay = relayed(.tcp, isV6: true) {
      $0.template.lacksV4 = true
    } then: { lab, anna in
      // Twice for the challenge.
      #expect(lab.relay?.count(.allocate) == 4)
      lab.feed(anna, .streamClosed(.toRelay(0)))
      lab.run(.seconds(31))
    }.relay
    #expect(relay.count(.allocate) == 6)
  }

  /// What calls and checks go by.
  @Test func `over IPv6 IPv4 is asked for first where there is none, else what the relay has`() {
    let v4 = SocketAddress(.v4(192, 0, 2, 50), port: 3_478)
    let of = (v4: RelayServer(.udp, v4), v6: RelayServer(.udp, Self.v6))
    let only = (v4: RelayFamilies(of: [v4.ip]), v6: RelayFamilies(of: [Self.v6.ip]))
    let both = RelayFamilies(of: [Self.v6.ip, v4.ip])
    #expect(only.v6.asked(of: of.v6) == [.v4, .v6])
    #expect(both.asked(of: of.v6) == [.v6])
    #expect(only.v4.asked(of: of.v4) == [.v4] && both.asked(of: of.v4) == [.v4])
    #expect(only.v4.reach(of.v4) && !only.v4.reach(of.v6))
    #expect(only.v6.reach(of.v6) && !only.v6.reach(of.v4))
    #expect(both.reach(of.v4) && both.reach(of.v6))
  }

  @Test func `a relay of the other family is not asked, whatever the carrier`() {
    for carrier in [RelayServer.Carrier.udp, .tcp] {
      #expect(relayed(carrier, isV6: false).relay.count(.allocate) == 0)
    }
  }
}
