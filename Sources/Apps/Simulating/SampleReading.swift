package import Judging
package import Simulation

extension ScenarioSample {
  /// As `json` writes it.
  package init?(_ value: JSONValue) {
    guard let time = value["time"]?.number, let forward = value["forward"].flatMap(OfLine.init),
      let backward = value["backward"].flatMap(OfLine.init),
      case .array(let values)? = value["flows"]
    else { return nil }
    self.init(
      time: time, flows: values.map(OfFlow.init), forward: forward, backward: backward)
  }
}

extension ScenarioSample.OfLine {
  fileprivate init?(_ value: JSONValue) {
    guard let used = value["used"]?.number else { return nil }
    self.init(
      capacity: value["capacity"]?.number, used: used, queue: value["queue"]?.number ?? 0,
      loss: value["loss"]?.number ?? 0)
  }
}

extension ScenarioSample.OfFlow {
  fileprivate init(_ value: JSONValue) {
    self.init(
      sent: value["sent"]?.number ?? 0, received: value["received"]?.number ?? 0,
      target: value["target"]?.number, delay: value["delay"]?.number)
  }
}
