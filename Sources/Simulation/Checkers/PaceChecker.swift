package import Units

/// What one sender gives out: in any tenth of a second no more than `factor` times the most that its
/// congestion control allowed in the last second, and a head start.
package struct PaceChecker {
  private let name: String
  private let findings: Findings
  private var window: [(at: Instant, bytes: Int)] = []
  private var start = 0
  private var bytes = 0
  /// Rising in time, falling in rate: the first is the highest of the last second.
  private var targets: [(at: Instant, rate: Bitrate)] = []
  private var isOver = false

  private static let span = Interval.milliseconds(100)
  private static let memory = Interval.seconds(1)
  private static let factor = 3.0
  private let headStart: Int

  /// `headStart`: bytes beyond that, where the target is known only from time to time.
  package init(_ name: String, headStart: Int = 8_000, findings: Findings) {
    self.name = name
    self.headStart = headStart
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
    while let last = targets.last, last.rate <= target { targets.removeLast() }
    targets.append((now, target))
    while targets[0].at + Self.memory < now { targets.removeFirst() }
    let allowed = Double(targets[0].rate.bytes(in: Self.span).bytes)
    let limit = Int(allowed * Self.factor) + headStart
    // Once for each excess, not once for each packet of it.
    if bytes > limit, !isOver {
      findings.report("pace", "\(name): \(bytes) bytes in 100 ms, \(limit) allowed")
    }
    isOver = bytes > limit
  }
}
