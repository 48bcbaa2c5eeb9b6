import Units

/// From what was seen to figures.
struct ScenarioEvaluation {
  let scenario: Scenario
  let flows: [Traffic]
  let bottleneck: Bottleneck
  let samples: [ScenarioSample]

  // MARK: Each flow

  var flowResults: [FlowResult] {
    flows.indices.map { index in
      let flow = flows[index].flow
      return FlowResult(
        name: flow.name, isMedia: flow.isMedia, direction: flow.direction,
        rate: Bitrate(
          bitsPerSecond: Int64(rate(of: index, from: flow.start, to: flow.end) * 1_000)),
        figures: figures(of: flows[index]),
        transfers: flows[index].stream?.transfers.count ?? 0)
    }
  }

  private func figures(of traffic: Traffic) -> [ScenarioFigure: Double] {
    guard let media = traffic.media, let hosts = traffic.hosts else { return [:] }
    let seen = media.pair.viewer.figures
    var figures: [ScenarioFigure: Double] = [:]
    if media.delays.count > 0 {
      figures[.frameP50] = media.delays.percentile(0.5).milliseconds
      figures[.frameP95] = media.delays.percentile(0.95).milliseconds
      figures[.frameP99] = media.delays.percentile(0.99).milliseconds
      figures[.frameMax] = media.delays.percentile(1).milliseconds
      figures[.shownP50] = seen.delays.percentile(0.5).milliseconds
      figures[.shownP95] = seen.delays.percentile(0.95).milliseconds
    }
    figures[.freezes] = Double(media.freezes.count)
    figures[.longestFreeze] = media.freezes.longest.milliseconds
    figures[.delivered] = min(1, Double(seen.shown) / Double(max(1, media.offered)))
    let heard = media.soundFigures ?? seen
    let missing = heard.concealedSamples + heard.silentSamples
    figures[.concealed] = Double(missing) / Double(max(1, missing + heard.heardSamples))
    figures[.soundGap] = heard.longestSoundGap.milliseconds
    let lasted = traffic.flow.end - traffic.flow.start
    figures[.media] = Bitrate(of: seen.decodedBytes, in: lasted).kilobitsPerSecond
    let encoded = Double(media.pair.studio.encodedBytes.bytes)
    if encoded > 0 {
      figures[.overhead] = Double(hosts.source.upCounters.sentBytes.bytes) / encoded - 1
    }
    return figures
  }

  /// kbit/s that arrived, in the mean of these samples.
  private func rate(of index: Int, from start: Instant, to end: Instant) -> Double {
    let within = samples.filter {
      $0.time > (start - .zero).seconds && $0.time <= (end - .zero).seconds
    }
    guard !within.isEmpty else { return 0 }
    return within.reduce(0) { $0 + $1.flows[index].received } / Double(within.count)
  }

  // MARK: All of them

  var figures: [ScenarioFigure: Double] {
    var figures: [ScenarioFigure: Double] = [:]
    for traffic in flows {
      for (figure, value) in self.figures(of: traffic) {
        let known = figures[figure] ?? value
        figures[figure] = figure.isCost ? max(known, value) : min(known, value)
      }
    }
    figures[.utilisation] = directions.compactMap(utilisation).min()
    let waits = directions.filter { bottleneck.conditions($0).averageRate != nil }
      .map { bottleneck.counters($0).waits }
    figures[.queueP50] = waits.map { $0.percentile(0.5).milliseconds }.max()
    figures[.queueP95] = waits.map { $0.percentile(0.95).milliseconds }.max()
    addShares(to: &figures)
    for result in shockResults {
      let figure: ScenarioFigure =
        switch result.shock.kind {
        case .drop: .afterDrop
        case .rise: .afterRise
        case .stall: .afterStall
        }
      let took = result.took?.milliseconds ?? .infinity
      figures[figure] = max(figures[figure] ?? 0, took)
    }
    return figures
  }

  /// Those in which something is sent, media first of all.
  private var directions: [Bottleneck.Direction] {
    let media = flows.filter(\.flow.isMedia)
    let counted = media.isEmpty ? flows : media
    return Bottleneck.Direction.allCases.filter { direction in
      counted.contains { $0.flow.direction == direction }
    }
  }

  private func utilisation(_ direction: Bottleneck.Direction) -> Double? {
    let senders = flows.filter { $0.flow.direction == direction }
    var passed = 0.0
    var capacity = 0.0
    for sample in samples {
      let begin = Instant.zero + .seconds(sample.time) - ScenarioMeter.interval
      guard senders.contains(where: { $0.flow.start <= begin && begin < $0.flow.end }) else {
        continue
      }
      guard let possible = sample.line(direction).capacity else { return nil }
      capacity += possible
      passed += sample.line(direction).used
    }
    return capacity > 0 ? passed / capacity : nil
  }

  private func addShares(to figures: inout [ScenarioFigure: Double]) {
    let latest = flows.map(\.flow.start).max() ?? .zero
    let first = flows.map(\.flow.end).min() ?? scenario.end
    let begin = scenario.fairness?.lowerBound ?? latest + .seconds(10)
    let end = scenario.fairness?.upperBound ?? first
    guard begin < end else { return }
    let rates = flows.indices.map { rate(of: $0, from: begin, to: end) }
    let all = rates.reduce(0, +)
    let media = flows.indices.filter { flows[$0].flow.isMedia }.map { rates[$0] }
    let equals = media.isEmpty ? rates : media
    if equals.count > 1 { figures[.jain] = jainIndex(equals) }
    if media.count < rates.count, !media.isEmpty, all > 0 {
      figures[.tcpShare] = (all - media.reduce(0, +)) / all
    }
  }

  // MARK: Shocks

  var shockResults: [ShockResult] {
    scenario.shocks.enumerated().map { index, shock in
      let next = scenario.shocks[(index + 1)...].map(\.at).min() ?? scenario.end
      return ShockResult(shock: shock, took: recovery(from: shock, until: next))
    }
  }

  /// Of the first media flow.
  private func recovery(from shock: Shock, until next: Instant) -> Interval? {
    guard let index = flows.firstIndex(where: \.flow.isMedia), let media = flows[index].media
    else { return nil }
    switch shock.kind {
    case .drop:
      let later = media.pictures.filter { shock.at <= $0.decodedAt && $0.decodedAt < next }
      // Recovered when a second begins in which none is late and none is missing for long.
      var recovered = shock.at
      var previous = shock.at
      for picture in later {
        let delay = max(picture.decodedAt - picture.capturedAt, picture.decodedAt - previous)
        previous = picture.decodedAt
        guard delay >= .milliseconds(150) else { continue }
        if picture.decodedAt - delay - recovered >= .seconds(1) { break }
        recovered = picture.decodedAt
      }
      guard let last = later.last, last.decodedAt - recovered >= .seconds(1) else { return nil }
      return recovered - shock.at
    case .stall:
      let fresh = media.pictures.first { $0.capturedAt >= shock.at && $0.decodedAt < next }
      return fresh.map { $0.decodedAt - shock.at }
    case .rise:
      let direction = flows[index].flow.direction
      for end in samples.indices where end >= 2 {
        let time = Instant.zero + .seconds(samples[end].time)
        guard time > shock.at + .milliseconds(250), time < next else { continue }
        let last = samples[(end - 2)...end]
        guard let capacity = samples[end].line(direction).capacity else { return nil }
        let mean = last.reduce(0) { $0 + $1.flows[index].received } / 3
        if mean >= 0.9 * capacity { return time - shock.at }
      }
      return nil
    }
  }
}
