package import Units

/// What one sender gives out: in any tenth of a second no more than `factor` times what its
/// congestion control allows, and one key frame's head start.
package struct PaceChecker {
  private let name: String
  private let findings: Findings
  private var window: [(at: Instant, bytes: Int)] = []
  private var start = 0
  private var bytes = 0
  private var isOver = false

  private static let span = Interval.milliseconds(100)
  private static let factor = 3.0
  private static let headStart = 6_000

  package init(_ name: String, findings: Findings) {
    self.name = name
    self.findings = findings
  }

  package mutating func send(_ count: Int, target: Bitrate, at now: Instant) {
    window.append((now, count))
    bytes += count
    while window[start].at + Self.span < now {
      bytes -= window[start].bytes
      start += 1
    }
    if start > 512 {
      window.removeFirst(start)
      start = 0
    }
    let limit = Int(Double(target.bytes(in: Self.span).bytes) * Self.factor) + Self.headStart
    // Once for each excess, not once for each packet of it.
    if bytes > limit, !isOver {
      findings.report("pace", "\(name): \(bytes) bytes in 100 ms, \(limit) allowed")
    }
    isOver = bytes > limit
  }
}
