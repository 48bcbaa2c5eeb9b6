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
