import Rooms
import Testing
import Units
import Wire

@Suite struct RendezvousServerTests {
  private let ann = Person(1)
  private let bob = Person(2)
  private let eve = Person(3)
  private let room = Room(7)

  @Test func `the second member learns of the first and the first of the second`() throws {
    var hall = VirtualHall()
    let record = room.record(owner: ann)
    let a = hall.create(ann, room, record)
    let b = hall.join(bob, room)
    let first = try RoomSnapshot(decoding: hall.frames(to: a)[0].body)
    #expect(first == RoomSnapshot(isNew: true, record: record, members: []))
    let second = try RoomSnapshot(decoding: hall.frames(to: b)[0].body)
    #expect(second == RoomSnapshot(isNew: false, record: record, members: [ann.member]))
    #expect(hall.frames(to: a)[1...] == [RendezvousFrame(.memberJoined, bob.member)])
    #expect(hall.stored == [StoredRoom(rid: room.rid, record: record)])
  }

  @Test func `boxes reach the member they name, with their sender, and nobody else`() {
    var hall = VirtualHall()
    let a = hall.create(ann, room, room.record(owner: ann))
    let b = hall.join(bob, room)
    let e = hall.join(eve, room)
    hall.send(b, .box, SealedBox(session: ann.session, sealed: [9, 9]))
    #expect(
      hall.frames(to: a).last
        == RendezvousFrame(.delivered, SealedBox(session: bob.session, sealed: [9, 9])))
    #expect(!hall.kinds(e).contains(.delivered))
    #expect(!hall.kinds(b).contains(.delivered))
  }

  @Test func `eight boxes a second pass between a pair, more are dropped, other pairs go on`() {
    var hall = VirtualHall()
    let a = hall.create(ann, room, room.record(owner: ann))
    let b = hall.join(bob, room)
    let e = hall.join(eve, room)
    for _ in 0..<100 { hall.send(b, .box, SealedBox(session: ann.session, sealed: [])) }
    #expect(hall.kinds(a).filter { $0 == .delivered }.count == 16)
    hall.send(b, .box, SealedBox(session: eve.session, sealed: []))
    #expect(hall.kinds(e).filter { $0 == .delivered }.count == 1)
    hall.advance(.seconds(1))
    for _ in 0..<100 { hall.send(b, .box, SealedBox(session: ann.session, sealed: [])) }
    #expect(hall.kinds(a).filter { $0 == .delivered }.count == 24)
  }

  @Test func `who leaves, and whose connection ends, is announced`() {
    var hall = VirtualHall()
    let a = hall.create(ann, room, room.record(owner: ann))
    let b = hall.join(bob, room)
    let e = hall.join(eve, room)
    hall.handle(.received(b, kind: RendezvousKind.leave.rawValue, body: []))
    #expect(hall.ended == [b])
    hall.handle(.closed(e))
    let left = hall.frames(to: a).filter { $0.kind == .memberLeft }
    #expect(
      left == [
        RendezvousFrame(.memberLeft, bob.session), RendezvousFrame(.memberLeft, eve.session),
      ])
    #expect(hall.server.census.members == 1)
  }

  @Test func `the same session over a new connection replaces the older one silently`() {
    var hall = VirtualHall()
    let a = hall.create(ann, room, room.record(owner: ann))
    let older = hall.join(bob, room)
    let newer = hall.join(bob, room)
    #expect(hall.ended == [older])
    #expect(hall.kinds(newer) == [.joined])
    // Registered again: time for ann to send a box, and no word of a leaving.
    #expect(hall.kinds(a) == [.joined, .memberJoined, .memberJoined])
    #expect(hall.server.census.members == 2)
  }

  @Test func `a present member keeps his session id however many others come and go`() {
    var hall = VirtualHall()
    let a = hall.create(ann, room, room.record(owner: ann))
    for number in 0..<300 {
      let low = UInt8(number & 255)
      let high = UInt8(number >> 8)
      var passing = Person(9)
      passing.session = SessionID(
        bytes: [1, high] + [UInt8](repeating: low, count: 14))!
      let id = hall.join(passing, room, ip: .v4(10, 0, high, low))
      hall.send(id, .leave, passing.session)
      hall.advance(.milliseconds(100))
    }
    let thief = hall.join(Person(1, identity: 9), room)
    #expect(hall.kinds(thief) == [.refused])
    let isStillThere = !hall.ended.contains(a)
    #expect(isStillThere)
  }

  @Test func `a session id belongs to the identity that used it first, also after it left`() {
    var hall = VirtualHall()
    hall.create(ann, room, room.record(owner: ann))
    let b = hall.join(bob, room)
    hall.handle(.closed(b))
    let thief = hall.join(Person(2, identity: 9), room)
    #expect(hall.kinds(thief) == [.refused])
    let again = hall.join(bob, room)
    #expect(hall.kinds(again) == [.joined])
  }

  /// Each way to be refused: what is prepared, and by whom entry is then tried.
  private enum Refusal: CaseIterable {
    case unknown
    case expired
    case full
    case locked
    case wrongSignature
    case otherConnection
    case otherIdentity
    case otherRoom
  }

  @Test(arguments: Refusal.allCases)
  private func `every refusal is the same single answer`(refusal: Refusal) {
    var hall = VirtualHall()
    let record: RoomRecord? =
      switch refusal {
      case .unknown: nil
      case .expired: room.record(owner: ann, expiresIn: 60)
      case .full: room.record(owner: ann, size: 1)
      case .locked: room.record(owner: ann, allowed: [bob])
      default: room.record(owner: ann)
      }
    if let record { hall.create(ann, room, record) }
    if refusal == .expired { hall.advance(.seconds(361)) }
    let id = hall.secure(eve)
    var admission = eve.admission(room, nil, over: id)
    switch refusal {
    case .wrongSignature: admission.signature[0] ^= 1
    case .otherConnection: admission = eve.admission(room, nil, over: ConnectionID(999))
    case .otherIdentity: admission = Person(3, identity: 4).admission(room, nil, over: id)
    case .otherRoom: admission.rid = Room(8).rid
    default: break
    }
    hall.send(id, .join, JoinRoom(admission: admission))
    #expect(hall.frames(to: id) == [RendezvousFrame(.refused)])
    #expect(hall.ended.contains(id))
  }

  @Test func `an admission signed for create is not good for join, nor with other terms`() {
    var hall = VirtualHall()
    let record = room.record(owner: ann)
    let one = hall.secure(ann)
    hall.send(one, .join, JoinRoom(admission: ann.admission(room, record, over: one)))
    #expect(hall.kinds(one) == [.refused])
    let two = hall.secure(ann)
    hall.send(
      two, .create,
      CreateRoom(
        admission: ann.admission(room, record, over: two),
        record: room.record(owner: ann, size: 9)))
    #expect(hall.kinds(two) == [.refused])
    #expect(hall.stored.isEmpty)
  }

  @Test func `create of a living room is answered as join and changes nothing`() throws {
    var hall = VirtualHall()
    let record = room.record(owner: ann)
    hall.create(ann, room, record)
    let b = hall.create(bob, room, room.record(owner: bob))
    let snapshot = try RoomSnapshot(decoding: hall.frames(to: b)[0].body)
    #expect(snapshot == RoomSnapshot(isNew: false, record: record, members: [ann.member]))
  }

  @Test func `only the owner changes the record, and a lock shows the others out`() {
    var hall = VirtualHall()
    let record = room.record(owner: ann)
    let a = hall.create(ann, room, record)
    let b = hall.join(bob, room)
    let e = hall.join(eve, room)
    hall.send(e, .store, room.record(owner: eve))
    hall.send(e, .store, room.record(owner: ann, size: 3))
    #expect(hall.stored.count == 1)
    let locked = room.record(owner: ann, allowed: [bob])
    hall.send(a, .store, locked)
    #expect(hall.frames(to: b).contains(RendezvousFrame(.record, locked)))
    #expect(hall.kinds(e).suffix(1) == [.refused])
    #expect(hall.ended == [e])
    #expect(hall.frames(to: b).last == RendezvousFrame(.memberLeft, eve.session))
    #expect(hall.stored.last == StoredRoom(rid: room.rid, record: locked))
  }

  @Test func `rooms that survived a restart are entered without being made again`() throws {
    let record = room.record(owner: ann)
    var hall = VirtualHall(rooms: [StoredRoom(rid: room.rid, record: record)])
    let b = hall.join(bob, room)
    let snapshot = try RoomSnapshot(decoding: hall.frames(to: b)[0].body)
    #expect(snapshot == RoomSnapshot(isNew: false, record: record, members: []))
  }

  @Test func `an expired room is forgotten five minutes later and its members shown out`() {
    var hall = VirtualHall()
    let a = hall.create(ann, room, room.record(owner: ann, expiresIn: 60))
    for _ in 0..<7 {
      hall.advance(.seconds(50))
      hall.send(a, .ping, RendezvousPing(token: 1))
    }
    #expect(hall.forgotten.isEmpty)
    hall.advance(.seconds(10))
    #expect(hall.forgotten == [room.rid])
    #expect(hall.kinds(a).last == .refused)
    #expect(hall.server.census.rooms == 0)
  }

  @Test func `a later expiry keeps a room that would have ended`() {
    var hall = VirtualHall()
    let a = hall.create(ann, room, room.record(owner: ann, expiresIn: 60))
    hall.send(a, .store, room.record(owner: ann, expiresIn: 6_000))
    hall.advance(.seconds(3_000))
    #expect(hall.server.census.rooms == 1)
    hall.advance(.seconds(3_400))
    #expect(hall.forgotten == [room.rid])
  }

  @Test func `a room that expires in a thousand years is forgotten when it was unused for a month`()
  {
    var hall = VirtualHall()
    let a = hall.create(ann, room, room.record(owner: ann, expiresIn: 1_000 * 365 * 86_400))
    hall.handle(.closed(a))
    hall.advance(.seconds(29 * 86_400))
    #expect(hall.forgotten.isEmpty)
    hall.advance(.seconds(2 * 86_400))
    #expect(hall.forgotten == [room.rid])
  }

  @Test func `a room without expiry is forgotten when it was unused for a month`() {
    var hall = VirtualHall()
    let a = hall.create(ann, room, room.record(owner: ann))
    hall.handle(.closed(a))
    hall.advance(.seconds(29 * 86_400))
    let again = hall.join(bob, room)
    #expect(hall.kinds(again) == [.joined])
    hall.advance(.seconds(29 * 86_400))
    #expect(hall.forgotten.isEmpty)
    hall.advance(.seconds(2 * 86_400))
    #expect(hall.forgotten == [room.rid])
  }
}
