import Testing
import Units
import Wire

@Suite struct StunTests {
  private let transaction = [UInt8](1...12)

  @Test func `a binding request`() {
    var request = StunMessage(
      .request, transactionID: transaction,
      attributes: [
        .username(Array("a:b".utf8)), .priority(0x6E00_01FF),
        .iceControlling(0x0102_0304_0506_0708), .useCandidate,
      ])
    request.integrity = [UInt8](repeating: 0xAA, count: 20)
    checkMessage(
      request,
      golden: [0x00, 0x01, 0, 64]  // binding request, length
        + [0x21, 0x12, 0xA4, 0x42] + transaction  // magic cookie
        + [0x00, 0x06, 0, 3] + Array("a:b".utf8) + [0]  // USERNAME, padded
        + [0x00, 0x24, 0, 4, 0x6E, 0x00, 0x01, 0xFF]  // PRIORITY
        + [0x80, 0x2A, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]  // ICE-CONTROLLING
        + [0x00, 0x25, 0, 0]  // USE-CANDIDATE
        + [0x00, 0x08, 0, 20] + [UInt8](repeating: 0xAA, count: 20)  // MESSAGE-INTEGRITY
        + [0x80, 0x28, 0, 4, 0x45, 0x90, 0x9F, 0xA7])  // FINGERPRINT
  }

  @Test func `a binding response with an IPv4 address`() {
    let address = SocketAddress(.v4(192, 0, 2, 1), port: 32_853)
    checkMessage(
      StunMessage(
        .success, transactionID: transaction, attributes: [.xorMappedAddress(address)]),
      golden: [0x01, 0x01, 0, 20, 0x21, 0x12, 0xA4, 0x42] + transaction
        // XOR-MAPPED-ADDRESS: IPv4, port ^ 0x2112, address ^ cookie
        + [0x00, 0x20, 0, 8, 0, 1, 0xA1, 0x47, 0xE1, 0x12, 0xA6, 0x43]
        + [0x80, 0x28, 0, 4, 0x50, 0x89, 0xD8, 0x98])
  }

  @Test func `an error response without a fingerprint`() {
    var response = StunMessage(
      .error, transactionID: transaction,
      attributes: [
        .errorCode(487, reason: Array("no".utf8)), .unknownAttributes([0x7777]),
        .iceControlled(9), .unknown(number: 0xC001, value: [5]),
      ])
    response.hasFingerprint = false
    checkMessage(
      response,
      golden: [0x01, 0x11, 0, 40, 0x21, 0x12, 0xA4, 0x42] + transaction
        + [0x00, 0x09, 0, 6, 0, 0, 4, 87] + Array("no".utf8) + [0, 0]  // ERROR-CODE
        + [0x00, 0x0A, 0, 2, 0x77, 0x77, 0, 0]  // UNKNOWN-ATTRIBUTES
        + [0x80, 0x29, 0, 8, 0, 0, 0, 0, 0, 0, 0, 9]  // ICE-CONTROLLED
        + [0xC0, 0x01, 0, 1, 5, 0, 0, 0])
  }

  @Test func `an IPv6 address is masked with the transaction too`() throws {
    let ip = IPAddress(bytes: [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0x11, count: 12))!
    let message = StunMessage(
      .success, transactionID: transaction,
      attributes: [.xorMappedAddress(SocketAddress(ip, port: 1))])
    let encoded = message.encoded
    #expect(Array(encoded[28..<32]) == [0x01, 0x13, 0xA9, 0xFA])
    #expect(encoded[32] == 0x11 ^ 1)
    #expect(try StunMessage(decoding: encoded) == message)
  }

  /// RFC 5769 §2.1, whose padding isn't zero. Its HMAC is the RFC's, made with the password
  /// `VOkJxbRl1RmTxUk/WvJxBt` over the 80 bytes that `covered` must hold.
  @Test func `the sample request of RFC 5769`() throws {
    let head: [UInt8] = [
      0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xA4, 0x42, 0xB7, 0xE7, 0xA7, 0x01, 0xBC, 0x34, 0xD6,
      0x86, 0xFA, 0x87, 0xDF, 0xAE, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4E, 0x20, 0x74,
      0x65, 0x73, 0x74, 0x20, 0x63, 0x6C, 0x69, 0x65, 0x6E, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6E,
      0x00, 0x01, 0xFF, 0x80, 0x29, 0x00, 0x08, 0x93, 0x2F, 0xF9, 0xB1, 0x51, 0x26, 0x3B, 0x36,
      0x00, 0x06, 0x00, 0x09, 0x65, 0x76, 0x74, 0x6A, 0x3A, 0x68, 0x36, 0x76, 0x59, 0x20, 0x20,
      0x20,
    ]
    let integrity: [UInt8] = [
      0x9A, 0xEA, 0xA7, 0x0C, 0xBF, 0xD8, 0xCB, 0x56, 0x78, 0x1E, 0xF2, 0xB5, 0xB2, 0xD3, 0xF2,
      0x49, 0xC1, 0xB5, 0x71, 0xA2,
    ]
    let fingerprint: [UInt8] = [0x80, 0x28, 0x00, 0x04, 0xE5, 0x7A, 0x3B, 0xCF]
    let received = try StunMessage.Received(
      head + [0x00, 0x08, 0x00, 0x14] + integrity + fingerprint)
    #expect(received.message.integrity == integrity)
    #expect(received.message.hasFingerprint)
    var covered = head
    covered[3] = 0x50
    #expect(received.covered == covered)
    #expect(
      received.message.attributes == [
        .software(Array("STUN test client".utf8)),
        .priority(0x6E00_01FF), .iceControlled(0x932F_F9B1_5126_3B36),
        .username(Array("evtj:h6vY".utf8)),
      ])
  }

  @Test func `a wrong fingerprint is refused`() {
    var bytes = StunMessage(.request, transactionID: transaction, attributes: []).encoded
    #expect((try? StunMessage.Received(bytes)) != nil)
    bytes[bytes.count - 1] ^= 1
    #expect((try? StunMessage.Received(bytes)) == nil)
  }

  @Test func `what follows the integrity is ignored`() throws {
    var message = StunMessage(.request, transactionID: transaction, attributes: [])
    message.integrity = [UInt8](repeating: 3, count: 20)
    message.hasFingerprint = false
    var bytes = message.encoded + [0x00, 0x25, 0, 0]
    bytes[3] += 4
    #expect(try StunMessage.Received(bytes).message == message)
  }

  @Test func `signing covers a length that counts the signature`() {
    var covered: [UInt8] = []
    let message = StunMessage(.request, transactionID: transaction, attributes: [.useCandidate])
      .signed {
        covered = $0
        return [UInt8](repeating: 7, count: 20)
      }
    #expect(covered.count == 24)
    #expect(covered[3] == 4 + 24)
    #expect(message.integrity == [UInt8](repeating: 7, count: 20))
  }

  @Test func `STUN is told from DTLS by its first byte and cookie`() {
    let stun = StunMessage(.request, transactionID: transaction, attributes: []).encoded
    #expect(StunMessage.isStun(stun))
    #expect(!StunMessage.isStun([22] + stun.dropFirst()))
    #expect(!StunMessage.isStun(Array(stun.prefix(19))))
    #expect(!StunMessage.isStun([UInt8](repeating: 0, count: 20)))
  }
}
