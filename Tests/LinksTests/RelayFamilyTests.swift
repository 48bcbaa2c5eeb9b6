import Links
import Testing
import Units
import Wire

/// Of which family an address at a relay is, for somebody who has no IPv4.
@Suite struct RelayFamilyTests {
  private static let v6 = SocketAddress(
    IPAddress(bytes: [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [9])!,
    port: 3_478)

  /// What an only member is told that he has at a relay of IPv6, over this carrier.
  private func relayed(
    _ carrier: RelayServer.Carrier, isV6: Bool, _ prepare: (LabRelay) -> Void = { _ in }
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

  @Test func `a relay of the other family is not asked, whatever the carrier`() {
    for carrier in [RelayServer.Carrier.udp, .tcp] {
      #expect(relayed(carrier, isV6: false).relay.count(.allocate) == 0)
    }
  }
}
