package import Ciphers
package import Units
package import Wire

/// One session's registration in one room at one server, without socket and TLS. It comes back by
/// itself, with the same session id, whenever the connection is lost after the first joining.
///
/// Nothing that it says is a reason to end a proved link: it reports what the server claims.
package struct RendezvousClient {
  private let configuration: Configuration
  private let ciphers: any CipherSuite
  private var random: SeededRandom
  private var phase = Phase.idle
  private var splitter = FrameSplitter(limit: RendezvousFrame.clientLimit)
  /// The server key that was accepted: it is not asked about again.
  private var acceptedKeyHash: [UInt8]?
  /// What the room is made from where it does not live: the newest that was checked. What a server
  /// says is not: its successor would believe the owner that it made up.
  private var record: RoomRecord?
  private var hasJoined = false
  private var roster = ClaimedRoster()
  private var failures = 0
  /// Before the first joining: how long a busy or restarting server is waited for.
  private var patience: Instant?
  private var nextPing: Instant?
  private var pongDue: Instant?
  /// The connection is in doubt because our own network changed, until the newest ping is answered: what
  /// else comes may have lain in the kernel since before. Whoever comes back then is no part of a crowd that
  /// a server's death sent away.
  private var isInDoubt = false
  /// Of the newest ping.
  private var token: UInt64 = 0
  /// When the last request left that is answered, and how long the newest answer took.
  private var askedAt = Instant.zero
  private var roundTrip: Interval?
  private var outputs = OutputQueue<Output>()

  private enum Phase {
    case idle
    case connecting(until: Instant)
    /// The connection may die while the user thinks.
    case verifying(ServerFacts, isConnected: Bool)
    case entering(until: Instant)
    case member
    case waiting(until: Instant)
    case ended
  }

  private static let connectTime = Interval.seconds(10)
  private static let answerTime = Interval.seconds(10)
  private static let pingTime = Interval.seconds(20)
  /// For an answer over a connection that has reason to be dead, at most: else twice what one took
  /// before, and a margin. To come back in vain costs three round trips.
  private static let doubtTime = Interval.seconds(1.5)
  private static let doubtMargin = Interval.milliseconds(100)
  /// The same where a peer has fallen silent: an outage of that length alone is no reason to begin anew.
  private static let outageTime = Interval.seconds(3)
  private static let patienceTime = Interval.seconds(30)
  private static let secondThoughts = Interval.seconds(5)
  /// How long a first entry goes on when the server shed it half-way.
  private static let shedPatience = Interval.seconds(12)
  private static let longestPause = Interval.seconds(4)
  /// Whatever a server says that goes down.
  private static let leastPause = Interval.milliseconds(250)
  private static let pauseAfterRefusal = Interval.seconds(15)

  package init(_ configuration: Configuration, ciphers: any CipherSuite) {
    self.configuration = configuration
    self.ciphers = ciphers
    record = configuration.record
    random = SeededRandom(seed: configuration.seed)
  }

  package mutating func handle(_ input: Input, at now: Instant) {
    if case .ended = phase { return }
    switch input {
    case .start: connect(now)
    case .secured(let facts): secured(facts, now)
    case .serverAccepted: accepted(now)
    case .serverRejected: rejected(now)
    case .received(let bytes): received(bytes, now)
    case .disconnected(let reason): disconnected(reason, now)
    case .unheard(let reason):
      if case .connecting = phase { patience = patience ?? now + Self.secondThoughts }
      disconnected(reason, now)
    case .certificateRefused: certificateRefused(now)
    case .sendBox(let session, let sealed):
      if case .member = phase, sealed.count <= SealedBox.sealedLimit {
        send(.box, SealedBox(session: session, sealed: sealed))
      }
    case .learned(let newer): record = newer
    case .store(let newer):
      record = newer
      if case .member = phase { send(.store, newer) }
    case .networkChanged: networkChanged(now)
    case .addressChanged:
      if case .member = phase { returnAtOnce(now) } else { networkChanged(now) }
    case .peerSilent:
      if case .member = phase, pongDue == nil { ping(awaiting: Self.outageTime, now) }
    case .leave: leave()
    }
  }

  package mutating func nextOutput() -> Output? { outputs.next() }

  package var nextDeadline: Deadline? {
    var earliest: Deadline?
    switch phase {
    case .connecting(let until): earliest = Deadline("server connect", at: until)
    case .entering(let until): earliest = Deadline("server answer", at: until)
    case .waiting(let until): earliest = Deadline("server retry", at: until)
    case .member:
      earliest = .earlier(
        nextPing.map { Deadline("server ping", at: $0) },
        pongDue.map { Deadline("server pong", at: $0) })
    case .idle, .verifying: break
    case .ended: return nil
    }
    return .earlier(earliest, roster.nextDeadline.map { Deadline("missing member", at: $0) })
  }

  package mutating func handleTimeout(at now: Instant) {
    switch phase {
    case .connecting(let until) where until <= now: fail("no answer", now)
    case .entering(let until) where until <= now: fail("no answer", now)
    case .waiting(let until) where until <= now: connect(now)
    case .member:
      if let pongDue, pongDue <= now {
        if isInDoubt {
          returnAtOnce(now)
        } else {
          fail("no answer", now)
        }
      } else if let nextPing, nextPing <= now {
        ping(awaiting: Self.answerTime, now)
      }
    default: break
    }
    for session in roster.givenUp(at: now) { outputs.append(.memberLeft(session)) }
  }

  // MARK: Getting in

  private mutating func connect(_ now: Instant) {
    splitter = FrameSplitter(limit: RendezvousFrame.clientLimit)
    phase = .connecting(until: now + Self.connectTime)
    isInDoubt = false
    outputs.append(.connect)
  }

  private mutating func secured(_ facts: ServerFacts, _ now: Instant) {
    guard case .connecting = phase else { return }
    if facts.keyHash == acceptedKeyHash { return enter(facts, now) }
    phase = .verifying(facts, isConnected: true)
    outputs.append(.verify(facts, mayAsk: !hasJoined))
  }

  private mutating func accepted(_ now: Instant) {
    guard case .verifying(let facts, let isConnected) = phase else { return }
    acceptedKeyHash = facts.keyHash
    if isConnected { enter(facts, now) } else { connect(now) }
  }

  private mutating func rejected(_ now: Instant) {
    guard case .verifying = phase else { return }
    if hasJoined { return fail("the server's key has changed", now) }
    outputs.append(.disconnect)
    end(.serverRejected)
  }

  /// CREATE wherever there is a record: a living room answers it as JOIN.
  private mutating func enter(_ facts: ServerFacts, _ now: Instant) {
    let statement = AdmissionStatement(
      record == nil ? .join : .create, session: configuration.session,
      peerID: configuration.peerID, fields: record?.encoded ?? [], exported: facts.exporter)
    let admission = statement.admission(seed: configuration.admissionSeed, with: ciphers)
    phase = .entering(until: now + Self.answerTime)
    askedAt = now
    if let record {
      send(.create, CreateRoom(admission: admission, record: record))
    } else {
      send(.join, JoinRoom(admission: admission))
    }
  }

  // MARK: What the server says

  private mutating func received(_ bytes: [UInt8], _ now: Instant) {
    switch phase {
    case .entering, .member: break
    default: return
    }
    splitter.push(bytes)
    do {
      while let frame = try splitter.next() {
        guard let kind = RendezvousKind(rawValue: frame[0]) else { continue }
        try received(RendezvousFrame(kind, Array(frame[1...])), now)
        switch phase {
        case .entering, .member: break
        default: return
        }
      }
    } catch {
      fail("the server does not speak this protocol", now)
    }
  }

  private mutating func received(_ frame: RendezvousFrame, _ now: Instant) throws(WireError) {
    if case .member = phase, !isInDoubt { proved(now) }
    switch frame.kind {
    case .joined:
      let snapshot = try RoomSnapshot(decoding: frame.body)
      if case .entering = phase { joined(snapshot, now) }
    case .memberJoined: cameOrReturned(try RoomMember(decoding: frame.body))
    case .memberLeft:
      let session = try SessionID(decoding: frame.body)
      if roster.remove(session) { outputs.append(.memberLeft(session)) }
    case .delivered:
      let box = try SealedBox(decoding: frame.body)
      outputs.append(.box(from: box.session, sealed: box.sealed))
    case .record:
      outputs.append(.record(try RoomRecord(decoding: frame.body)))
    case .relays: outputs.append(.relays(try RelayGrant(decoding: frame.body)))
    case .refused: refused(now)
    case .retryLater:
      let wait = try RetryLater(decoding: frame.body).milliseconds
      postponed(.milliseconds(Int64(min(wait, 120_000))), now)
    case .pong:
      guard try RendezvousPing(decoding: frame.body).token == token else { return }
      roundTrip = now - askedAt
      proved(now)
    case .create, .join, .leave, .box, .store, .ping: break
    }
  }

  /// The connection is alive.
  private mutating func proved(_ now: Instant) {
    isInDoubt = false
    pongDue = nil
    nextPing = now + Self.pingTime
  }

  private mutating func joined(_ snapshot: RoomSnapshot, _ now: Instant) {
    phase = .member
    failures = 0
    roundTrip = now - askedAt
    nextPing = now + Self.pingTime
    pongDue = nil
    if hasJoined {
      outputs.append(.registeredAgain)
      roster.compare(with: snapshot.members, at: now)
    } else {
      hasJoined = true
      outputs.append(.joined(snapshot))
    }
    for member in snapshot.members { cameOrReturned(member) }
  }

  private mutating func cameOrReturned(_ member: RoomMember) {
    guard member.session != configuration.session, roster.insert(member) else { return }
    outputs.append(.memberJoined(member))
  }

  /// Whether this member is registered, as far as the server has told.
  package func lists(_ session: SessionID) -> Bool { roster.lists(session) }

  // MARK: Failing and coming back

  /// Asks the server at once, or comes back without waiting any longer.
  private mutating func networkChanged(_ now: Instant) {
    switch phase {
    case .member:
      isInDoubt = true
      pongDue = nil
      let known = roundTrip.map { $0 * 2 + Self.doubtMargin } ?? Self.doubtTime
      ping(awaiting: min(known, Self.doubtTime), now)
    case .waiting where hasJoined: connect(now)
    case .connecting where hasJoined, .entering where hasJoined: fail("the network changed", now)
    case .idle, .connecting, .verifying, .entering, .waiting, .ended: break
    }
  }

  private mutating func returnAtOnce(_ now: Instant) {
    outputs.append(.disconnect)
    outputs.append(.lost("the network changed"))
    connect(now)
  }

  private mutating func ping(awaiting time: Interval, _ now: Instant) {
    token = random.next()
    send(.ping, RendezvousPing(token: token))
    askedAt = now
    nextPing = nil
    pongDue = min(pongDue ?? .distantFuture, now + time)
  }

  private mutating func disconnected(_ reason: String, _ now: Instant) {
    switch phase {
    case .verifying(let facts, _): phase = .verifying(facts, isConnected: false)
    case .connecting, .entering, .member: lose(reason, now)
    case .idle, .waiting, .ended: break
    }
  }

  /// Trying again would not help, unless the server let us in before.
  private mutating func certificateRefused(_ now: Instant) {
    guard !hasJoined else {
      return disconnected("the server lets in only people with a certificate of its CA", now)
    }
    end(.certificateRefused)
  }

  private mutating func fail(_ reason: String, _ now: Instant) {
    outputs.append(.disconnect)
    lose(reason, now)
  }

  private mutating func lose(_ reason: String, _ now: Instant) {
    // Shed half-way in, by a server that is there: worth another try or two, each of which takes five
    // seconds where the path is so bad that the server lost patience.
    if case .entering = phase { patience = patience ?? now + Self.shedPatience }
    guard hasJoined || now < patience ?? now else { return end(.unreachable(reason)) }
    if case .member = phase { outputs.append(.lost(reason)) }
    let pause = min(Self.longestPause, Interval.milliseconds(250 << Int64(min(failures, 6))))
    failures += 1
    wait(pause, now)
  }

  private mutating func refused(_ now: Instant) {
    outputs.append(.disconnect)
    guard hasJoined else { return end(.refused) }
    if case .member = phase { outputs.append(.lost("the server refuses the room")) }
    wait(Self.pauseAfterRefusal, now)
  }

  private mutating func postponed(_ pause: Interval, _ now: Instant) {
    outputs.append(.disconnect)
    if !hasJoined {
      patience = patience ?? now + Self.patienceTime
      guard now < patience! else { return end(.unreachable("the server is too busy")) }
    }
    if case .member = phase { outputs.append(.lost("the server is going down")) }
    phase = .waiting(until: now + max(pause, Self.leastPause))
  }

  /// Half to one and a half times as long, so that a crowd does not come back at once; but somebody
  /// who waits to get in hears no later than their patience lasts.
  private mutating func wait(_ pause: Interval, _ now: Instant) {
    let until = now + pause * (0.5 + random.unit())
    phase = .waiting(until: hasJoined ? until : min(until, patience ?? until))
  }

  // MARK: The end

  private mutating func leave() {
    switch phase {
    case .member:
      outputs.append(.send(RendezvousFrame(.leave).encoded))
      outputs.append(.disconnect)
    case .connecting, .verifying, .entering: outputs.append(.disconnect)
    case .idle, .waiting, .ended: break
    }
    end(.left)
  }

  private mutating func end(_ ending: Ending) {
    phase = .ended
    outputs.append(.ended(ending))
  }

  private mutating func send(_ kind: RendezvousKind, _ message: some WireMessage) {
    outputs.append(.send(RendezvousFrame(kind, message).encoded))
  }
}
