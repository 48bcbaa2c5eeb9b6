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
          bitsPerSecond: Int64(measures.rate(of: index, from: flow.start, to: flow.end) * 1_000)),
        figures: figures(of: index),
        transfers: flows[index].stream?.transfers.count ?? 0)
    }
  }

  private func figures(of index: Int) -> [ScenarioFigure: Double] {
    let traffic = flows[index]
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
    figures.merge(measures.ages(of: index, media.pictures)) { $1 }
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
    if let film = media.pair.studio.film {
      figures[.made] = film.sizes.mean
      figures[.frameSizeP95] = film.sizes.percentile(0.95)
      figures[.frameSizeMax] = film.sizes.percentile(1)
      let qualities = film.qualities
      if !qualities.isEmpty {
        figures[.quality] = qualities.reduce(0, +) / Double(qualities.count)
      }
    }
    return figures
  }

  private var measures: ScenarioMeasures {
    ScenarioMeasures(scenario: scenario, samples: samples)
  }

  // MARK: All of them

  var figures: [ScenarioFigure: Double] {
    var figures: [ScenarioFigure: Double] = [:]
    for index in flows.indices {
      for (figure, value) in self.figures(of: index) {
        let known = figures[figure] ?? value
        figures[figure] = figure.isCost ? max(known, value) : min(known, value)
      }
    }
    figures[.utilisation] = measures.utilisation
    let waits = scenario.directions.filter { bottleneck.conditions($0).averageRate != nil }
      .map { bottleneck.counters($0).waits }
    figures[.queueP50] = waits.map { $0.percentile(0.5).milliseconds }.max()
    figures[.queueP95] = waits.map { $0.percentile(0.95).milliseconds }.max()
    figures.merge(measures.shares) { $1 }
    for result in shockResults {
      let figure = result.shock.kind.figure
      let took = result.took?.milliseconds ?? .infinity
      figures[figure] = max(figures[figure] ?? 0, took)
    }
    return figures
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
    return measures.recovery(from: shock, until: next, of: index, media.pictures)
  }
}
