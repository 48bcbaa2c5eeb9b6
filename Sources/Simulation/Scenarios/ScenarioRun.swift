import Units

/// A scenario in virtual time, with every checker watching.
package final class ScenarioRun {
  private let scenario: Scenario
  private let world: World
  private let network: SimulatedNetwork
  private let findings: Findings
  private let bottleneck: Bottleneck
  private var flows: [Traffic]
  private var meter: ScenarioMeter
  private let pictures: RealPictures?

  /// After the last flow has ended, for what is still on its way.
  private static let drain = Interval.seconds(2)
  /// Older pictures are a finding, beside the time in which nothing passes.
  private static let oldest = Interval.seconds(3)

  /// With `pictures` each flow's camera encodes these, else scripted ones.
  package init(_ scenario: Scenario, seed: UInt64, pictures: RealPictures? = nil) {
    self.scenario = scenario
    self.pictures = pictures
    world = World(seed: seed)
    network = SimulatedNetwork(world)
    findings = Findings(world)
    bottleneck = network.addBottleneck(
      forward: scenario.forward.first, backward: scenario.backward.first)
    flows = scenario.flows.map { Traffic(flow: $0) }
    meter = ScenarioMeter(bottleneck: bottleneck)
  }

  package func run() -> ScenarioResult {
    for (direction, line) in [
      (Bottleneck.Direction.forward, scenario.forward), (.backward, scenario.backward),
    ] {
      for (at, conditions) in line.changes {
        world.schedule(at: at) { [unowned self] in bottleneck.set(direction, conditions) }
      }
    }
    for index in flows.indices {
      world.schedule(at: flows[index].flow.start) { [unowned self] in open(index) }
    }
    // After what changes at the same instants.
    world.schedule(at: .zero) { [unowned self] in
      world.repeat(every: ScenarioMeter.interval) { [unowned self] in
        meter.sample(flows, at: world.now)
        return world.now < scenario.end
      }
    }
    world.run(until: scenario.end + Self.drain)
    for flow in flows { flow.media?.pair.viewer.finish() }
    return result()
  }

  private func open(_ index: Int) {
    let flow = flows[index].flow
    let access = AccessLine(name: flow.name, both: LinkConditions(delay: flow.delay / 2))
    let traffic: (source: SimulatedHost, sink: SimulatedHost)
    if case .media(let limit) = flow.kind {
      let media = MediaFlow(
        world, network: network, flow: flow, limit: limit, from: access, to: access,
        oldest: Self.oldest + scenario.longestStall, pictures: pictures, findings: findings)
      flows[index].media = media
      traffic = (media.pair.source, media.pair.sink)
    } else {
      let stream = StreamFlow(world, network: network, flow: flow, from: access, to: access)
      flows[index].stream = stream
      traffic = (stream.source, stream.sink)
    }
    flows[index].hosts = traffic
    let isForward = flow.direction == .forward
    network.place(traffic.source, on: isForward ? .left : .right)
    network.place(traffic.sink, on: isForward ? .right : .left)
  }

  private func result() -> ScenarioResult {
    let evaluation = ScenarioEvaluation(
      scenario: scenario, flows: flows, bottleneck: bottleneck, samples: meter.samples)
    let figures = evaluation.figures
    return ScenarioResult(
      name: scenario.name, seed: world.seed, flows: evaluation.flowResults,
      samples: meter.samples, shocks: evaluation.shockResults, figures: figures,
      verdicts: scenario.goals.map { GoalVerdict(goal: $0, value: figures[$0.figure]) },
      findings: findings.list.map(\.description), findingCount: findings.count,
      trace: world.trace.value)
  }
}

/// One flow at work; nothing but the plan before it starts.
struct Traffic {
  let flow: ScenarioFlow
  var media: MediaFlow?
  var stream: StreamFlow?
  var hosts: (source: SimulatedHost, sink: SimulatedHost)?
}
