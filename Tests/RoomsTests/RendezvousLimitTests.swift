import Rooms
import Testing
import Units
import Wire

@Suite struct RendezvousLimitTests {
  private let ann = Person(1)
  private let room = Room(7)

  @Test func `who says nothing, or nothing that counts, is gone after five seconds`() {
    var hall = VirtualHall()
    let silent = hall.arrive()
    let secured = hall.secure(ann)
    hall.advance(.milliseconds(4_999))
    #expect(hall.ended.isEmpty)
    hall.advance(.milliseconds(1))
    #expect(hall.ended == [silent, secured])
  }

  @Test(
    arguments: [
      (RendezvousKind.box.rawValue, [UInt8](repeating: 0, count: 18)), (200, []),
      (RendezvousKind.join.rawValue, [1, 2, 3]), (RendezvousKind.create.rawValue, []),
    ] as [(UInt8, [UInt8])])
  func `anything but an admission ends a connection before it`(kind: UInt8, body: [UInt8]) {
    var hall = VirtualHall()
    let id = hall.secure(ann)
    hall.handle(.received(id, kind: kind, body: body))
    #expect(hall.ended == [id])
    #expect(hall.frames(to: id).isEmpty)
  }

  @Test func `a member that falls silent is taken for gone, one that pings is not`() {
    var hall = VirtualHall()
    let a = hall.create(ann, room, room.record(owner: ann))
    let b = hall.join(Person(2), room)
    for _ in 0..<4 {
      hall.advance(.seconds(20))
      hall.send(a, .ping, RendezvousPing(token: 5))
    }
    #expect(hall.ended == [b])
    #expect(hall.frames(to: a).last == RendezvousFrame(.pong, RendezvousPing(token: 5)))
    #expect(hall.frames(to: a).contains(RendezvousFrame(.memberLeft, Person(2).session)))
  }

  @Test func `one address gets 32 handshakes at once and 20 a second, others are not touched`() {
    var hall = VirtualHall()
    for _ in 0..<40 { _ = hall.arrive(.v4(198, 51, 100, 1)) }
    #expect(hall.ended.count == 8)
    let honest = hall.create(ann, room, room.record(owner: ann))
    #expect(hall.kinds(honest) == [.joined])
    // The pending ones run out of time; then the rate is what limits.
    hall.advance(.seconds(5))
    #expect(hall.ended.count == 40)
    var admitted = 0
    for _ in 0..<200 {
      let id = hall.arrive(.v4(198, 51, 100, 1))
      if !hall.ended.contains(id) {
        admitted += 1
        hall.handle(.closed(id))
      }
      hall.advance(.milliseconds(10))
    }
    #expect((70...72).contains(admitted))
  }

  @Test func `addresses of one IPv6 network of 64 bits count as one`() {
    var hall = VirtualHall()
    for n in 0..<40 as Range<UInt8> {
      let bytes = [0x20, 1, 0x0D, 0xB8, 0, 0, 0, 1] + [UInt8](repeating: n, count: 8)
      _ = hall.arrive(IPAddress(bytes: bytes)!)
    }
    #expect(hall.ended.count == 8)
  }

  @Test func `ten thousand silent connections do not keep an honest one out`() {
    var hall = VirtualHall()
    for n in 0..<10_000 {
      _ = hall.arrive(.v4(10, UInt8(n >> 16), UInt8(n >> 8 & 255), UInt8(n & 255)))
    }
    let a = hall.create(ann, room, room.record(owner: ann))
    #expect(hall.kinds(a) == [.joined])
    #expect(hall.ended.count == 10_000 - 1_023)
    hall.advance(.seconds(5))
    #expect(hall.ended.count == 10_000)
    // Nothing is remembered of them once their limits have recovered.
    hall.handle(.closed(a))
    hall.advance(.seconds(200))
    #expect(hall.server.nextDeadline?.timer != "addresses")
  }

  @Test func `one identity and one address are limited in sessions and rooms`() throws {
    var limits = RendezvousLimits()
    limits.sessionsPerIdentity = 2
    limits.createBurst = 3
    var hall = VirtualHall(limits: limits)
    let ids = (1...3).map { hall.create(Person($0, identity: 1), room, room.record(owner: ann)) }
    #expect(ids.map { hall.kinds($0).first } == [.joined, .joined, .retryLater])
    let wait = try RetryLater(decoding: hall.frames(to: ids[2])[0].body).milliseconds
    #expect((5_000...7_500).contains(wait))
    let others = (1...3).map { number in
      hall.create(Person(number + 10), Room(number + 20), room.record(owner: ann))
    }
    #expect(others.map { hall.kinds($0) } == [[.joined], [.joined], [.retryLater]])
  }

  @Test func `a full server tells newcomers when to come back and serves its members`() {
    var limits = RendezvousLimits()
    limits.members = 1
    var hall = VirtualHall(limits: limits)
    let a = hall.create(ann, room, room.record(owner: ann))
    let b = hall.join(Person(2), room)
    #expect(hall.kinds(b) == [.retryLater])
    #expect(hall.ended == [b])
    hall.send(a, .ping, RendezvousPing(token: 5))
    #expect(hall.kinds(a) == [.joined, .pong])
  }

  @Test func `a member that floods is cut off`() {
    var hall = VirtualHall()
    let a = hall.create(ann, room, room.record(owner: ann))
    for _ in 0..<1_300 { hall.send(a, .ping, RendezvousPing(token: 5)) }
    #expect(hall.ended == [a])
  }

  @Test func `going down tells every member when to come back, and ends`() throws {
    var hall = VirtualHall()
    let a = hall.create(ann, room, room.record(owner: ann))
    let b = hall.join(Person(2), room)
    let pending = hall.arrive()
    hall.handle(.drain)
    #expect(hall.kinds(a) == [.joined, .memberJoined, .retryLater])
    #expect(hall.kinds(b) == [.joined, .retryLater])
    #expect(hall.ended == [a, b, pending])
    #expect(hall.isDrained)
    // The rooms stay where they are kept.
    #expect(hall.forgotten.isEmpty)
  }

  @Test func `seeded garbage from members and strangers never traps`() {
    var hall = VirtualHall()
    var random = SeededRandom(seed: 4)
    for round in 0..<3_000 {
      let ip = IPAddress.v4(10, 0, UInt8(round >> 8), UInt8(round & 255))
      let person = Person(UInt8(round % 200))
      let id =
        round % 2 == 0
        ? hall.create(person, room, room.record(owner: ann), ip: ip) : hall.secure(person, ip)
      for _ in 0..<4 {
        let body = random.bytes(Int.random(in: 0..<300, using: &random))
        let kind =
          random.chance(0.8)
          ? RendezvousKind.allCases[
            Int.random(in: 0..<RendezvousKind.allCases.count, using: &random)
          ].rawValue : random.bytes(1)[0]
        hall.handle(.received(id, kind: kind, body: body))
      }
      hall.advance(.milliseconds(20))
      if random.chance(0.5) { hall.handle(.closed(id)) }
    }
    hall.advance(.seconds(80))
    #expect(hall.server.census.members == 0)
    #expect(hall.server.census.rooms == 1)
  }
}
