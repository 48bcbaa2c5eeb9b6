package import Units

/// What is measured of a scenario's samples and pictures alike, whether the run was in virtual time or
/// over a real link. Times are the scenario's: it begins at zero.
package struct ScenarioMeasures {
  package typealias DecodedPicture = (capturedAt: Instant, decodedAt: Instant)

  let scenario: Scenario
  let samples: [ScenarioSample]

  package init(scenario: Scenario, samples: [ScenarioSample]) {
    self.scenario = scenario
    self.samples = samples
  }

  /// kbit/s that arrived, in the mean of these samples.
  package func rate(of index: Int, from start: Instant, to end: Instant) -> Double {
    let within = samples.filter {
      $0.time > (start - .zero).seconds && $0.time <= (end - .zero).seconds
    }
    guard !within.isEmpty else { return 0 }
    return within.reduce(0) { $0 + $1.flows[index].received } / Double(within.count)
  }

  /// Of the direction that is used least; `nil` where there is no limit.
  package var utilisation: Double? { scenario.directions.compactMap(utilisation).min() }

  private func utilisation(_ direction: Bottleneck.Direction) -> Double? {
    let senders = scenario.flows.filter { $0.direction == direction }
    var passed = 0.0
    var capacity = 0.0
    for sample in samples {
      let begin = Instant.zero + .seconds(sample.time) - ScenarioMeter.interval
      guard senders.contains(where: { $0.start <= begin && begin < $0.end }) else { continue }
      guard let possible = sample.line(direction).capacity else { return nil }
      capacity += possible
      passed += sample.line(direction).used
    }
    return capacity > 0 ? passed / capacity : nil
  }

  /// How flows that should be equal share the bottleneck, and what TCP has of it.
  package var shares: [ScenarioFigure: Double] {
    let flows = scenario.flows
    let latest = flows.map(\.start).max() ?? .zero
    let first = flows.map(\.end).min() ?? scenario.end
    let begin = scenario.fairness?.lowerBound ?? latest + .seconds(10)
    let end = scenario.fairness?.upperBound ?? first
    guard begin < end else { return [:] }
    var figures: [ScenarioFigure: Double] = [:]
    let rates = flows.indices.map { rate(of: $0, from: begin, to: end) }
    let all = rates.reduce(0, +)
    let media = flows.indices.filter { flows[$0].isMedia }.map { rates[$0] }
    let equals = media.isEmpty ? rates : media
    if equals.count > 1 { figures[.jain] = jainIndex(equals) }
    if media.count < rates.count, !media.isEmpty, all > 0 {
      figures[.tcpShare] = (all - media.reduce(0, +)) / all
    }
    return figures
  }

  /// How old a flow's pictures are at any instant, by them in the order of decoding, and how old they would be at least.
  package func ages(of index: Int, _ pictures: [DecodedPicture]) -> [ScenarioFigure: Double] {
    let flow = scenario.flows[index]
    var age = PictureAge()
    for picture in pictures where flow.start <= picture.capturedAt && picture.decodedAt < flow.end {
      age.add(capturedAt: picture.capturedAt, arrivedAt: picture.decodedAt)
    }
    age.end(at: flow.end)
    var figures: [ScenarioFigure: Double] = [:]
    figures[.ageP95] = age.percentile(0.95)?.milliseconds
    let line = flow.direction == .forward ? scenario.forward : scenario.backward
    if let trace = line.first.trace, line.changes.isEmpty {
      let omniscient = OmniscientSender(trace: trace, delay: flow.delay + line.first.delay)
      let interval = Interval.seconds(1 / MediaFlow.framesPerSecond)
      let least = omniscient.pictureAge(every: interval, from: flow.start, to: flow.end)
        .percentile(0.95)?.milliseconds
      figures[.omniscientPictures] = least
      if let least { figures[.timesOmniscient] = (figures[.ageP95] ?? .infinity) / least }
      figures[.omniscientPackets] =
        omniscient.packetAge(from: flow.start, to: flow.end).percentile(0.95)?.milliseconds
    }
    return figures
  }

  /// How long a flow took after a shock, by its pictures in the order of decoding; `nil`: it did not
  /// recover before `next`.
  package func recovery(
    from shock: Shock, until next: Instant, of index: Int, _ pictures: [DecodedPicture]
  ) -> Interval? {
    switch shock.kind {
    case .drop:
      let later = pictures.filter { shock.at <= $0.decodedAt && $0.decodedAt < next }
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
      let fresh = pictures.first { $0.capturedAt >= shock.at && $0.decodedAt < next }
      return fresh.map { $0.decodedAt - shock.at }
    case .rise:
      let direction = scenario.flows[index].direction
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

extension Scenario {
  /// Those in which something is sent, media first of all.
  package var directions: [Bottleneck.Direction] {
    let media = flows.filter(\.isMedia)
    let counted = media.isEmpty ? flows : media
    return Bottleneck.Direction.allCases.filter { direction in
      counted.contains { $0.direction == direction }
    }
  }
}
