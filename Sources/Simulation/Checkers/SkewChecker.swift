package import Units

/// Picture against sound of one peer at one listener: how much later after its capture the one is
/// shown than the other is heard.
package struct SkewChecker {
  private let name: String
  private let findings: Findings
  private let limit: Interval
  private let since: Instant
  private var soundAge: Interval?
  private var magnitudes = WaitHistogram()

  /// `limit` holds for 95 of 100 pictures shown after `since`.
  package init(_ name: String, limit: Interval, since: Instant, findings: Findings) {
    self.name = name
    self.limit = limit
    self.since = since
    self.findings = findings
  }

  package mutating func heard(capturedAt: Instant, at now: Instant) { soundAge = now - capturedAt }

  package mutating func shown(capturedAt: Instant, at now: Instant) {
    guard now >= since, let soundAge else { return }
    magnitudes.add((now - capturedAt - soundAge).magnitude)
  }

  package var percentile95: Interval { magnitudes.percentile(0.95) }

  package func finish() {
    guard magnitudes.count >= 100, percentile95 > limit else { return }
    findings.report(
      "skew", "\(name): picture and sound are \(percentile95.milliseconds) ms apart (95 of 100)")
  }
}
