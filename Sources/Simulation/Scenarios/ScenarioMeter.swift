import Units

/// Looks at every flow and at the bottleneck ten times a second.
struct ScenarioMeter {
  static let interval = Interval.milliseconds(100)

  private(set) var samples: [ScenarioSample] = []
  private let bottleneck: Bottleneck
  private var sent: [Int: ByteCount] = [:]
  private var received: [Int: ByteCount] = [:]
  private var lines: [Bottleneck.Direction: Known] = [:]

  /// What was known of a line at the last look.
  private struct Known {
    var offered = 0
    var lost = 0
    var passed = ByteCount.zero
    /// What could pass from then to now; known then, because the conditions may change now.
    var capacity: ByteCount?
  }

  init(bottleneck: Bottleneck) { self.bottleneck = bottleneck }

  /// The first call, at the beginning, makes no sample.
  mutating func sample(_ flows: [Traffic], at now: Instant) {
    let isFirst = lines.isEmpty
    let forward = look(.forward)
    let backward = look(.backward)
    let ofFlows = flows.indices.map { look(flows[$0], $0) }
    if isFirst { return }
    samples.append(
      ScenarioSample(
        time: (now - .zero).seconds, flows: ofFlows, forward: forward, backward: backward))
  }

  private mutating func look(_ direction: Bottleneck.Direction) -> ScenarioSample.OfLine {
    let counters = bottleneck.counters(direction)
    let known = lines[direction] ?? Known()
    let lost = counters.lost + counters.droppedByQueue + counters.droppedByOutage
    lines[direction] = Known(
      offered: counters.offered, lost: lost, passed: counters.sentBytes,
      capacity: bottleneck.capacity(direction, in: Self.interval))
    let offered = counters.offered - known.offered
    return ScenarioSample.OfLine(
      capacity: known.capacity.map { Bitrate(of: $0, in: Self.interval).kilobitsPerSecond },
      used: Bitrate(of: counters.sentBytes - known.passed, in: Self.interval).kilobitsPerSecond,
      queue: bottleneck.queue(direction).milliseconds,
      loss: offered > 0 ? min(1, Double(lost - known.lost) / Double(offered)) : 0)
  }

  private mutating func look(_ traffic: Traffic, _ index: Int) -> ScenarioSample.OfFlow {
    guard let hosts = traffic.hosts else {
      return ScenarioSample.OfFlow(sent: 0, received: 0)
    }
    func rate(_ now: ByteCount, _ before: inout ByteCount?) -> Double {
      defer { before = now }
      return Bitrate(of: now - (before ?? .zero), in: Self.interval).kilobitsPerSecond
    }
    return ScenarioSample.OfFlow(
      sent: rate(hosts.source.upCounters.sentBytes, &sent[index]),
      received: rate(hosts.sink.downCounters.sentBytes, &received[index]),
      target: traffic.media?.pair.target.kilobitsPerSecond,
      delay: traffic.media?.takeWorstDelay()?.milliseconds)
  }
}
