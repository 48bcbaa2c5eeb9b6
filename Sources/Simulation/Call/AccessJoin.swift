package import Call
package import Rooms
package import Units

/// Two who join behind accesses, made up from a seed: what delay and loss is between them, and who
/// comes first; and whether they met as well as they could, or were told that they cannot.
package struct AccessJoin {
  package enum Outcome: Hashable, Sendable {
    /// Both were told the best path, so long after the second joined.
    case met(Interval)
    /// There is none, and both were told so, so long after the second joined.
    case told(Interval)
    /// What each of them was told instead.
    case failed(String)
  }

  package let call: SimulatedCall
  package let pair: AccessPair
  package let relay: RelayBehavior?
  /// `nil` where there is none.
  package let best: PathKind?
  /// Delay and loss are between the two; else they are halved on the line of each, and the server is
  /// behind it too.
  package let isServerNear: Bool
  /// From one to the other.
  private let conditions: LinkConditions
  /// When the second joins.
  private let joinedAt: Instant

  /// A network that loses a fifth of all packets needs that long now and then.
  private static let patience = Interval.seconds(20)
  /// Exit 6 is due 30 s after the other was announced, which may take as long as a meeting.
  private static let patienceWithoutWay = patience + .seconds(35)
  /// A path is no good that is left again at once.
  private static let trial = Interval.seconds(2)

  /// Whom a seed brings together.
  package static func pair(of seed: UInt64) -> AccessPair {
    var random = SeededRandom(seed: seed ^ 0x5041_4952)
    return AccessPair.all[Int(random.next() % UInt64(AccessPair.all.count))]
  }

  /// Which relay their server grants them, if it has one.
  package static func relay(of seed: UInt64) -> RelayBehavior? {
    var random = SeededRandom(seed: seed ^ 0x5245_4C59)
    guard random.chance(0.75) else { return nil }
    return RelayBehavior.presets[Int(random.next() % UInt64(RelayBehavior.presets.count))]
  }

  package init(
    seed: UInt64, between pair: AccessPair, relay: RelayBehavior? = nil, best: PathKind?
  ) throws(RoomKeysError) {
    self.pair = pair
    self.relay = relay
    self.best = best
    var random = SeededRandom(seed: seed ^ 0x4A4F_494E)
    conditions = LinkConditions(
      delay: .milliseconds(Int64(100 * random.unit())), loss: 0.2 * random.unit())
    isServerNear = random.chance(0.5)
    let pause = Interval.milliseconds(Int64(2_000 * random.unit()))
    joinedAt = .zero + pause
    call = try SimulatedCall(seed: seed, serverLine: .local, relay: relay)
    let sides = call.network.addAccesses(
      pair, servers: call.server.host.addresses + (call.relay?.host.addresses ?? []))
    let order = random.chance(0.5) ? [sides.first, sides.second] : [sides.second, sides.first]
    let line = isServerNear ? AccessLine.local : AccessLine(name: "drawn", both: conditions.half)
    for (name, access, after) in [("Anna", order[0], .zero), ("Ben", order[1], pause)] {
      var options = SimulatedMember.Options()
      options.sendsVideo = false
      options.serverPort = access.kind.serverPort
      call.add("\(name) (\(access.kind))", line: line, at: access, options: options, after: after)
    }
    guard isServerNear else { return }
    _ = call.network.addBottleneck(forward: conditions, backward: conditions)
    call.network.place(call.members[0].host, on: .left)
    call.network.place(call.members[1].host, on: .right)
  }

  package func outcome() -> Outcome {
    let end = joinedAt + (best == nil ? Self.patienceWithoutWay : Self.patience)
    while call.world.now < end, !isDecided { call.run(for: .milliseconds(100)) }
    if isDecided, best != nil { call.run(for: Self.trial) }
    guard isDecided, call.findings.isEmpty, let at = call.members.compactMap(decidedAt).max() else {
      return .failed(report)
    }
    return best == nil ? .told(at - joinedAt) : .met(at - joinedAt)
  }

  private var isDecided: Bool {
    guard let best else {
      return call.members.allSatisfy { $0.exitCode == 6 && paths(of: $0).isEmpty }
    }
    return call.members.allSatisfy { $0.exitCode == nil } && path == best
  }

  /// The way of their frames as a whole: who speaks UDP with his relay cannot tell that the other
  /// one speaks TCP with hers (docs/protocol.md, Relays). `nil` until both have one.
  private var path: PathKind? {
    let told = call.members.map { paths(of: $0).last?.path }
    guard !told.contains(nil), !told.contains(.reconnecting) else { return nil }
    return Self.preference.last { told.contains($0) }
  }
  private static let preference = [PathKind.udpDirect, .tcpDirect, .udpRelay, .tcpRelay]

  private func decidedAt(_ member: SimulatedMember) -> Instant? {
    guard best != nil, let path = paths(of: member).last?.path else {
      return member.events.last?.at
    }
    return member.times(of: path).first
  }

  /// When both could be heard first, over whatever path.
  package var firstLink: Interval? {
    let times = call.members.compactMap { paths(of: $0).first?.at }
    return times.count == call.members.count ? times.max().map { $0 - joinedAt } : nil
  }

  /// What a member was told of links.
  private func paths(of member: SimulatedMember) -> [(at: Instant, path: PathKind)] {
    member.events.compactMap { at, event in
      if case .link(_, let report) = event { (at, report.path) } else { nil }
    }
  }

  private var report: String {
    let way = best.map(\.rawValue) ?? "none"
    let percent = Int((conditions.loss * 100).rounded())
    var lines = [
      "seed \(call.world.seed): \(pair), \(relay?.name ?? "no relay"), best \(way), \(Int(conditions.delay.milliseconds)) ms and "
        + "\(percent) % loss between them\(isServerNear ? "" : " and half of it to the server")"
    ]
    for (member, since) in zip(call.members, [Instant.zero, joinedAt]) {
      let told = [(at: since, what: "joins")] + member.events.compactMap(Self.told)
      let words = told.map { "\($0.what) \(Int(($0.at - .zero).milliseconds))" }
      lines.append("  \(member.name), in ms: \(words.joined(separator: ", "))")
    }
    if !call.findings.isEmpty { lines.append(call.findings.summary) }
    return lines.joined(separator: "\n")
  }

  /// What tells how far somebody came.
  private static func told(_ at: Instant, _ event: CallEvent) -> (at: Instant, what: String)? {
    switch event {
    case .room: (at, "in the room")
    case .peerJoined: (at, "sees the other")
    case .link(_, let report): (at, report.path.rawValue)
    case .peerLeft: (at, "is left")
    case .left(_, let code): (at, "exit \(code)")
    default: nil
    }
  }
}

extension LinkConditions {
  /// One of two lines that together are about this one.
  fileprivate var half: LinkConditions { LinkConditions(delay: delay / 2, loss: loss / 2) }
}

extension AccessKind {
  /// Where its people call the rendezvous server: firewalls leave one port open.
  package var serverPort: UInt16 {
    let isOpen = gateways.allSatisfy { $0.streamPorts?.contains(SimulatedServer.port) ?? true }
    return isOpen ? SimulatedServer.port : SimulatedServer.firewallPort
  }
}
