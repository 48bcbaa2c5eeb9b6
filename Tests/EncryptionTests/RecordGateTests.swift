import Links
import Testing

@testable import Encryption

/// What reaches OpenSSL of a datagram, whichever version of it is installed.
@Suite struct RecordGateTests {
  private func record(_ type: UInt8, epoch: UInt8, _ body: [UInt8], version: UInt8 = 0xFD)
    -> [UInt8]
  {
    [type, 0xFE, version, 0, epoch, 0, 0, 0, 0, 0, 1]
      + [UInt8(body.count >> 8), UInt8(body.count & 0xFF)] + body
  }
  private func body(_ count: Int) -> [UInt8] { [UInt8](repeating: 7, count: count) }
  private func admitted(
    _ datagram: [UInt8], by role: SessionRole = .server, established cipher: String? = nil
  ) -> [UInt8] {
    var gate = RecordGate(role: role, cookie: [])
    if let cipher { gate.establish(cipherName: cipher) }
    return gate.admitted(datagram)
  }

  @Test func `a handshake's records pass whole`() {
    let datagram =
      record(22, epoch: 0, body(40)) + record(20, epoch: 0, [1]) + record(22, epoch: 1, body(40))
    #expect(admitted(datagram) == datagram)
    #expect(admitted(record(22, epoch: 0, body(60), version: 0xFF)).count == 73)
  }

  @Test func `what is forged is left out and what stands around it passes`() {
    let (before, after) = (record(22, epoch: 0, body(3)), record(22, epoch: 1, body(40)))
    let forgeries = [
      record(21, epoch: 0, [2, 40]), record(21, epoch: 1, [2, 40]), record(23, epoch: 1, body(24)),
      record(24, epoch: 1, body(40)), record(23, epoch: 2, body(40)), record(22, epoch: 0, []),
      record(22, epoch: 0, body(9), version: 0xFC), record(23, epoch: 1, body(16_409)),
    ]
    for forged in forgeries {
      #expect(admitted(before + forged + after) == before + after, "\(forged.prefix(20))")
      #expect(admitted(forged) == [])
    }
  }

  @Test func `after the handshake nothing in the clear passes`() {
    let cipher = "ECDHE-ECDSA-AES128-GCM-SHA256"
    for role in [SessionRole.client, .server] {
      #expect(admitted(record(22, epoch: 0, body(60)), by: role, established: cipher) == [])
      #expect(admitted(record(20, epoch: 0, [1]), by: role, established: cipher) == [])
      let message = record(23, epoch: 1, body(25))
      #expect(admitted(message, by: role, established: cipher) == message)
    }
  }

  @Test(arguments: [
    ("ECDHE-ECDSA-AES256-GCM-SHA384", 25), ("ECDHE-ECDSA-CHACHA20-POLY1305", 17),
  ])
  func `the shortest record that can be authentic depends on the cipher`(
    cipher: String, shortest: Int
  ) {
    let least = record(21, epoch: 1, body(shortest))
    #expect(admitted(least, established: cipher) == least)
    #expect(admitted(record(21, epoch: 1, body(shortest - 1)), established: cipher) == [])
  }

  @Test func `a client takes nothing before its cookie request, and everything after it`() {
    let request = record(22, epoch: 0, [3] + body(40), version: 0xFF)
    let flight = record(22, epoch: 0, [2] + body(60)) + record(22, epoch: 1, body(40))
    var gate = RecordGate(role: .client, cookie: [])
    #expect(gate.admitted(flight) == [])
    #expect(gate.admitted(record(20, epoch: 0, [1])) == [])
    #expect(gate.admitted(request) == request)
    #expect(gate.admitted(flight) == flight)
  }

  /// Message, length, sequence, fragment; version, random, no session id, cookie.
  private func hello(_ random: UInt8, cookie: [UInt8]) -> [UInt8] {
    let fields =
      [0xFE, 0xFD] + [UInt8](repeating: random, count: 32) + [0, UInt8(cookie.count)] + cookie
    let length = [0, 0, UInt8(fields.count)]
    return record(22, epoch: 0, [1] + length + [0, 0, 0, 0, 0] + length + fields)
  }

  @Test func `a server tells a client that begins anew from one that repeats itself`() {
    let cookie = [UInt8](repeating: 5, count: 32)
    var gate = RecordGate(role: .server, cookie: cookie)
    for again in [hello(1, cookie: []), hello(1, cookie: cookie), hello(1, cookie: cookie)] {
      #expect(gate.admitted(again) == again)
      #expect(gate.answerToNewHello() == nil)
    }
    #expect(gate.admitted(hello(2, cookie: body(32))) == [])
    #expect(gate.answerToNewHello() == nil, "with a cookie that is not ours")
    #expect(gate.admitted(hello(2, cookie: cookie)) == [], "without a first hello")
    #expect(gate.newBeginning() == nil)
    #expect(gate.admitted(hello(2, cookie: [])) == [])
    let request = [3, 0, 0, 35, 0, 0, 0, 0, 0, 0, 0, 35, 0xFE, 0xFF, 32] + cookie
    #expect(gate.answerToNewHello() == record(22, epoch: 0, request, version: 0xFF))
    #expect(gate.answerToNewHello() == nil, "one answer for each")
    #expect(gate.newBeginning() == nil)
    #expect(gate.admitted(hello(2, cookie: cookie)) == hello(2, cookie: cookie))
    #expect(gate.newBeginning() == hello(2, cookie: []))
    #expect(gate.newBeginning() == nil)
    #expect(gate.admitted(hello(2, cookie: cookie)) == hello(2, cookie: cookie))
    #expect(gate.newBeginning() == nil, "that was a repetition")
  }

  @Test func `a record cut short ends the datagram`() {
    let whole = record(23, epoch: 1, body(30))
    for count in 0..<whole.count { #expect(admitted(Array(whole.prefix(count))) == []) }
    #expect(admitted(whole + whole.prefix(20)) == whole)
  }
}
