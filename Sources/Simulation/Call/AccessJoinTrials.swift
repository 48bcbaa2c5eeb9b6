package import Call
package import Rooms

/// Many joins between all kinds of access, NATs and firewalls (BENCHMARKS B3): who met, over which
/// path and how soon, held against the best path that `PathSearch` knows.
package struct AccessJoinTrials {
  private struct Meeting: Hashable {
    let pair: AccessPair
    let relay: RelayBehavior?
  }

  /// The joins that had the same best path, with the server as near.
  private struct Group {
    let best: PathKind?
    let isServerNear: Bool
    var count = 0
    var times: [JoinTime] = []
    /// Until both were heard over any path.
    var firstLinks: [JoinTime] = []

    var row: String {
      let done = best.map { "met over \($0.rawValue)" } ?? "were told that there is no way"
      let server = isServerNear ? "server near" : "server far"
      let first = best == nil ? "" : "; over any path \(firstLinks.figures([50, 99]))"
      return "\(times.count) of \(count) \(done), \(server): \(times.figures([50, 99]))\(first)"
    }
  }

  /// Each with its seed, and what both were told.
  package private(set) var failures: [String] = []
  private var groups: [Group] = [
    PathKind.udpDirect, .tcpDirect, .udpRelay, .tcpRelay, nil,
  ].flatMap { best in [true, false].map { Group(best: best, isServerNear: $0) } }
  private var best: [Meeting: PathKind?] = [:]

  package init(first: UInt64, count: UInt64) throws(RoomKeysError) {
    for seed in first..<first + count { try add(seed) }
    for index in groups.indices {
      groups[index].times.sort { $0.took < $1.took }
      groups[index].firstLinks.sort { $0.took < $1.took }
    }
  }

  private mutating func add(_ seed: UInt64) throws(RoomKeysError) {
    let meeting = Meeting(pair: AccessJoin.pair(of: seed), relay: AccessJoin.relay(of: seed))
    let best = best(of: meeting)
    let join = try AccessJoin(
      seed: seed, between: meeting.pair, relay: meeting.relay, best: best)
    guard
      let group = groups.firstIndex(where: {
        $0.best == best && $0.isServerNear == join.isServerNear
      })
    else { return }
    groups[group].count += 1
    switch join.outcome() {
    case .met(let took), .told(let took):
      groups[group].times.append(JoinTime(took: took, seed: seed))
      if let first = join.firstLink {
        groups[group].firstLinks.append(JoinTime(took: first, seed: seed))
      }
    case .failed(let report): failures.append(report)
    }
  }

  private mutating func best(of meeting: Meeting) -> PathKind? {
    if let known = best[meeting] { return known }
    let found = PathSearch(
      meeting.pair, servers: PathSearch.Servers(relay: meeting.relay)
    ).paths.first
    best[meeting] = .some(found)
    return found
  }

  /// How many joins had this best path and met over it; `nil`: had no way and were told so.
  package func successes(over best: PathKind?) -> Int {
    groups.reduce(0) { $0 + ($1.best == best ? $1.times.count : 0) }
  }

  /// A line for each best path that there was, then the failures.
  package var text: String {
    let rows = groups.filter { $0.count > 0 }.map(\.row)
    let all = AccessPair.all.count * (RelayBehavior.presets.count + 1)
    let pairs = "\(best.count) of \(all) pairs with relays and without"
    return (["\(pairs), \(failures.count) failed"] + rows + failures).joined(separator: "\n")
  }
}
