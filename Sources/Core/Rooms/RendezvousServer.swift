package import Ciphers
package import Units
import Wire

/// The rendezvous server without sockets, TLS and disk: who is in which room, boxes between
/// them, limits and expiry. Feed it, take `nextOutput()` until nil, sleep until `nextDeadline`.
package struct RendezvousServer {
  private let limits: RendezvousLimits
  private let ciphers: any CipherSuite
  private let relays: RelayOffer?
  private let clock: WallClock
  private var random: SeededRandom
  private var gate: ConnectionGate
  private var connections: [ConnectionID: Connection] = [:]
  /// Arrived and not admitted, oldest first; entries of others are skipped.
  private var arrivals = OutputQueue<ConnectionID>()
  private var pendingCount = 0
  private var memberCount = 0
  private var sessionsOfIdentity: [[UInt8]: Int] = [:]
  private var rooms: RoomLedger
  /// When each connection is looked at again.
  private var deadlines = DeadlineQueue<ConnectionID>()
  private var drainsUntil: Instant?
  private var isDrained = false
  private var outputs = OutputQueue<Output>()

  private struct Connection {
    let group: AddressGroup
    var stage: Stage
    var deadline: Instant
    var messages: TokenBucket
    /// When relays were last granted.
    var grantedAt: Instant?

    var isPending: Bool {
      switch stage {
      case .securing, .secured: true
      case .member, .ending: false
      }
    }
  }

  private enum Stage {
    case securing
    case secured(peerID: [UInt8], exporter: [UInt8])
    case member(rid: [UInt8], peerID: [UInt8])
    /// Closing was asked for.
    case ending
  }

  /// `rooms`: those that survived. `seed` spreads the times of coming back.
  package init(
    limits: RendezvousLimits = RendezvousLimits(), relays: RelayOffer? = nil,
    ciphers: any CipherSuite, clock: WallClock, rooms stored: [StoredRoom] = [], seed: UInt64,
    at now: Instant
  ) {
    self.limits = limits
    self.relays = relays
    self.ciphers = ciphers
    self.clock = clock
    rooms = RoomLedger(limits: limits, clock: clock)
    random = SeededRandom(seed: seed)
    gate = ConnectionGate(limits: limits)
    for room in stored.prefix(limits.rooms) { rooms.open(room.rid, room.record, at: now) }
  }

  package mutating func handle(_ input: Input, at now: Instant) {
    switch input {
    case .arrived(let id, let ip): arrive(id, ip, now)
    case .secured(let id, let peerID, let exporter):
      guard case .securing = connections[id]?.stage else { return }
      connections[id]?.stage = .secured(peerID: peerID, exporter: exporter)
    case .received(let id, let kind, let body): receive(id, kind, body, now)
    case .closed(let id): closed(id, now)
    case .drain: drain(now)
    }
  }

  package mutating func nextOutput() -> Output? { outputs.next() }

  package var nextDeadline: Deadline? {
    var earliest = deadlines.next.map { Deadline("connections", at: $0) }
    earliest = .earlier(earliest, rooms.nextDeadline.map { Deadline("rooms", at: $0) })
    earliest = .earlier(earliest, gate.nextDeadline.map { Deadline("addresses", at: $0) })
    if !isDrained, let drainsUntil {
      earliest = .earlier(earliest, Deadline("drain", at: drainsUntil))
    }
    return earliest
  }

  package mutating func handleTimeout(at now: Instant) {
    while let (_, id) = deadlines.takeDue(at: now) { connectionDue(id, now) }
    while let ended = rooms.nextEnded(at: now) { close(ended, now) }
    gate.handleTimeout(at: now)
    if let drainsUntil, drainsUntil <= now { finishDraining() }
  }

  /// How many sessions are in rooms, and how many rooms live.
  package var census: (members: Int, rooms: Int) { (memberCount, rooms.count) }

  // MARK: Arrival

  private mutating func arrive(_ id: ConnectionID, _ ip: IPAddress, _ now: Instant) {
    let group = AddressGroup(ip)
    guard drainsUntil == nil, gate.admit(group, at: now) else {
      outputs.append(.reset(id))
      return
    }
    let deadline = now + limits.admissionTime
    connections[id] = Connection(
      group: group, stage: .securing, deadline: deadline,
      messages: TokenBucket(
        rate: limits.messagesPerSecond, burst: limits.messageBurst, at: now))
    deadlines.insert(id, at: deadline)
    arrivals.append(id)
    pendingCount += 1
    while pendingCount > limits.pending, let oldest = arrivals.next() {
      if connections[oldest]?.isPending == true { end(oldest, .reset(oldest), now) }
    }
    outputs.append(.serve(id))
  }

  // MARK: Messages

  private mutating func receive(
    _ id: ConnectionID, _ kind: UInt8, _ body: [UInt8], _ now: Instant
  ) {
    guard let stage = connections[id]?.stage else { return }
    guard connections[id]?.messages.take(at: now) == true else { return end(id, .reset(id), now) }
    do {
      switch (RendezvousKind(rawValue: kind), stage) {
      case (_, .ending): return
      case (.create, .secured(let peerID, let exporter)):
        let request = try CreateRoom(decoding: body)
        enter(id, peerID, exporter, request.admission, request.record, now)
      case (.join, .secured(let peerID, let exporter)):
        let request = try JoinRoom(decoding: body)
        enter(id, peerID, exporter, request.admission, nil, now)
      case (_, .securing), (_, .secured):
        // Nothing else is said before admission.
        return end(id, .reset(id), now)
      case (.box, .member(let rid, _)):
        forward(try SealedBox(decoding: body), from: id, in: rid, now)
      case (.store, .member(let rid, let peerID)):
        store(try RoomRecord(decoding: body), by: peerID, in: rid, now)
      case (.ping, .member(let rid, _)):
        send(.pong, try RendezvousPing(decoding: body), to: id)
        grantRelays(to: id, in: rid, now)
      case (.leave, .member(let rid, _)):
        leave(id, rid, now)
        end(id, .close(id), now)
      case (.create, .member), (.join, .member): return end(id, .reset(id), now)
      // Kinds of later versions are skipped.
      case (_, .member): break
      }
    } catch {
      return end(id, .reset(id), now)
    }
    if case .member = connections[id]?.stage {
      let deadline = now + limits.idleTime
      connections[id]?.deadline = deadline
    }
  }

  // MARK: Admission

  /// CREATE with `record`, JOIN without. Whatever is wrong gets the same answer after the same
  /// work: the signature first, then a look-up in memory.
  private mutating func enter(
    _ id: ConnectionID, _ peerID: [UInt8], _ exporter: [UInt8], _ admission: Admission,
    _ record: RoomRecord?, _ now: Instant
  ) {
    let rid = admission.rid
    let statement = AdmissionStatement(
      record == nil ? .join : .create, session: admission.session, peerID: peerID,
      fields: record?.encoded ?? [], exported: exporter)
    let isRight = statement.isProved(by: admission, with: ciphers)
    guard memberCount < limits.members,
      sessionsOfIdentity[peerID, default: 0] < limits.sessionsPerIdentity
    else { return postpone(id, seconds: 5, now) }
    guard isRight else { return refuse(id, now) }

    var isNew = false
    if let room = rooms[rid], rooms.isExpired(room.record.terms, at: now) { close(rid, now) }
    if rooms[rid] == nil {
      guard let record, !rooms.isExpired(record.terms, at: now) else { return refuse(id, now) }
      guard rooms.count < limits.rooms, let group = connections[id]?.group,
        gate.mayCreate(group, at: now)
      else { return postpone(id, seconds: 30, now) }
      rooms.open(rid, record, at: now)
      outputs.append(.store(StoredRoom(rid: rid, record: record)))
      isNew = true
    }

    let entry = rooms[rid]!.enter(
      admission.session, peerID: peerID, over: id, limit: limits.membersPerRoom)
    switch entry {
    case .refused: return refuse(id, now)
    case .replaced(let older): end(older, .close(older), now)
    case .entered: break
    }
    settle(id, .member(rid: rid, peerID: peerID))
    memberCount += 1
    sessionsOfIdentity[peerID, default: 0] += 1
    rooms[rid]!.usedAt = now

    let others = rooms[rid]!.members.filter { $0.connection != id }
    send(
      .joined,
      RoomSnapshot(
        isNew: isNew, record: rooms[rid]!.record,
        members: others.map(\.described).suffix(RoomSnapshot.memberLimit)), to: id)
    grantRelays(to: id, in: rid, now)
    let newcomer = RoomMember(session: admission.session, peerID: peerID)
    for other in others { send(.memberJoined, newcomer, to: other.connection) }
  }

  /// The one answer to whatever is wrong with a room.
  private mutating func refuse(_ id: ConnectionID, _ now: Instant) {
    outputs.append(.send(id, RendezvousFrame(.refused).encoded))
    end(id, .close(id), now)
  }

  /// Overload sheds new work first; half as long again at random, so that not all come at once.
  private mutating func postpone(_ id: ConnectionID, seconds: Double, _ now: Instant) {
    let wait = seconds * (1 + random.unit() / 2)
    send(.retryLater, RetryLater(milliseconds: UInt32(wait * 1_000)), to: id)
    end(id, .close(id), now)
  }

  // MARK: In the room

  /// After half of its lifetime a grant is replaced: clients ping more often than that.
  private mutating func grantRelays(to id: ConnectionID, in rid: [UInt8], _ now: Instant) {
    guard let relays, let connection = connections[id] else { return }
    if let grantedAt = connection.grantedAt, now - grantedAt < relays.lifetime * 0.5 { return }
    connections[id]?.grantedAt = now
    let grant = relays.grant(
      rid: rid, unixSeconds: clock.unixSeconds(at: now), with: ciphers)
    send(.relays, grant, to: id)
  }

  private mutating func forward(
    _ box: SealedBox, from id: ConnectionID, in rid: [UInt8], _ now: Instant
  ) {
    // A box that is lost costs nothing: the next one holds all of it.
    let limits = limits
    guard
      let route = rooms[rid]?.route(from: id, to: box.session, limits: limits, at: now)
    else { return }
    send(
      .delivered, SealedBox(session: route.sender, sealed: box.sealed), to: route.connection)
  }

  /// Only the owner changes a room; who may not be in it any longer is shown out.
  private mutating func store(
    _ record: RoomRecord, by peerID: [UInt8], in rid: [UInt8], _ now: Instant
  ) {
    guard let room = rooms[rid], room.record.terms.owner == peerID,
      record.terms.owner == peerID
    else { return }
    guard rooms[rid]!.stores.take(at: now) else { return }
    rooms.replace(rid, by: record, at: now)
    outputs.append(.store(StoredRoom(rid: rid, record: record)))
    for member in room.members { send(.record, record, to: member.connection) }
    for member in room.members where !rooms[rid]!.admits(member.peerID) {
      showOut(member, rid, now)
    }
  }

  private mutating func showOut(
    _ member: HostedRoom.Member, _ rid: [UInt8], _ now: Instant
  ) {
    leave(member.connection, rid, now)
    refuse(member.connection, now)
  }

  /// The others are told, unless the session has come back over another connection.
  private mutating func leave(_ id: ConnectionID, _ rid: [UInt8], _ now: Instant) {
    rooms[rid]?.usedAt = now
    guard let member = rooms[rid]?.leave(id) else { return }
    for other in rooms[rid]?.members ?? [] {
      send(.memberLeft, member.session, to: other.connection)
    }
  }

  // MARK: The end of a connection

  private mutating func closed(_ id: ConnectionID, _ now: Instant) {
    guard let connection = connections[id] else { return }
    if case .member(let rid, _) = connection.stage { leave(id, rid, now) }
    settle(id, .ending)
    connections[id] = nil
    gate.leave(connection.group, at: now)
    if drainsUntil != nil, connections.isEmpty { finishDraining() }
  }

  /// Asks for the end; `closed` will follow.
  private mutating func end(_ id: ConnectionID, _ output: Output, _ now: Instant) {
    guard let connection = connections[id] else { return }
    if case .ending = connection.stage { return }
    if case .member(let rid, _) = connection.stage { leave(id, rid, now) }
    settle(id, .ending)
    outputs.append(output)
  }

  /// Changes the stage and the counts that depend on it.
  private mutating func settle(_ id: ConnectionID, _ stage: Stage) {
    guard let connection = connections[id] else { return }
    if connection.isPending {
      pendingCount -= 1
      gate.settle(connection.group)
    }
    if case .member(_, let peerID) = connection.stage {
      memberCount -= 1
      let left = sessionsOfIdentity[peerID, default: 1] - 1
      sessionsOfIdentity[peerID] = left == 0 ? nil : left
    }
    connections[id]?.stage = stage
  }

  private mutating func connectionDue(_ id: ConnectionID, _ now: Instant) {
    guard let connection = connections[id] else { return }
    if connection.deadline > now {
      deadlines.insert(id, at: connection.deadline)
    } else {
      end(id, .reset(id), now)
    }
  }

  /// A room has ended: its members are shown out.
  private mutating func close(_ rid: [UInt8], _ now: Instant) {
    for member in rooms[rid]?.members ?? [] { showOut(member, rid, now) }
    rooms.remove(rid)
    outputs.append(.forget(rid: rid))
  }

  // MARK: Going down

  /// Members are told when to come back, spread over two seconds.
  private mutating func drain(_ now: Instant) {
    guard drainsUntil == nil else { return }
    drainsUntil = now + limits.drainTime
    // Sorted, since a dictionary's order differs from run to run.
    for id in connections.keys.sorted(by: { $0.number < $1.number }) {
      guard let connection = connections[id] else { continue }
      if connection.isPending {
        end(id, .reset(id), now)
      } else if case .member(let rid, _) = connection.stage {
        // Without the word to the others: all of them are leaving.
        _ = rooms[rid]?.leave(id)
        let wait = 500 + UInt32(random.unit() * 2_000)
        send(.retryLater, RetryLater(milliseconds: wait), to: id)
        end(id, .close(id), now)
      }
    }
    if connections.isEmpty { finishDraining() }
  }

  private mutating func finishDraining() {
    guard !isDrained else { return }
    isDrained = true
    outputs.append(.drained)
  }

  private mutating func send(
    _ kind: RendezvousKind, _ message: some WireMessage, to id: ConnectionID
  ) {
    outputs.append(.send(id, RendezvousFrame(kind, message).encoded))
  }
}
