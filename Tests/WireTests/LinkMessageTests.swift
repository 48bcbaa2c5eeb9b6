import Testing
import Units
import Wire

@Suite struct LinkMessageTests {
  private let session = SessionID(bytes: [UInt8](0..<16))!

  @Test func `a session id`() {
    checkMessage(session, golden: [UInt8](0..<16))
    #expect(session.description == "000102030405060708090a0b0c0d0e0f")
    #expect(SessionID(text: session.description) == session)
    #expect(SessionID(text: "000102030405060708090A0B0C0D0E0F") == session)
    #expect(SessionID(text: "0001") == nil)
    #expect(SessionID(text: String(repeating: "g", count: 32)) == nil)
    #expect(SessionID(bytes: [1]) == nil)
    #expect(session < SessionID(bytes: [UInt8](1..<17))!)
  }

  @Test func `HELLO is as documented`() {
    checkMessage(
      LinkMessage.hello(Hello(session: session, capabilities: 0x0102_0304)),
      golden: [1, 1] + [UInt8](0..<16) + [1, 2, 3, 4])
  }

  @Test func `PROOF is as documented`() {
    checkMessage(
      LinkMessage.proof(Proof(code: [UInt8](repeating: 5, count: 32))),
      golden: [2] + [UInt8](repeating: 5, count: 32))
  }

  @Test func `IDENTITY is as documented`() {
    checkMessage(
      LinkMessage.identity(
        Identity(certificateChain: [[7, 7], [8]], signature: [9], displayName: "Zoë")),
      golden: [3, 2]  // IDENTITY, two certificates
        + [0, 2, 7, 7, 0, 1, 8]
        + [0, 1, 9]  // signature
        + [0, 4, 0x5A, 0x6F, 0xC3, 0xAB])  // name
  }

  @Test func `IDENTITY with bytes that are no text, no or too many certificates is refused`() {
    #expect((try? LinkMessage(decoding: [3, 1, 0, 0, 0, 0, 0, 1, 0xFF])) == nil)
    #expect((try? LinkMessage(decoding: [3, 0, 0, 0, 0, 0])) == nil)
    let nine = [UInt8](repeating: 0, count: 18)
    #expect((try? LinkMessage(decoding: [3, 9] + nine + [0, 0, 0, 0])) == nil)
  }

  @Test func `SELECT is as documented`() {
    checkMessage(LinkMessage.select(Select(number: 258)), golden: [4, 0, 0, 1, 2])
  }

  @Test func `CLOCK is as documented`() {
    // 2^24 + 2 s and a quarter.
    checkMessage(
      LinkMessage.clock(Clock(time: 0x0100_0002_4000_0000)),
      golden: [5, 1, 0, 0, 2, 0x40, 0, 0, 0])
  }

  @Test func `NTP's format keeps nanoseconds, and no time of a peer's traps`() {
    #expect(NTPTime.at(.zero + .milliseconds(2_250)) == 0x0000_0002_4000_0000)
    for nanoseconds in [0, 1, 999_999_999, 86_400_123_456_789] as [Int64] {
      let time = NTPTime.interval(NTPTime.at(Instant(nanoseconds: nanoseconds)))
      #expect(time.nanoseconds == nanoseconds || time.nanoseconds == nanoseconds - 1)
    }
    #expect(NTPTime.interval(.max).seconds.rounded() == 4_294_967_296)
  }

  @Test func `PING, PONG and GOODBYE`() {
    checkMessage(Ping(number: 0xA0B0_C0D0), golden: [0xA0, 0xB0, 0xC0, 0xD0])
    checkMessage(Pong(number: 1), golden: [0, 0, 0, 1])
    // 2 s and a quarter.
    checkMessage(
      ClockedPong(number: 0x0102, time: 0x0000_0002_4000_0000),
      golden: [0, 0, 1, 2, 0, 0, 0, 2, 0x40, 0, 0, 0])
    checkMessage(Goodbye(isAnswer: false), golden: [0])
    checkMessage(Goodbye(isAnswer: true), golden: [1])
    #expect((try? Goodbye(decoding: [2])) == nil)
  }

  @Test func `a message's first segment`() {
    checkMessage(
      ReliableSegment(
        stream: .chat, sequence: 258, head: .init(id: 7, length: 3), payload: [1, 2, 3]),
      golden: [3]  // chat
        + [0, 0, 0, 0, 0, 0, 1, 2]  // sequence
        + [1]  // a message begins
        + [0, 0, 0, 0, 0, 0, 0, 7]  // its id
        + [0, 0, 0, 3]  // its length
        + [1, 2, 3],
      openFrom: 23)
  }

  @Test func `a later segment`() {
    checkMessage(
      ReliableSegment(stream: .files, sequence: 1, head: nil, payload: [9]),
      golden: [4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 9], openFrom: 11)
    #expect((try? ReliableSegment(decoding: [4, 0, 0, 0, 0, 0, 0, 0, 1, 0])) == nil)
  }

  @Test func `a segment fits a datagram`() {
    let segment = ReliableSegment(
      stream: .chat, sequence: .max, head: .init(id: .max, length: ReliableSegment.messageLimit),
      payload: [UInt8](repeating: 1, count: ReliableSegment.payloadLimit))
    #expect(Frame(.segment, segment.encoded).count <= Frame.datagramLimit)
    var longer = segment
    longer.payload.append(1)
    #expect((try? ReliableSegment(decoding: longer.encoded)) == nil)
  }

  @Test func `an acknowledgement`() {
    checkMessage(
      Acknowledgement(stream: .control, next: 5, later: 0b101),
      golden: [2, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 5])
  }
}
