import Rooms
import Testing
import Units
import Wire

/// The server's answers to STUN questions (THREATS S15).
@Suite struct StunResponderTests {
  private static let transaction = (1...12).map { UInt8($0) }
  private let v4 = SocketAddress(.v4(203, 0, 113, 9), port: 61_000)
  private let v6 = SocketAddress(
    IPAddress(bytes: [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 7, count: 12))!, port: 443)

  private func question(
    filling: Int = 24, _ attributes: [StunAttribute] = [], kind: StunMessage.Class = .request,
    fingerprint: Bool = true
  ) -> [UInt8] {
    var message = StunMessage(
      kind, transactionID: Self.transaction,
      attributes: attributes
        + [.software([UInt8](repeating: 0x20, count: filling))])
    message.hasFingerprint = fingerprint
    return message.encoded
  }

  @Test func `whoever asks is told where he was seen`() throws {
    for source in [v4, v6] {
      let bytes = try #require(StunResponder.answer(to: question(), from: source))
      let answer = try StunMessage(decoding: bytes)
      #expect(answer.kind == .success)
      #expect(answer.transactionID == Self.transaction)
      #expect(answer.attributes == [.xorMappedAddress(source)])
      #expect(answer.hasFingerprint)
    }
  }

  @Test func `an answer is never longer than its question`() {
    // A header is 20 bytes, an address 12 or 24, the fingerprint 8.
    for filling in stride(from: 0, through: 32, by: 4) {
      for (source, length) in [(v4, 40), (v6, 52)] {
        let question = question(filling: filling)
        let answer = StunResponder.answer(to: question, from: source)
        #expect(answer?.count == (question.count >= length ? length : nil))
      }
    }
    let short = question(filling: 8, fingerprint: false)
    #expect(StunResponder.answer(to: short, from: v4)?.count == 32)
  }

  @Test func `an unknown attribute that must be understood is named`() throws {
    let question = question(filling: 32, [.unknown(number: 0x0003, value: [0, 0, 0, 6])])
    let bytes = try #require(StunResponder.answer(to: question, from: v4))
    let answer = try StunMessage(decoding: bytes)
    #expect(answer.kind == .error)
    #expect(
      answer.attributes == [.errorCode(420, reason: []), .unknownAttributes([0x0003])])
  }

  @Test func `nothing else is answered`() {
    #expect(StunResponder.answer(to: question(kind: .indication), from: v4) == nil)
    #expect(StunResponder.answer(to: question(kind: .success), from: v4) == nil)
    #expect(StunResponder.answer(to: question(kind: .error), from: v4) == nil)
    var allocate = question(fingerprint: false)
    allocate[1] = 3
    #expect(StunResponder.answer(to: allocate, from: v4) == nil)
    var broken = question()
    broken[broken.count - 1] ^= 1
    #expect(StunResponder.answer(to: broken, from: v4) == nil, "the fingerprint is wrong")
    for length in 0..<question().count {
      #expect(StunResponder.answer(to: Array(question()[..<length]), from: v4) == nil)
    }
  }

  @Test func `random datagrams, and questions with random changes, get no more than they brought`()
  {
    var random = SeededRandom(seed: 15)
    var answers = 0
    for round in 0..<100_000 {
      var bytes = round % 2 == 0 ? random.bytes(Int(random.next() % 120)) : question()
      if round % 2 == 1 {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      guard let answer = StunResponder.answer(to: bytes, from: v6) else { continue }
      answers += 1
      #expect(answer.count <= bytes.count)
    }
    // Changed back to what it was, or with a fingerprint that is none any more.
    #expect(answers > 0)
  }
}
