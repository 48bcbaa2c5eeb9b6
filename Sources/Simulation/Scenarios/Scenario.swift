package import Units

/// Flows over one shared bottleneck, what happens to it meanwhile, and what must come out.
package struct Scenario: Sendable {
  package var name: String
  package var description: String
  package var duration: Interval
  package var forward: ScenarioLine
  package var backward: ScenarioLine
  package var flows: [ScenarioFlow]
  package var shocks: [Shock]
  package var goals: [ScenarioGoal]
  /// Rates are compared between flows in this time; `nil`: from 10 s after the last has begun until
  /// the first ends.
  package var fairness: ClosedRange<Instant>?

  package init(
    name: String, description: String = "", duration: Interval,
    forward: ScenarioLine = ScenarioLine(LinkConditions()),
    backward: ScenarioLine = ScenarioLine(LinkConditions()), flows: [ScenarioFlow],
    shocks: [Shock] = [], goals: [ScenarioGoal] = [], fairness: ClosedRange<Instant>? = nil
  ) {
    self.name = name
    self.description = description
    self.duration = duration
    self.forward = forward
    self.backward = backward
    self.flows = flows
    self.shocks = shocks
    self.goals = goals
    self.fairness = fairness
  }

  package var end: Instant { .zero + duration }

  /// The beginning of it; flows that go on end a second before.
  package func shortened(to length: Interval) -> Scenario {
    guard length < duration else { return self }
    var shorter = self
    shorter.duration = length
    shorter.flows = flows.filter { $0.start < shorter.end - .seconds(2) }.map { flow in
      var flow = flow
      flow.end = min(flow.end, shorter.end - .seconds(1))
      return flow
    }
    shorter.shocks = shocks.filter { $0.at < shorter.end }
    return shorter
  }

  /// The longest time in which one direction lets nothing pass: a picture may become as old.
  package var longestStall: Interval {
    [forward, backward].map { $0.longestStall(until: end) }.max() ?? .zero
  }
}

/// One direction of the bottleneck over time.
package struct ScenarioLine: Sendable {
  package var first: LinkConditions
  /// In order of time.
  package var changes: [(at: Instant, to: LinkConditions)]

  package init(_ first: LinkConditions, changes: [(at: Instant, to: LinkConditions)] = []) {
    self.first = first
    self.changes = changes
  }

  func longestStall(until end: Instant) -> Interval {
    var longest = Interval.zero
    var since: Instant?
    for (at, conditions) in [(Instant.zero, first)] + changes + [(end, LinkConditions())] {
      let isBlocked = conditions.isStalled || conditions.isDown
      if isBlocked {
        since = since ?? at
      } else if let began = since {
        longest = max(longest, at - began)
        since = nil
      }
    }
    return longest
  }
}

/// One sender and its receiver on the two sides of the bottleneck.
package struct ScenarioFlow: Sendable {
  package enum Kind: Hashable, Sendable {
    /// Pictures and sound; wire bits a second at most.
    case media(limit: Bitrate)
    /// TCP that always has something to send.
    case bulk(StreamAlgorithm)
    /// TCP transfers one after another (RFC 8867 §5.7): of so many bytes, uniform, and so long idle
    /// in between on average, exponential.
    case short(StreamAlgorithm, bytes: ClosedRange<Int>, idle: Interval)
  }

  package var name: String
  package var kind: Kind
  package var direction: Bottleneck.Direction
  /// One way, without queues.
  package var delay: Interval
  package var start: Instant
  package var end: Instant
  /// A media flow's pictures stop in these times; its sound goes on.
  package var pauses: [ClosedRange<Instant>]

  package init(
    name: String, kind: Kind, direction: Bottleneck.Direction = .forward, delay: Interval,
    start: Instant = .zero, end: Instant, pauses: [ClosedRange<Instant>] = []
  ) {
    self.name = name
    self.kind = kind
    self.direction = direction
    self.delay = delay
    self.start = start
    self.end = end
    self.pauses = pauses
  }

  package var isMedia: Bool { if case .media = kind { true } else { false } }
}

/// Something sudden, and what its end is measured by (BENCHMARKS B5).
package struct Shock: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    /// Capacity fell: until a second begins in which every picture takes less than 150 ms.
    case drop
    /// Capacity rose: until 90 % of it are used, in the mean of 300 ms.
    case rise
    /// Everything stopped and goes on at this instant: until the first picture captured since.
    case stall

    package var figure: ScenarioFigure {
      switch self {
      case .drop: .afterDrop
      case .rise: .afterRise
      case .stall: .afterStall
      }
    }
  }

  package var kind: Kind
  package var at: Instant

  package init(_ kind: Kind, at: Instant) {
    self.kind = kind
    self.at = at
  }
}

/// A bound for one figure.
package struct ScenarioGoal: Hashable, Sendable {
  package var figure: ScenarioFigure
  package var least: Double?
  package var most: Double?
  /// Where it is from, such as `B4`.
  package var source: String

  package init(
    _ figure: ScenarioFigure, least: Double? = nil, most: Double? = nil, source: String = ""
  ) {
    self.figure = figure
    self.least = least
    self.most = most
    self.source = source
  }

  /// A figure that there isn't meets no bound.
  package func isMet(by value: Double?) -> Bool {
    guard let value else { return false }
    return value >= least ?? -.infinity && value <= most ?? .infinity
  }
}
