import Links
import Rooms
import Units
import Wire

@testable import Checks

/// What is found in a home behind a usual router, with a server and a relay that works, but for a
/// change; and what is said to it.
enum JudgedHome {
  static let server = SocketAddress(.v4(192, 0, 2, 1), port: 7_443)
  static let relay = SocketAddress(.v4(192, 0, 2, 9), port: 3_478)
  static let own = IPAddress.v4(10, 1, 0, 2)
  static let router = IPAddress.v4(203, 0, 113, 11)
  static let now: Int64 = 1_800_000_000

  static func findings(_ change: (inout Findings) -> Void = { _ in }) -> Findings {
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

  static func verdicts(
    of item: CheckVerdict.Item, _ change: (inout Findings) -> Void
  ) -> [CheckVerdict] {
    Judgement(findings(change)).verdicts.filter { $0.item == item }
  }
}
