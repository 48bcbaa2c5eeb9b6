package import Simulation
import Units

/// A run drawn over time, as one SVG file that needs nothing else: rate, queue, frame delay, loss.
extension ScenarioResult {
  package func plot(of scenario: Scenario) -> String {
    let media = scenario.flows.first(where: \.isMedia)?.direction ?? .forward
    let curves = zip(scenario.flows.indices, scenario.flows)
    var rate: [PlotCurve] = []
    let capacity = points { $0.line(media).capacity }
    if !capacity.isEmpty {
      rate.append(PlotCurve("capacity", "#999999", capacity, style: .area))
    }
    for (index, flow) in curves {
      let colour = PlotCurve.colour(index)
      let style: PlotCurve.Style = flow.isMedia ? .faint : .line
      rate.append(PlotCurve(flow.name, colour, points { $0.flows[index].sent }, style: style))
    }
    for (index, flow) in curves where flow.isMedia {
      rate.append(PlotCurve("", PlotCurve.colour(index), targets(of: index, flow)))
    }
    let delays = curves.filter(\.1.isMedia).map { index, flow in
      PlotCurve(flow.name, PlotCurve.colour(index), points { $0.flows[index].delay })
    }
    let hasBackward = scenario.flows.contains { $0.direction != media }
    func lines(_ value: (ScenarioSample.OfLine) -> Double) -> [PlotCurve] {
      let main = PlotCurve("\(media)", "#0B5FA5", points { value($0.line(media)) })
      guard hasBackward else { return [main] }
      let other: Bottleneck.Direction = media == .forward ? .backward : .forward
      return [main, PlotCurve("\(other)", "#C44E00", points { value($0.line(other)) })]
    }
    return PlotPage(
      title: "\(name), seed \(seed)", duration: scenario.duration.seconds,
      panels: [
        PlotPanel(
          title: "rate on the wire (faint), target of each flow (bold)", unit: "kbit/s", least: 100,
          curves: rate),
        PlotPanel(
          title: "queue at the bottleneck", unit: "ms", least: 20, curves: lines(\.queue)),
        PlotPanel(
          title: "frame delay, capture to decoded picture, longest in 100 ms", unit: "ms",
          least: 100, curves: delays),
        PlotPanel(
          title: "lost and dropped packets", unit: "%", least: 5,
          curves: lines { $0.loss * 100 }),
      ]
    ).svg
  }

  /// While the flow lasts: before and after nobody asks for it.
  private func targets(of index: Int, _ flow: ScenarioFlow) -> [(x: Double, y: Double)] {
    samples.compactMap { sample in
      guard Instant.zero + .seconds(sample.time) <= flow.end else { return nil }
      return sample.flows[index].target.map { (sample.time, $0) }
    }
  }

  private func points(_ value: (ScenarioSample) -> Double?) -> [(x: Double, y: Double)] {
    samples.compactMap { sample in value(sample).map { (sample.time, $0) } }
  }
}
