import Ciphers
import Encryption
import Rooms
import Units
import Wire

/// A server and scripted connections in virtual time: every frame is kept by connection.
struct VirtualHall {
  var server: RendezvousServer
  var now = Instant.zero
  private(set) var sent: [ConnectionID: [RendezvousFrame]] = [:]
  /// Closed or reset by the server.
  private(set) var ended: Set<ConnectionID> = []
  private(set) var stored: [StoredRoom] = []
  private(set) var forgotten: [[UInt8]] = []
  private(set) var isDrained = false
  private var lastConnection: UInt64 = 0

  static let wallSeconds: UInt64 = 1_800_000_000
  static let ciphers = OpenSSLCipherSuite()

  init(
    limits: RendezvousLimits = RendezvousLimits(), rooms: [StoredRoom] = [],
    relays: RelayOffer? = nil
  ) {
    server = RendezvousServer(
      limits: limits, relays: relays, ciphers: Self.ciphers,
      clock: WallClock(unixSeconds: Int64(Self.wallSeconds), at: .zero), rooms: rooms, seed: 1,
      at: .zero)
  }

  /// Connections that the server closes are gone in the same turn.
  mutating func handle(_ input: RendezvousServer.Input) {
    server.handle(input, at: now)
    drain()
  }

  private mutating func drain() {
    while let output = server.nextOutput() {
      switch output {
      case .serve: break
      case .send(let id, let bytes): sent[id, default: []] += framesIn(bytes)
      case .close(let id), .reset(let id):
        ended.insert(id)
        server.handle(.closed(id), at: now)
      case .store(let room): stored.append(room)
      case .forget(let rid): forgotten.append(rid)
      case .drained: isDrained = true
      }
    }
  }

  /// Moves time on, stopping at each deadline.
  mutating func advance(_ interval: Interval) {
    let end = now + interval
    while let next = server.nextDeadline, next.at <= end {
      now = max(now, next.at)
      server.handleTimeout(at: now)
      drain()
      precondition(server.nextDeadline.map { $0.at > now } ?? true, "a deadline in the past")
    }
    now = end
  }

  /// A new connection, refused ones included.
  mutating func arrive(_ ip: IPAddress = .v4(192, 0, 2, 1)) -> ConnectionID {
    lastConnection += 1
    let id = ConnectionID(lastConnection)
    handle(.arrived(id, from: ip))
    return id
  }

  /// A new connection of a person, TLS done.
  mutating func secure(_ person: Person, _ ip: IPAddress = .v4(192, 0, 2, 1)) -> ConnectionID {
    let id = arrive(ip)
    handle(.secured(id, peerID: person.peerID, exporter: Self.exporter(id)))
    return id
  }

  static func exporter(_ id: ConnectionID) -> [UInt8] {
    ciphers.sha256(Array("exporter \(id.number)".utf8))
  }

  mutating func send(_ id: ConnectionID, _ kind: RendezvousKind, _ message: some WireMessage) {
    handle(.received(id, kind: kind.rawValue, body: message.encoded))
  }

  @discardableResult
  mutating func join(_ person: Person, _ room: Room, ip: IPAddress = .v4(192, 0, 2, 1))
    -> ConnectionID
  {
    let id = secure(person, ip)
    send(id, .join, JoinRoom(admission: person.admission(room, nil, over: id)))
    return id
  }

  @discardableResult
  mutating func create(
    _ person: Person, _ room: Room, _ record: RoomRecord, ip: IPAddress = .v4(192, 0, 2, 1)
  ) -> ConnectionID {
    let id = secure(person, ip)
    send(
      id, .create,
      CreateRoom(admission: person.admission(room, record, over: id), record: record))
    return id
  }

  /// The kinds of all frames to a connection.
  func kinds(_ id: ConnectionID) -> [RendezvousKind] { sent[id, default: []].map(\.kind) }
  func frames(to id: ConnectionID) -> [RendezvousFrame] { sent[id, default: []] }
}

struct Person {
  var session: SessionID
  var peerID: [UInt8]

  init(_ number: UInt8, identity: UInt8? = nil) {
    session = SessionID(bytes: [UInt8](repeating: number, count: 16))!
    peerID = [UInt8](repeating: identity ?? number, count: 32)
  }

  var member: RoomMember { RoomMember(session: session, peerID: peerID) }

  func admission(_ room: Room, _ record: RoomRecord?, over id: ConnectionID) -> Admission {
    AdmissionStatement(
      record == nil ? .join : .create, session: session, peerID: peerID,
      fields: record?.encoded ?? [], exported: VirtualHall.exporter(id)
    ).admission(seed: room.seed, with: VirtualHall.ciphers)
  }
}

struct Room {
  var seed: [UInt8]
  var rid: [UInt8]

  init(_ number: UInt8) {
    seed = [UInt8](repeating: number, count: 32)
    rid = RoomKeys.rid(
      ofAdmissionKey: VirtualHall.ciphers.admissionPublicKey(seed: seed),
      with: VirtualHall.ciphers)
  }

  func record(
    owner: Person, expiresIn seconds: UInt64? = nil, size: UInt16 = 0, allowed: [Person]? = nil
  ) -> RoomRecord {
    RoomRecord(
      terms: RoomTerms(
        owner: owner.peerID, expiry: seconds.map { VirtualHall.wallSeconds + $0 } ?? 0,
        size: size, isLocked: allowed != nil, allowed: allowed?.map(\.peerID) ?? []),
      sealed: [1, 2, 3])
  }
}

func framesIn(_ bytes: [UInt8]) -> [RendezvousFrame] {
  var splitter = FrameSplitter(limit: RendezvousFrame.clientLimit)
  splitter.push(bytes)
  var found: [RendezvousFrame] = []
  while let next = try? splitter.next() {
    found.append(RendezvousFrame(RendezvousKind(rawValue: next[0])!, Array(next[1...])))
  }
  return found
}
