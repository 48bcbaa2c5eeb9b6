package import Units

/// One state machine's deadlines: none in the past once it was handled, and no loop of wake-ups
/// that does nothing; and no turn that gives out more than a bounded queue can hold.
package struct TurnChecker {
  private let name: String
  private let findings: Findings
  private var instant = Instant.zero
  private var turnsAtInstant = 0
  private var second = Int64(0)
  private var turnsInSecond = 0

  /// Turns by timer at one instant.
  private static let instantLimit = 20
  /// Turns by timer in one second: a pacer of 1 000 packets a second needs as many.
  private static let secondLimit = 6_000
  /// Outputs of one turn.
  private static let outputLimit = 4_000

  package init(_ name: String, findings: Findings) {
    self.name = name
    self.findings = findings
  }

  /// After a turn: `now` and `deadline` of one clock.
  package mutating func turned(
    byTimer: Bool, outputs: Int, at now: Instant, deadline: Deadline?
  ) {
    // After another input a timer may be due and not yet handled.
    if byTimer, let deadline, deadline.at < now {
      findings.report(
        "turn",
        "\(name): deadline \(deadline.timer) is \((now - deadline.at).milliseconds) ms in the past")
    }
    if outputs > Self.outputLimit {
      findings.report("turn", "\(name): \(outputs) outputs in one turn")
    }
    guard byTimer else { return }
    turnsAtInstant = now == instant ? turnsAtInstant + 1 : 1
    instant = now
    if turnsAtInstant == Self.instantLimit {
      findings.report(
        "turn",
        "\(name): \(turnsAtInstant) turns at one instant, now for \(deadline?.timer.description ?? "-")"
      )
    }
    let current = now.nanoseconds / 1_000_000_000
    turnsInSecond = current == second ? turnsInSecond + 1 : 1
    second = current
    if turnsInSecond == Self.secondLimit {
      findings.report("turn", "\(name): \(turnsInSecond) turns by timer in one second")
    }
  }
}
