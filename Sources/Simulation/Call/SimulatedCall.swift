import Call
package import Rooms
package import Units
package import Wire

/// A whole call: a server, a room, two or more members on computers of their own, and every checker
/// watching from the first datagram on.
package final class SimulatedCall {
  package let world: World
  package let network: SimulatedNetwork
  package let findings: Findings
  package let server: SimulatedServer
  /// What the server grants to its members.
  package let relay: SimulatedRelay?
  package private(set) var members: [SimulatedMember] = []

  package struct Limits: Sendable {
    /// A picture that is decoded later after its capture is a finding.
    package var oldest = Interval.seconds(3)
    /// Between picture and sound, for 95 of 100 pictures. A picture that waits for its repair comes
    /// later than its sound: lossy lines need a round trip more.
    package var skew = Interval.milliseconds(40)
    package init() {}
  }

  package let room: SimulatedRoom
  /// Of what viewers that open from now on are judged by.
  package var limits: Limits
  private let sabotage: Sabotage?
  private var gate: GateChecker
  private struct Pair: Hashable { var sender, listener: SessionID }
  private var paces: [Pair: PaceChecker] = [:]
  /// Lines from one member to another, in the order in which the pairs met.
  private var chats: [(from: SessionID, to: SessionID, checker: ChatChecker)] = []
  /// Lines that were said to nobody yet.
  private var held: [(member: SessionID, id: String, text: String)] = []
  private var said = 0
  private var swapped: String?
  /// Sizes of packets; more than one only where a burst is planted.
  private var burst: [Int] = []

  package init(
    seed: UInt64, serverLine: AccessLine = .cable, relay: RelayBehavior? = nil,
    policy: RoomPolicy = RoomPolicy(), limits: Limits = Limits(), sabotage: Sabotage? = nil
  ) throws(RoomKeysError) {
    world = World(seed: sabotage == .unseeded ? SystemRandomNumberGenerator.word : seed)
    network = SimulatedNetwork(world)
    findings = Findings(world)
    self.limits = limits
    self.sabotage = sabotage
    gate = GateChecker(findings: findings)
    self.relay = relay.map { [world, network] in
      SimulatedRelay(world, network: network, behavior: $0)
    }
    server = SimulatedServer(
      world, network: network, line: serverLine, relays: self.relay?.offer, findings: findings)
    var random = world.split()
    let owner = SimulatedIdentity(seed: random.next())
    room = try SimulatedRoom(
      owner: owner, policy: policy, with: SimulatedCipherSuite(seed: random.next()))
    // Somebody said `room create` earlier.
    server.keep(StoredRoom(rid: room.keys.rid, record: room.record))
    server.start()
    world.repeat(every: .milliseconds(100)) { [weak self] in
      guard let self else { return false }
      for member in members { member.lookAtTargets() }
      return true
    }
  }

  // MARK: Members

  /// Adds a member who joins `after` from now; without an access in the core, in either family, where
  /// nobody need ask how he is seen.
  @discardableResult
  package func add(
    _ name: String, line: AccessLine = .cable, at access: SimulatedAccess? = nil,
    options: SimulatedMember.Options = SimulatedMember.Options(), after: Interval = .zero
  ) -> SimulatedMember {
    let host =
      access.map { network.addHost(name, line: line, at: $0) }
      ?? network.addHost(name, line: line)
    let tap = FrameTap { [unowned self] kind, count, peer in
      sent(kind, count, by: name, to: peer)
    }
    let member = SimulatedMember(
      name, world: world, host: host, room: room,
      server: server, stunServers: access == nil ? [] : server.stunAddresses,
      relaySessions: relay?.makeSessions(), options: options,
      tap: tap, sabotage: sabotage,
      findings: findings, onEvent: { [unowned self] in told($0, $1) },
      openViewer: { [unowned self] in viewer(of: $1, at: $0) })
    members.append(member)
    world.schedule(after: after) { member.join() }
    return member
  }

  package func member(_ session: SessionID) -> SimulatedMember? {
    members.first { $0.session == session }
  }

  /// What `viewer` sees and hears of `other`.
  package func figures(of other: SimulatedMember, at viewer: SimulatedMember) -> ViewingFigures {
    viewer.viewers[other.session]?.figures ?? ViewingFigures()
  }

  private func viewer(of session: SessionID, at member: SimulatedMember) -> Viewer? {
    guard let other = self.member(session) else { return nil }
    gate.introduce(member.sessions.certificateKeyHash, to: other.sessions.certificateKeyHash)
    // A peer that comes back keeps its viewer: its pictures go on counting.
    if let known = member.viewers[session] {
      known.reopen()
      return known
    }
    return Viewer(
      "\(other.name) at \(member.name)", world: world, clock: member.clock, of: other.studio,
      oldest: limits.oldest, skewLimit: limits.skew, since: world.now + .seconds(5),
      sabotage: sabotage, findings: findings)
  }

  // MARK: Watching

  private func sent(_ kind: FrameKind, _ count: Int, by name: String, to peer: [UInt8]?) {
    guard let member = members.first(where: { $0.name == name }) else { return }
    let own = member.sessions.certificateKeyHash
    let other = peer ?? []
    gate.sent(kind, from: own, to: other)
    if sabotage == .mediaBeforeProof, kind == .segment { gate.sent(.rtp, from: own, to: other) }
    guard kind == .rtp,
      let listener = members.first(where: { $0.sessions.certificateKeyHash == other }),
      let target = member.targets[listener.session], target > .zero
    else { return }
    burst.append(count + 65)
    if sabotage == .burst, burst.count < 200 { return }
    let pair = Pair(sender: member.session, listener: listener.session)
    for count in burst {
      paces[
        pair,
        default: PaceChecker(
          "\(member.name) to \(listener.name)", headStart: 40_000, findings: findings)
      ].send(count, target: target, at: world.now)
    }
    burst.removeAll(keepingCapacity: true)
  }

  private func told(_ member: SimulatedMember, _ event: CallEvent) {
    switch event {
    case .chatSent(let id, let text):
      said += 1
      let readers = readers(of: member)
      for reader in readers { expect(text, id: id, from: member.session, to: reader) }
      if sabotage == .deliveryTooEarly { for reader in readers { deliver(id, member, reader) } }
      if readers.isEmpty { held.append((member.session, id, text)) }
    case .trust(let label, _, _):
      // Lines that waited for somebody go to the first who is proved.
      guard let reader = SessionID(text: label.peer) else { return }
      for line in held where line.member == member.session {
        expect(line.text, id: line.id, from: member.session, to: reader)
      }
      held.removeAll { $0.member == member.session }
    case .chat(let label, _, let text): heard(text, from: label.peer, at: member)
    case .chatDelivered(let id, let label):
      guard let reader = SessionID(text: label.peer), sabotage != .deliveryUntold else { return }
      deliver(id, member, reader)
      if sabotage == .deliveryDoubled { deliver(id, member, reader) }
    default: return
    }
  }

  private func deliver(_ id: String, _ sender: SimulatedMember, _ reader: SessionID) {
    with(sender.session, reader) { $0.deliver(id: id) }
  }

  /// Members who were introduced to `member`, and have not left it.
  private func readers(of member: SimulatedMember) -> [SessionID] {
    var readers: [SessionID] = []
    for (_, event) in member.events {
      switch event {
      case .trust(let label, _, _):
        if let session = SessionID(text: label.peer), !readers.contains(session) {
          readers.append(session)
        }
      case .peerLeft(let label, _): readers.removeAll { $0.description == label.peer }
      default: continue
      }
    }
    return readers
  }

  private func expect(_ text: String, id: String, from: SessionID, to: SessionID) {
    with(from, to) { $0.say(text, id: id) }
  }

  private func heard(_ text: String, from peer: String, at member: SimulatedMember) {
    guard let sender = SessionID(text: peer) else { return }
    with(sender, member.session) { checker in
      switch sabotage {
      case .chatLost: return
      case .chatInvented:
        checker.hear(text)
        checker.hear("nobody says this")
      case .chatDoubled:
        checker.hear(text)
        checker.hear(text)
      case .chatSwapped:
        guard let first = swapped else {
          swapped = text
          return
        }
        checker.hear(text)
        checker.hear(first)
        swapped = nil
      default: checker.hear(text)
      }
    }
  }

  private func with(
    _ from: SessionID, _ to: SessionID, _ body: (inout ChatChecker) -> Void
  ) {
    if let index = chats.firstIndex(where: { $0.from == from && $0.to == to }) {
      body(&chats[index].checker)
      return
    }
    let name = "\(member(from)?.name ?? "?") to \(member(to)?.name ?? "?")"
    var checker = ChatChecker(name, findings: findings)
    body(&checker)
    chats.append((from, to, checker))
  }

  // MARK: What users do

  /// A numbered line each `interval` from each member, until `end`.
  package func chatter(every interval: Interval, until end: Instant) {
    for member in members {
      var number = 0
      world.schedule(after: interval) { [self] in
        world.repeat(every: interval) { [unowned self] in
          guard world.now < end, !member.isOver else { return false }
          number += 1
          member.say("\(member.name) says \(number)")
          return true
        }
      }
    }
  }

  package func at(_ instant: Interval, _ action: @escaping () -> Void) {
    world.schedule(at: .zero + instant, action)
  }

  package func run(for interval: Interval) { world.run(for: interval) }

  /// Judges what can only be judged at the end. `chatIsComplete`: all that was said must be there.
  package func finish(chatIsComplete: Bool = true) {
    for member in members {
      for session in member.viewers.keys.sorted() { member.viewers[session]?.finish() }
    }
    if chatIsComplete { for chat in chats { chat.checker.finish() } }
  }

  /// Every line came, and was told as delivered.
  package var isChatComplete: Bool { chats.allSatisfy(\.checker.isComplete) }
  package var mediaFrames: Int { gate.mediaFrames }
  package var chatLinesHeard: Int { chats.reduce(0) { $0 + $1.checker.heardCount } }
  package var chatLinesSaid: Int { said }
}

extension SystemRandomNumberGenerator {
  fileprivate static var word: UInt64 {
    var generator = SystemRandomNumberGenerator()
    return generator.next()
  }
}
