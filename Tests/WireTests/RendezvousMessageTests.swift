import Testing
import Units
import Wire

@Suite struct RendezvousMessageTests {
  private let session = SessionID(bytes: Array(0x10..<0x20))!
  private let owner = [UInt8](repeating: 0xA1, count: 32)
  private let guest = [UInt8](repeating: 0xB2, count: 32)

  private var terms: RoomTerms {
    RoomTerms(owner: owner, expiry: 0x6543_2100, size: 5, isLocked: true, allowed: [guest])
  }
  private var goldenTerms: [UInt8] {
    owner  // owner
      + [0, 0, 0, 0, 0x65, 0x43, 0x21, 0x00]  // expiry
      + [0, 5]  // size
      + [1]  // locked
      + [1] + guest  // allowed
  }
  private var admission: Admission {
    Admission(
      rid: [UInt8](repeating: 1, count: 16), session: session,
      key: [UInt8](repeating: 2, count: 32), signature: [UInt8](repeating: 3, count: 64))
  }
  private var goldenAdmission: [UInt8] {
    [UInt8](repeating: 1, count: 16)  // rid
      + Array(0x10..<0x20)  // sid
      + [UInt8](repeating: 2, count: 32)  // admission key
      + [UInt8](repeating: 3, count: 64)  // signature
  }

  @Test func `room terms`() { checkMessage(terms, golden: goldenTerms) }

  @Test func `a room record`() {
    checkMessage(
      RoomRecord(terms: terms, sealed: [7, 8, 9]), golden: goldenTerms + [0, 3, 7, 8, 9])
  }

  @Test func `an admission`() { checkMessage(admission, golden: goldenAdmission) }

  @Test func `a request to create a room`() {
    checkMessage(
      CreateRoom(admission: admission, record: RoomRecord(terms: terms, sealed: [7])),
      golden: goldenAdmission + goldenTerms + [0, 1, 7])
  }

  @Test func `a request to join`() {
    checkMessage(JoinRoom(admission: admission), golden: goldenAdmission)
  }

  @Test func `a sealed box`() {
    checkMessage(
      SealedBox(session: session, sealed: [5, 6]), golden: Array(0x10..<0x20) + [0, 2, 5, 6])
  }

  @Test func `a ping`() {
    checkMessage(RendezvousPing(token: 0x0102), golden: [0, 0, 0, 0, 0, 0, 1, 2])
  }

  @Test func `a room member`() {
    checkMessage(
      RoomMember(session: session, peerID: guest), golden: Array(0x10..<0x20) + guest)
  }

  @Test func `a room's snapshot`() {
    checkMessage(
      RoomSnapshot(
        isNew: true, record: RoomRecord(terms: terms, sealed: []),
        members: [RoomMember(session: session, peerID: guest)]),
      golden: [1] + goldenTerms + [0, 0] + [1] + Array(0x10..<0x20) + guest)
  }

  @Test func `retry later`() {
    checkMessage(RetryLater(milliseconds: 1500), golden: [0, 0, 5, 0xDC])
  }

  private var grant: RelayGrant {
    RelayGrant(
      lifetime: 600,
      credentials: TurnCredentials(username: [0x75], password: [0x70, 0x77])!,
      servers: [
        RelayServer(.udp, SocketAddress(.v4(203, 0, 113, 1), port: 3_478)),
        RelayServer(.tls, SocketAddress(.v4(203, 0, 113, 1), port: 443), host: [0x72]),
      ])
  }

  @Test func `a grant of relays`() {
    checkMessage(
      grant,
      golden: [0, 0, 0x02, 0x58]  // lifetime
        + [0, 1, 0x75] + [0, 2, 0x70, 0x77]  // credentials
        + [2]  // relays
        + [1, 4, 203, 0, 113, 1, 0x0D, 0x96, 0, 0] + [3, 4, 203, 0, 113, 1, 1, 0xBB, 0, 1, 0x72])
  }

  @Test func `a relay over TLS has a name, and credentials are not empty`() {
    var nameless = grant
    nameless.servers[1].host = []
    #expect(throws: WireError.invalid(field: "relay host", found: 0)) {
      try RelayGrant(decoding: nameless.encoded)
    }
    var bytes = grant.encoded
    bytes[5] = 0
    bytes.remove(at: 6)
    #expect(throws: WireError.invalid(field: "relay credentials", found: 0)) {
      try RelayGrant(decoding: bytes)
    }
    #expect(throws: WireError.tooLong(field: "relays", found: 9, limit: 8)) {
      try RelayGrant(decoding: Array(grant.encoded[..<11]) + [9])
    }
  }

  @Test func `a box above its limit is refused before it is read`() {
    let bytes = session.bytes + [0x10, 0x01] + [UInt8](repeating: 0, count: 4097)
    #expect(throws: WireError.tooLong(field: "box", found: 4097, limit: 4096)) {
      try SealedBox(decoding: bytes)
    }
  }

  @Test func `the longest messages fit their frames`() {
    let peers = [[UInt8]](repeating: guest, count: RoomTerms.allowedLimit)
    let record = RoomRecord(
      terms: RoomTerms(owner: owner, isLocked: true, allowed: peers),
      sealed: [UInt8](repeating: 1, count: RoomRecord.sealedLimit))
    let create = CreateRoom(admission: admission, record: record)
    #expect(create.encoded.count < RendezvousFrame.serverLimit)
    let members = [RoomMember](
      repeating: RoomMember(session: session, peerID: guest), count: RoomSnapshot.memberLimit)
    let snapshot = RoomSnapshot(isNew: false, record: record, members: members)
    #expect(snapshot.encoded.count < RendezvousFrame.clientLimit)
  }

  @Test(arguments: [1, 2, 3, 7, 1000])
  func `frames come out whole however the stream is cut`(piece: Int) throws {
    let frames = [
      RendezvousFrame(.leave), RendezvousFrame(.ping, RendezvousPing(token: 9)),
      RendezvousFrame(.box, SealedBox(session: session, sealed: [1, 2, 3])),
    ]
    let stream = frames.flatMap(\.encoded)
    var splitter = FrameSplitter(limit: 100)
    var found: [RendezvousFrame] = []
    for start in stride(from: 0, to: stream.count, by: piece) {
      splitter.push(Array(stream[start..<min(start + piece, stream.count)]))
      while let next = try splitter.next() {
        let kind = try #require(RendezvousKind(rawValue: next[0]))
        found.append(RendezvousFrame(kind, Array(next[1...])))
      }
    }
    #expect(found == frames)
  }
}
