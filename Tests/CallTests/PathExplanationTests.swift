import Links
import Testing
import Units
import Wire

@testable import Call

@Suite struct PathExplanationTests {
  private static let theirs = SocketAddress(.v4(198, 51, 100, 77), port: 4_711)
  private static let relay = RelayServer(.udp, SocketAddress(.v4(192, 0, 2, 9), port: 3_478))

  private static func report(
    _ ends: [(Carrier, Attempt.End)], _ change: (inout AttemptReport) -> Void = { _ in }
  ) -> AttemptReport {
    var report = AttemptReport()
    report.isDescribed = true
    report.hasTheirV4 = true
    report.ways = ends.map {
      Attempt(
        carrier: $0.0, local: nil, isFromRelay: false, remote: theirs, remoteKind: .host,
        end: $0.1)
    }
    change(&report)
    return report
  }

  private static func message(
    _ ends: [(Carrier, Attempt.End)], _ change: (inout AttemptReport) -> Void = { _ in }
  ) -> String {
    PathExplanation([report(ends, change)]).message
  }

  @Test func `what was tried is counted by how it ended`() {
    let message = Self.message([
      (.datagram, .unanswered), (.datagram, .unanswered), (.datagram, .untried),
      (.stream, .connectionRefused), (.stream, .unanswered), (.stream, .unreachable),
    ])
    #expect(message.hasPrefix("no path to anybody in the room within 30 s. "))
    #expect(message.contains("2 ways over UDP were tried: unanswered."))
    #expect(
      message.contains(
        "3 ways over TCP were tried: 1 unanswered, 1 refused by the other computer, "
          + "1 without a route"))
    #expect(message.contains("No relay was tried: the server offers none"))
  }

  @Test(
    arguments: [
      (.refusedByRelay(code: 403), "refused by the relay"),
      (.handshakeFailed(.proof), "the handshake failed"), (.unproved, "not in time"),
      (.connectionFailed, "failed"), (.untried, "no way over UDP to try"),
    ] as [(Attempt.End, String)])
  func `each end has its words`(end: Attempt.End, words: String) {
    #expect(Self.message([(.datagram, end)]).contains(words))
  }

  @Test(
    arguments: [
      (.failed(.credentialRefused), "refuses the password"), (.unconnected, "no connection"),
      (.asking, "none has answered"), (.untried, "none of those offered"),
      (.allocated, "gave us an address"),
    ] as [(RelayAttempt.End, String)])
  func `what became of the relays is said`(end: RelayAttempt.End, words: String) {
    let message = Self.message([(.datagram, .unanswered)]) {
      $0.relays = [RelayAttempt(server: Self.relay, end: end)]
    }
    #expect(message.contains(words))
    #expect(!message.contains("the server offers none"))
  }

  @Test func `what was not tried is said with the reason`() {
    let tcp = Self.message([(.stream, .unanswered)]) { $0.transport = .tcp }
    #expect(tcp.contains("UDP was not tried, as --transport says"))
    let relayed = Self.message([(.datagram, .unanswered)]) { $0.allowed = .relayed }
    #expect(relayed.contains("TCP was not tried, as --relay-only says"))
    let direct = Self.message([(.datagram, .unanswered)]) { $0.allowed = .direct }
    #expect(direct.contains("No relay was tried, as --no-relay says"))
    let blocked = Self.message([(.datagram, .unanswered)]) { $0.isSeenOverUDP = false }
    #expect(blocked.contains("The server never answered over UDP"))
    let own = Self.message([(.datagram, .unanswered)]) { $0.hasOwnV6 = true }
    #expect(own.contains("The other side has no IPv6"))
    let other = Self.message([(.datagram, .unanswered)]) { $0.hasTheirV6 = true }
    #expect(other.contains("This computer has no IPv6"))
    let mute = Self.message([]) { $0.isDescribed = false }
    #expect(mute.contains("never told where they are"))
    #expect(PathExplanation([]).message == "no path to anybody in the room within 30 s")
  }

  @Test func `neither addresses nor names are in the sentences`() {
    for end in [Attempt.End.unanswered, .refusedByRelay(code: 403), .handshakeFailed(.proof)] {
      let explanation = PathExplanation([Self.report([(.datagram, end), (.stream, end)])])
      #expect(!explanation.message.contains("198.51"))
      #expect(!explanation.remedy.contains("198.51"))
    }
  }

  @Test func `the remedy is a relay where there is none, and the check in any case`() {
    let without = PathExplanation([Self.report([(.datagram, .unanswered)])])
    #expect(without.remedy.contains("--turn"))
    let with = PathExplanation([
      Self.report([(.datagram, .unanswered)]) {
        $0.relays = [RelayAttempt(server: Self.relay, end: .asking)]
      }
    ])
    #expect(!with.remedy.contains("--turn"))
    for remedy in [without.remedy, with.remedy, PathExplanation([]).remedy] {
      #expect(remedy.contains("p2pcall check"))
    }
  }

  @Test func `of those who have gone only the latest are remembered, and not for long`() {
    var last = LastAttempts()
    for number in 0..<6 {
      last.note(
        PeerLabel(peer: "\(number)", name: ""), AttemptReport(),
        at: .zero + .seconds(Double(number)))
    }
    #expect(last.since(.zero + .seconds(6)).map(\.label.peer) == ["2", "3", "4", "5"])
    #expect(last.since(.zero + .seconds(34.5)).map(\.label.peer) == ["5"])
    #expect(last.since(.zero + .seconds(40)).isEmpty)
  }
}
