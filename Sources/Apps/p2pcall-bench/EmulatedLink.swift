import CLinux
import Judging
import Runtime
import Simulating
import Simulation
import Units

/// `p2pcall-link` at work: networks on the two sides of a scenario's line.
final class EmulatedLink {
  struct Place {
    var address: String
    var network: String
  }

  /// Where the rendezvous is: the line does not touch what goes there.
  let hub: Place
  /// Source and sink of each flow.
  let flows: [(source: Place, sink: Place)]
  private(set) var startedAt = Instant.zero
  private let process: Watched

  /// Why there can't be one here; `nil` where there can.
  static var obstacle: String? {
    geteuid() != 0
      ? "an emulated link needs root; run it with sudo"
      : access("/dev/net/tun", R_OK | W_OK) != 0 ? "/dev/net/tun is not there; load tun" : nil
  }

  init(
    _ programs: Programs, scenario path: String, in workspace: Workspace, label: String
  ) throws(BenchError) {
    process = try Watched(
      programs.path("p2pcall-link"), [path], name: "link", folder: workspace.folder(label))
    guard let ready = process.event("ready", within: .seconds(10)),
      let hub = ready["hub"].flatMap(Place.init), case .array(let values)? = ready["flows"]
    else { throw BenchError("the link did not start: \(process.errors)") }
    self.hub = hub
    flows = values.compactMap { flow in
      guard let source = flow["source"]?.string, let from = flow[source].flatMap(Place.init),
        let to = flow[source == "left" ? "right" : "left"].flatMap(Place.init)
      else { return nil }
      return (from, to)
    }
  }

  /// The scenario's clock begins.
  func start() throws(BenchError) {
    process.say("start")
    guard let microseconds = process.event("started", within: .seconds(5))?.number("clock_us")
    else { throw BenchError("the link did not begin: \(process.errors)") }
    startedAt = Instant(nanoseconds: Int64(microseconds) * 1_000)
  }

  struct Record {
    var samples: [ScenarioSample]
    var queues: [Bottleneck.Direction: (p50: Double, p95: Double)]
    /// The link's own lateness, 99th percentile.
    var lateMilliseconds: Double?
  }

  /// Ends it, and what it saw.
  func stop() throws(BenchError) -> Record {
    process.say("stop")
    guard process.exitCode(within: .seconds(10)) == 0,
      let end = process.event("ended", within: .seconds(1))
    else { throw BenchError("the link did not end: \(process.errors)") }
    var record = Record(
      samples: process.events.all("sample").compactMap {
        $0["sample"].flatMap(ScenarioSample.init)
      },
      queues: [:], lateMilliseconds: end.number("late_us_p99").map { $0 / 1_000 })
    for direction in Bottleneck.Direction.allCases {
      if let p50 = end.number("\(direction).queue_ms_p50"),
        let p95 = end.number("\(direction).queue_ms_p95")
      {
        record.queues[direction] = (p50, p95)
      }
    }
    return record
  }
}

extension EmulatedLink.Place {
  fileprivate init?(_ value: JSONValue) {
    guard let address = value["address"]?.string, let network = value["network"]?.string else {
      return nil
    }
    self.init(address: address, network: network)
  }
}
