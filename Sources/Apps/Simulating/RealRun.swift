package import Judging
package import Media
package import Simulation
package import Units

/// One flow of a scenario as real programs carried it.
package struct RealFlow: Sendable {
  package var sent: [SentFrame]
  package var seen: [SeenFrame]
  package var size: PictureSize
  /// What the sender says of its pictures, kbit/s second by second.
  package var pictureRates: [Double] = []
  /// What the receiver says of its sound, % second by second; none where it played none.
  package var concealed: [Double] = []

  package init(sent: [SentFrame], seen: [SeenFrame], size: PictureSize) {
    self.sent = sent
    self.seen = seen
    self.size = size
  }
}

/// A scenario that was run by real programs over a real link, and the figures that a simulation has.
package struct RealRun: Sendable {
  package var scenario: Scenario
  /// When the scenario's clock began.
  package var start: Instant
  package var samples: [ScenarioSample]
  /// As the scenario's.
  package var flows: [RealFlow]
  /// What packets waited for the rate of each direction, ms: p50 and p95.
  package var queues: [Bottleneck.Direction: (p50: Double, p95: Double)]

  package init(
    scenario: Scenario, start: Instant, samples: [ScenarioSample], flows: [RealFlow],
    queues: [Bottleneck.Direction: (p50: Double, p95: Double)] = [:]
  ) {
    self.scenario = scenario
    self.start = start
    self.samples = samples.filter { $0.time <= scenario.duration.seconds }
    self.flows = flows
    self.queues = queues
  }

  /// Of several media flows the worst counts, as in a simulation.
  package var figures: [ScenarioFigure: Double] {
    let measures = ScenarioMeasures(scenario: scenario, samples: samples)
    var figures: [ScenarioFigure: Double] = [:]
    for index in flows.indices where scenario.flows[index].isMedia {
      for (figure, value) in self.figures(of: index) {
        let known = figures[figure] ?? value
        figures[figure] = figure.isCost ? max(known, value) : min(known, value)
      }
    }
    figures[.utilisation] = measures.utilisation
    let waits = scenario.directions.filter { line($0).first.averageRate != nil }
      .compactMap { queues[$0] }
    figures[.queueP50] = waits.map(\.p50).max()
    figures[.queueP95] = waits.map(\.p95).max()
    figures.merge(measures.shares) { $1 }
    addShocks(to: &figures, measures)
    return figures
  }

  package func figures(of index: Int) -> [ScenarioFigure: Double] {
    let plan = scenario.flows[index]
    let delays = delays(of: index)
    var figures: [ScenarioFigure: Double] = [
      .frameP50: percentile(50, of: delays) ?? .infinity,
      .frameP95: percentile(95, of: delays) ?? .infinity,
      .frameP99: percentile(99, of: delays) ?? .infinity,
      .frameMax: delays.max() ?? .infinity,
    ]
    let measures = ScenarioMeasures(scenario: scenario, samples: samples)
    figures.merge(measures.ages(of: index, pictures(of: index))) { $1 }
    let findings = findings(of: index)
    figures[.freezes] = Double(findings.freezes)
    figures[.delivered] = findings.deliveredPercent / 100
    let times = seen(of: index).map(\.at) + [end(of: index)]
    figures[.longestFreeze] = zip(times, times.dropFirst()).map { ($1 - $0).milliseconds }.max()
    let flow = flows[index]
    if !flow.concealed.isEmpty { figures[.concealed] = mean(flow.concealed) / 100 }
    if !flow.pictureRates.isEmpty {
      let pictures = mean(flow.pictureRates)
      figures[.media] = pictures * (findings.deliveredPercent / 100)
      let within = samples.filter { plan.contains($0) }.map { $0.flows[index].sent }
      if pictures > 0, !within.isEmpty { figures[.overhead] = mean(within) / pictures - 1 }
    }
    return figures
  }

  /// The percentile if a picture that never came is endlessly late.
  package func strictPercentile(_ percent: Double, of index: Int) -> Double? {
    let findings = findings(of: index)
    let missing = max(0, findings.sent - findings.delivered)
    return percentile(
      percent, of: delays(of: index) + [Double](repeating: .infinity, count: missing))
  }

  /// kbit/s that arrived while the flow lasted, with all headers.
  package func wireRate(of index: Int) -> Double {
    ScenarioMeasures(scenario: scenario, samples: samples)
      .rate(of: index, from: scenario.flows[index].start, to: scenario.flows[index].end)
  }

  // MARK: Pictures

  private func line(_ direction: Bottleneck.Direction) -> ScenarioLine {
    direction == .forward ? scenario.forward : scenario.backward
  }
  private func real(_ instant: Instant) -> Instant { start + (instant - .zero) }
  private func end(of index: Int) -> Instant { real(scenario.flows[index].end) }

  /// Those that were captured while the flow lasted.
  private func seen(of index: Int) -> [SeenFrame] {
    let begin = real(scenario.flows[index].start)
    return flows[index].seen.filter { frame in
      frame.clock.map { $0.instant >= begin && $0.instant <= end(of: index) } ?? true
    }
  }

  private func delays(of index: Int) -> [Double] {
    findings(of: index).latencies.map(\.milliseconds)
  }

  private func findings(of index: Int) -> FrameFindings {
    FrameFindings(
      sent: flows[index].sent, seen: seen(of: index), size: flows[index].size,
      end: end(of: index))
  }

  private func pictures(of index: Int) -> [ScenarioMeasures.DecodedPicture] {
    flows[index].seen.compactMap { frame in
      frame.clock.map {
        (
          capturedAt: Instant.zero + ($0.instant - start),
          decodedAt: Instant.zero + (frame.at - start)
        )
      }
    }
  }

  private func addShocks(
    to figures: inout [ScenarioFigure: Double], _ measures: ScenarioMeasures
  ) {
    guard let index = scenario.flows.firstIndex(where: \.isMedia) else { return }
    let pictures = pictures(of: index)
    for (place, shock) in scenario.shocks.enumerated() {
      let next = scenario.shocks[(place + 1)...].map(\.at).min() ?? scenario.end
      let took = measures.recovery(from: shock, until: next, of: index, pictures)
      let figure = shock.kind.figure
      figures[figure] = max(figures[figure] ?? 0, took?.milliseconds ?? .infinity)
    }
  }
}

private func mean(_ values: [Double]) -> Double {
  values.reduce(0, +) / Double(max(1, values.count))
}

extension ScenarioFlow {
  fileprivate func contains(_ sample: ScenarioSample) -> Bool {
    let time = Instant.zero + .seconds(sample.time)
    return start < time && time <= end
  }
}
