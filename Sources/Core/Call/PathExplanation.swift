import Links
import Units
import Wire

/// Why nobody was reached, in a few sentences: what was tried and how it ended, what was not and why. It
/// names no address of a peer: what is said on the terminal is copied into mails.
struct PathExplanation: Hashable, Sendable {
  private(set) var message = "no path to anybody in the room within 30 s"
  private(set) var remedy = "p2pcall check says what works here; have the others run it too"

  /// Of all members that were there.
  init(_ reports: [AttemptReport]) {
    guard let first = reports.first else { return }
    guard reports.contains(where: \.isDescribed) else {
      message += ". The others never told where they are, so nothing could be tried"
      return
    }
    let ways = reports.flatMap(\.ways)
    let sentences = [
      Self.sentence(
        ways.filter { $0.carrier == .datagram }, "UDP",
        forbiddenBy: first.transport == .tcp ? "--transport" : nil),
      Self.sentence(
        ways.filter { $0.carrier == .stream }, "TCP",
        forbiddenBy: first.transport == .udp
          ? "--transport" : first.allowed == .relayed ? "--relay-only" : nil),
      Self.relays(first, ways), Self.seen(first), Self.families(reports),
    ]
    for sentence in sentences where !sentence.isEmpty { message += ". " + sentence }
    remedy = Self.remedy(first, ways)
  }

  private static func sentence(
    _ ways: [Attempt], _ carrier: String, forbiddenBy option: String?
  ) -> String {
    let tried = ways.filter { $0.end != .untried }
    guard !tried.isEmpty else {
      return option.map { "\(carrier) was not tried, as \($0) says" }
        ?? "There was no way over \(carrier) to try"
    }
    let count = tried.count == 1 ? "One way" : "\(tried.count) ways"
    let ends = [
      (number(of: tried) { $0 == .unanswered }, "unanswered"),
      (number(of: tried) { $0 == .connectionRefused }, "refused by the other computer"),
      (number(of: tried) { $0 == .unreachable }, "without a route"),
      (number(of: tried) { $0 == .connectionFailed }, "failed"),
      (number(of: tried) { $0 == .unproved }, "answered, but not in time for a link"),
      (
        number(of: tried) { if case .handshakeFailed = $0 { true } else { false } },
        "answered, but the handshake failed"
      ),
      (
        number(of: tried) { if case .refusedByRelay = $0 { true } else { false } },
        "refused by the relay"
      ),
    ]
    let parts = ends.filter { $0.0 > 0 }
    if parts.count == 1 {
      return "\(count) over \(carrier) \(tried.count == 1 ? "was" : "were") tried: \(parts[0].1)"
    }
    return "\(count) over \(carrier) were tried: "
      + parts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
  }

  private static func number(
    of ways: [Attempt], _ fits: (Attempt.End) -> Bool
  ) -> Int { ways.count { fits($0.end) } }

  private static func relays(_ report: AttemptReport, _ ways: [Attempt]) -> String {
    guard report.allowed != .direct else { return "No relay was tried, as --no-relay says" }
    guard !report.relays.isEmpty else { return "No relay was tried: the server offers none" }
    if report.relays.contains(where: { $0.end == .allocated }) {
      return ways.contains(where: \.isFromRelay)
        ? "A relay gave us an address, and that led nowhere either"
        : "A relay gave us an address, for which the others have no counterpart"
    }
    for relay in report.relays {
      if case .failed(let failure) = relay.end { return "No relay works: \(failure)" }
    }
    if report.relays.contains(where: { $0.end == .unconnected }) {
      return "No relay works: there is no connection to it"
    }
    let isAsking = report.relays.contains { $0.end == .asking }
    return isAsking
      ? "No relay works: none has answered" : "No relay was tried: none of those offered can be"
  }

  private static func seen(_ report: AttemptReport) -> String {
    guard report.isSeenOverUDP == false, report.transport != .tcp else { return "" }
    return "The server never answered over UDP, which may be blocked here"
  }

  private static func families(_ reports: [AttemptReport]) -> String {
    let told = reports.filter(\.isDescribed)
    let hasOwn = told.contains(where: \.hasOwnV6)
    let haveTheirs = told.contains(where: \.hasTheirV6)
    if hasOwn, !haveTheirs { return "The other side has no IPv6" }
    if !hasOwn, haveTheirs { return "This computer has no IPv6" }
    return ""
  }

  private static func remedy(_ report: AttemptReport, _ ways: [Attempt]) -> String {
    if report.allowed == .direct {
      return "leave out --no-relay, or see what p2pcall check says on both sides"
    }
    if report.relays.isEmpty {
      return "ask whoever runs the server for a relay (p2pcall-rendezvous --turn), or see what "
        + "p2pcall check says on both sides"
    }
    if report.transport != .auto {
      return "leave out --transport, or see what p2pcall check says on both sides"
    }
    return "see what p2pcall check says on both sides"
  }
}

/// What was tried to reach those who have gone again: who leaves first may only be the first to give up.
struct LastAttempts: Sendable {
  private var entries: [(label: PeerLabel, report: AttemptReport, at: Instant)] = []
  private static let limit = 4
  /// Longer ago it says nothing about this end.
  private static let memory = Interval.seconds(30)

  mutating func note(_ label: PeerLabel, _ report: AttemptReport, at now: Instant) {
    if entries.count == Self.limit { entries.removeFirst() }
    entries.append((label, report, now))
  }

  func since(_ now: Instant) -> [(label: PeerLabel, report: AttemptReport)] {
    entries.filter { now - $0.at <= Self.memory }.map { ($0.label, $0.report) }
  }
}

extension Conference {
  /// Nobody was reached: the whole of what was tried, then the sentences.
  mutating func endWithoutPath(at now: Instant) {
    var tried = lastAttempts.since(now)
    for index in 0..<peers.count {
      guard let report = hub.attempts(with: peers[index].session) else { continue }
      tried.append((peers[index].label, report))
    }
    if !ending.hasBegun {
      for (label, report) in tried { outputs.append(.event(.noPath(label, report))) }
    }
    let explanation = PathExplanation(tried.map(\.report))
    let failure = CallEvent.failure(
      code: EndReason.noPath.exitCode, message: explanation.message, remedy: explanation.remedy)
    end(.noPath, failure: failure, at: now)
  }
}
