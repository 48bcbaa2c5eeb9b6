import Judging
import Media
import Runtime
import Units

/// B3: from the start of the second program to the first picture out of it, and out of the first.
extension Measurements {
  /// Milliseconds, one of each join.
  private struct Joins {
    var joining: [Double] = []
    var waiting: [Double] = []
  }

  /// On this computer, without delay.
  func firstPicture(transport: String, repeats: Int = 10) throws(BenchError) -> Report {
    let workspace = try Workspace()
    let joins = try join(
      repeats, over: transport, in: workspace, rendezvous: try Rendezvous(programs, in: workspace),
      label: "near")
    var report = Report("B3 \(transport)")
    report.add(
      "first picture after the second program's start, 0 RTT",
      [
        .atMost("who joins, p50", 500, "ms", seen: percentile(50, of: joins.joining)),
        .atMost("who joins, p95", 500, "ms", seen: percentile(95, of: joins.joining)),
        .atMost("who waited, p95", 500, "ms", seen: percentile(95, of: joins.waiting)),
        .goal("who joins, p50", 60, "ms", seen: percentile(50, of: joins.joining)),
        .goal("who waited, p50", 60, "ms", seen: percentile(50, of: joins.waiting)),
      ])
    return report
  }

  /// With 50 ms there and back between the two, which the server is not behind: as calls are, and told to
  /// use one transport alone; and with a fifth of all packets lost besides.
  func firstPictureFromAfar() throws(BenchError) -> Report {
    var report = Report("B3 from afar")
    let loss = 20
    for (transport, goal) in [("auto", 200.0), ("tcp", 200), ("udp", 320)] {
      let joins = try join(10, over: transport, scenario: "loss-0")
      report.add(
        "RTT 50 ms, --transport \(transport)",
        [
          .goal("who joins, p50", goal, "ms", seen: percentile(50, of: joins.joining)),
          .goal("who waited, p50", goal, "ms", seen: percentile(50, of: joins.waiting)),
          .shown("who joins, p95", "ms", seen: percentile(95, of: joins.joining)),
        ])
    }
    for transport in ["auto", "udp"] {
      let joins = try join(40, over: transport, scenario: "loss-\(loss)")
      report.add(
        "RTT 50 ms, \(loss) % lost, --transport \(transport)",
        [
          .shown("who joins, p50", "ms", seen: percentile(50, of: joins.joining)),
          .goal("who joins, p95", 600, "ms", seen: percentile(95, of: joins.joining)),
          .goal("who waited, p95", 600, "ms", seen: percentile(95, of: joins.waiting)),
        ])
    }
    return report
  }

  private func join(
    _ repeats: Int, over transport: String, scenario name: String
  ) throws(BenchError) -> Joins {
    let workspace = try Workspace()
    let link = try EmulatedLink(
      programs, scenario: try programs.scenario(name), in: workspace, label: "link")
    try link.start()
    guard let ends = link.flows.first else { throw BenchError("\(name) has no flow") }
    let rendezvous = try Rendezvous(
      programs, in: workspace, listen: "\(link.hub.address):7443", network: link.hub.network)
    let joins = try join(
      repeats, over: transport, in: workspace, rendezvous: rendezvous, label: name,
      networks: [ends.source.network, ends.sink.network])
    _ = try link.stop()
    return joins
  }

  private func join(
    _ repeats: Int, over transport: String, in workspace: Workspace, rendezvous: Rendezvous,
    label: String, networks: [String?] = [nil, nil]
  ) throws(BenchError) -> Joins {
    let book = FrameBook.pattern(size, seconds: 1)
    var joins = Joins()
    for number in 0..<repeats {
      progress("join \(number + 1) of \(repeats) over \(transport), \(label)")
      var parties = ["ann", "bob"].map(PartyPlan.init)
      for index in parties.indices {
        parties[index].frames = book
        parties[index].isListening = false
        parties[index].network = networks[index]
      }
      let plan = CallPlan(parties: parties, size: size, transport: transport, seconds: 2)
      let script = CallScript(
        programs: programs, workspace: workspace, rendezvous: rendezvous,
        label: "\(label)-\(transport)\(number)")
      let record = try script.run(plan)
      let begun = record.parties[1].startedAt
      let first = record.parties.map { party in
        party.views.first?.seen.first.map { ($0.at - begun).milliseconds } ?? .infinity
      }
      joins.waiting.append(first[0])
      joins.joining.append(first[1])
    }
    return joins
  }
}
