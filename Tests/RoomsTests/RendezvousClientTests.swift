import Rooms
import Testing
import Units
import Wire

@Suite struct RendezvousClientTests {
  private let ann = Person(1)
  private let bob = Person(2)
  private let room = Room(7)

  @Test func `a creator and a guest register, see each other and exchange boxes`() {
    var hall = VirtualHall()
    let record = room.record(owner: ann)
    var a = client(ann, record)
    var b = client(bob)
    a.handle(.start, at: hall.now)
    #expect(outputs(&a) == [.connect])
    let first = register(&a, ann, &hall)
    #expect(
      first.outputs == [.joined(RoomSnapshot(isNew: true, record: record, members: []))])
    b.handle(.start, at: hall.now)
    #expect(outputs(&b) == [.connect])
    let second = register(&b, bob, &hall)
    #expect(
      second.outputs == [
        .joined(RoomSnapshot(isNew: false, record: record, members: [ann.member])),
        .memberJoined(ann.member),
      ])
    b.handle(.sendBox(to: ann.session, sealed: [7]), at: hall.now)
    carry(outputs(&b), &b, &hall, second.id)
    for frame in hall.frames(to: first.id).dropFirst() {
      a.handle(.received(frame.encoded), at: hall.now)
    }
    #expect(outputs(&a) == [.memberJoined(bob.member), .box(from: bob.session, sealed: [7])])
  }

  @Test func `the server is verified before anything is said, and its key only once`() {
    var hall = VirtualHall()
    var a = client(ann, room.record(owner: ann))
    a.handle(.start, at: hall.now)
    _ = outputs(&a)
    let id = hall.secure(ann)
    a.handle(.secured(facts(id)), at: hall.now)
    #expect(outputs(&a) == [.verify(facts(id), mayAsk: true)])
    a.handle(.received([1, 2, 3]), at: hall.now)
    #expect(outputs(&a).isEmpty)
    a.handle(.serverAccepted, at: hall.now)
    carry(outputs(&a), &a, &hall, id)
    _ = outputs(&a)
    a.handle(.disconnected("reset"), at: hall.now)
    hall.now = a.nextDeadline!.at
    a.handleTimeout(at: hall.now)
    #expect(outputs(&a) == [.lost("reset"), .connect])
    let again = hall.secure(ann)
    a.handle(.secured(facts(again)), at: hall.now)
    guard case .send = outputs(&a).first else {
      Issue.record("asked again about an accepted key")
      return
    }
  }

  @Test func `a connection that dies while the user thinks is made again`() {
    var a = client(ann)
    a.handle(.start, at: .zero)
    a.handle(.secured(facts(ConnectionID(1))), at: .zero)
    a.handle(.disconnected("closed"), at: .zero)
    _ = outputs(&a)
    a.handle(.serverAccepted, at: .zero)
    #expect(outputs(&a) == [.connect])
  }

  @Test func `before the first joining a failure is final, with its reason`() {
    var a = client(ann)
    a.handle(.start, at: .zero)
    _ = outputs(&a)
    a.handle(.disconnected("Connection refused"), at: .zero)
    #expect(outputs(&a) == [.ended(.unreachable("Connection refused"))])

    var b = client(ann)
    b.handle(.start, at: .zero)
    _ = outputs(&b)
    let due = b.nextDeadline!
    #expect(due.at == .zero + .seconds(10))
    b.handleTimeout(at: due.at)
    #expect(outputs(&b) == [.disconnect, .ended(.unreachable("no answer"))])

    var c = client(ann)
    c.handle(.start, at: .zero)
    c.handle(.secured(facts(ConnectionID(1))), at: .zero)
    _ = outputs(&c)
    c.handle(.serverRejected, at: .zero)
    #expect(outputs(&c) == [.disconnect, .ended(.serverRejected)])
  }

  @Test func `a server that hung up before it was heard is tried for five seconds`() throws {
    var a = client(ann)
    a.handle(.start, at: .zero)
    _ = outputs(&a)
    let first = Instant.zero + .seconds(5.6)
    a.handle(.unheard("closed"), at: first)
    #expect(outputs(&a).isEmpty)
    let again = try #require(a.nextDeadline?.at)
    #expect(again > first && again < first + .milliseconds(500))
    a.handleTimeout(at: again)
    #expect(outputs(&a) == [.connect])
    a.handle(.unheard("closed"), at: first + .seconds(5.1))
    #expect(outputs(&a) == [.ended(.unreachable("closed"))])
  }

  @Test func `a server that goes on hanging up is given up after five seconds, not later`() throws {
    for seed: UInt64 in 1...50 {
      var a = client(ann, seed: seed)
      a.handle(.start, at: .zero)
      var now = Instant.zero
      var ending: RendezvousClient.Ending?
      while ending == nil {
        a.handle(.unheard("closed"), at: now)
        for case .ended(let why) in outputs(&a) { ending = why }
        guard let due = a.nextDeadline?.at else { break }
        now = due
        a.handleTimeout(at: now)
        _ = outputs(&a)
      }
      #expect(ending == .unreachable("closed"))
      #expect(now == .zero + .seconds(5), "seed \(seed)")
    }
  }

  @Test func `who is shed half-way in on a bad path tries for twelve seconds`() {
    var a = client(ann)
    a.handle(.start, at: .zero)
    var lost: [Interval] = []
    var ending: (RendezvousClient.Ending, Interval)?
    var now = Instant.zero
    while ending == nil, now < .zero + .seconds(60) {
      // A satellite that loses much: the server waits for five seconds, its word comes a second later.
      a.handle(.secured(facts(ConnectionID(1))), at: now + .seconds(3))
      a.handle(.serverAccepted, at: now + .seconds(3))
      now += .seconds(6)
      a.handle(.disconnected("the server closed the connection"), at: now)
      lost.append(now - .zero)
      for case .ended(let why) in outputs(&a) { ending = (why, now - .zero) }
      guard let due = a.nextDeadline?.at else { break }
      now = due
      a.handleTimeout(at: now)
    }
    #expect(lost.count == 3)
    #expect(ending?.0 == .unreachable("the server closed the connection"))
    #expect((.seconds(18)..<(.seconds(20))).contains(ending?.1 ?? .zero))
  }

  @Test func `a server that wants a certificate of its CA is not asked twice`() {
    var a = client(ann)
    a.handle(.start, at: .zero)
    a.handle(.secured(facts(ConnectionID(1))), at: .zero)
    a.handle(.serverAccepted, at: .zero)
    _ = outputs(&a)
    a.handle(.certificateRefused, at: .zero)
    #expect(outputs(&a) == [.ended(.certificateRefused)])

    var hall = VirtualHall()
    var b = client(bob, room.record(owner: ann))
    b.handle(.start, at: hall.now)
    _ = outputs(&b)
    _ = register(&b, bob, &hall)
    b.handle(.certificateRefused, at: hall.now)
    guard case .lost = outputs(&b).first else {
      Issue.record("a call ended by a server")
      return
    }
    #expect(b.nextDeadline?.timer == "server retry")
  }

  @Test func `a refusal is final before the first joining and a nuisance after it`() {
    var hall = VirtualHall()
    var b = client(bob)
    b.handle(.start, at: hall.now)
    _ = outputs(&b)
    #expect(register(&b, bob, &hall).outputs == [.disconnect, .ended(.refused)])

    var a = client(ann, room.record(owner: ann))
    a.handle(.start, at: hall.now)
    _ = outputs(&a)
    _ = register(&a, ann, &hall)
    a.handle(.received(RendezvousFrame(.refused).encoded), at: hall.now)
    #expect(outputs(&a) == [.disconnect, .lost("the server refuses the room")])
    let retry = a.nextDeadline!
    #expect(retry.timer == "server retry")
    a.handleTimeout(at: retry.at)
    #expect(outputs(&a) == [.connect])
  }

  @Test func `in a call nobody is asked about another key of the server`() {
    var hall = VirtualHall()
    var a = client(ann, room.record(owner: ann))
    a.handle(.start, at: hall.now)
    _ = outputs(&a)
    _ = register(&a, ann, &hall)
    a.handle(.disconnected("reset"), at: hall.now)
    hall.now = a.nextDeadline!.at
    a.handleTimeout(at: hall.now)
    _ = outputs(&a)
    let foreign = facts(hall.secure(ann), key: 6)
    a.handle(.secured(foreign), at: hall.now)
    #expect(outputs(&a) == [.verify(foreign, mayAsk: false)])
  }

  @Test func `what a server says of a room is not what it is made from again`() {
    var hall = VirtualHall()
    var b = client(bob)
    hall.create(ann, room, room.record(owner: ann))
    b.handle(.start, at: hall.now)
    _ = outputs(&b)
    let first = register(&b, bob, &hall)
    // The terms of a thief, whom the room's charter does not name.
    let stolen = room.record(owner: Person(66), allowed: [])
    b.handle(.received(RendezvousFrame(.record, stolen).encoded), at: hall.now)
    #expect(outputs(&b) == [.record(stolen)])
    _ = first

    b.handle(.disconnected("reset"), at: hall.now)
    hall.now = b.nextDeadline!.at
    b.handleTimeout(at: hall.now)
    let id = hall.secure(bob)
    b.handle(.secured(facts(id)), at: hall.now)
    let sent = outputs(&b).flatMap { output -> [RendezvousFrame] in
      if case .send(let bytes) = output { framesIn(bytes) } else { [] }
    }
    #expect(sent.map(\.kind) == [.join])
  }

  @Test func `a server that says later without a pause is not asked again at once`() {
    var hall = VirtualHall()
    var a = client(ann, room.record(owner: ann))
    a.handle(.start, at: hall.now)
    _ = outputs(&a)
    _ = register(&a, ann, &hall)
    a.handle(
      .received(RendezvousFrame(.retryLater, RetryLater(milliseconds: 0)).encoded), at: hall.now)
    _ = outputs(&a)
    #expect(a.nextDeadline == Deadline("server retry", at: hall.now + .milliseconds(250)))
  }

  @Test func `a server that lost its data gets the room again from a guest`() throws {
    var hall = VirtualHall()
    let record = room.record(owner: ann)
    hall.create(ann, room, record)
    var b = client(bob)
    b.handle(.start, at: hall.now)
    _ = outputs(&b)
    _ = register(&b, bob, &hall)
    // Whoever holds the room's keys has checked it.
    b.handle(.learned(record), at: hall.now)

    var fresh = VirtualHall()
    b.handle(.disconnected("reset"), at: fresh.now)
    fresh.now = b.nextDeadline!.at
    b.handleTimeout(at: fresh.now)
    _ = outputs(&b)
    let again = register(&b, bob, &fresh)
    #expect(again.outputs == [.registeredAgain])
    #expect(fresh.stored == [StoredRoom(rid: room.rid, record: record)])
    // Ann is given half a minute to register again before she counts as gone.
    var now = fresh.now
    var seen: [RendezvousClient.Output] = []
    while now < fresh.now + .seconds(31), let due = b.nextDeadline {
      now = max(now, due.at)
      b.handleTimeout(at: now)
      for output in outputs(&b) {
        if case .send(let bytes) = output {
          b.handle(
            .received(RendezvousFrame(.pong, framesIn(bytes)[0].body).encoded), at: now)
        } else {
          seen.append(output)
        }
      }
    }
    #expect(seen == [.memberLeft(ann.session)])
  }

  @Test func `a server going down is waited for, also before the first joining`() {
    var hall = VirtualHall()
    var a = client(ann, room.record(owner: ann))
    a.handle(.start, at: hall.now)
    a.handle(.secured(facts(ConnectionID(1))), at: hall.now)
    a.handle(.serverAccepted, at: hall.now)
    _ = outputs(&a)
    let later = RendezvousFrame(.retryLater, RetryLater(milliseconds: 700))
    a.handle(.received(later.encoded), at: hall.now)
    #expect(outputs(&a) == [.disconnect])
    #expect(a.nextDeadline == Deadline("server retry", at: .zero + .milliseconds(700)))
    a.handleTimeout(at: .zero + .milliseconds(700))
    #expect(outputs(&a) == [.connect])
    // Its successor is not up yet.
    a.handle(.disconnected("Connection refused"), at: .zero + .milliseconds(701))
    #expect(outputs(&a).isEmpty)
    a.handle(.leave, at: .zero + .seconds(1))
    #expect(outputs(&a) == [.ended(.left)])
    #expect(a.nextDeadline == nil)
    hall.advance(.seconds(1))
  }

  @Test func `leaving says so and a server that talks nonsense is left alone`() {
    var hall = VirtualHall()
    var a = client(ann, room.record(owner: ann))
    a.handle(.start, at: hall.now)
    _ = outputs(&a)
    let id = register(&a, ann, &hall).id
    a.handle(.received([0xFF, 0xFF, 0xFF]), at: hall.now)
    #expect(
      outputs(&a) == [.disconnect, .lost("the server does not speak this protocol")])
    var b = client(bob)
    b.handle(.start, at: hall.now)
    _ = outputs(&b)
    _ = register(&b, bob, &hall)
    b.handle(.leave, at: hall.now)
    #expect(
      outputs(&b) == [.send(RendezvousFrame(.leave).encoded), .disconnect, .ended(.left)])
    #expect(hall.kinds(id).first == .joined)
  }

  @Test func `seeded garbage from the server never traps and never ends the registration`() {
    var hall = VirtualHall()
    var a = client(ann, room.record(owner: ann))
    a.handle(.start, at: hall.now)
    _ = outputs(&a)
    _ = register(&a, ann, &hall)
    var random = SeededRandom(seed: 2)
    var now = hall.now
    for _ in 0..<3_000 {
      let kinds = RendezvousKind.allCases
      let kind = kinds[Int.random(in: 0..<kinds.count, using: &random)]
      let frame = RendezvousFrame(kind, random.bytes(Int.random(in: 0..<80, using: &random)))
      a.handle(.received(frame.encoded), at: now)
      for output in outputs(&a) {
        if case .ended = output { Issue.record("ended by \(frame)") }
        if case .connect = output {
          let id = hall.secure(ann, .v4(10, 0, 0, 1))
          a.handle(.secured(facts(id)), at: now)
        }
      }
      now += .milliseconds(100)
      a.handleTimeout(at: now)
    }
  }
}
