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
  private func gate(established cipher: String? = nil) -> RecordGate {
    var gate = RecordGate(role: .client, cookie: [])
    if let cipher { gate.establish(cipherName: cipher) }
    return gate
  }

  @Test func `a handshake's records pass whole`() {
    let datagram =
      record(22, epoch: 0, body(40)) + record(20, epoch: 0, [1]) + record(22, epoch: 1, body(40))
    #expect(gate().admitted(datagram) == datagram)
    #expect(gate().admitted(record(22, epoch: 0, body(60), version: 0xFF)).count == 73)
  }

  @Test func `what is forged is left out and what stands around it passes`() {
    let (before, after) = (record(22, epoch: 0, body(3)), record(22, epoch: 1, body(40)))
    let forgeries = [
      record(21, epoch: 0, [2, 40]), record(21, epoch: 1, [2, 40]), record(23, epoch: 1, body(24)),
      record(24, epoch: 1, body(40)), record(23, epoch: 2, body(40)), record(22, epoch: 0, []),
      record(22, epoch: 0, body(9), version: 0xFC), record(23, epoch: 1, body(16_409)),
    ]
    for forged in forgeries {
      #expect(gate().admitted(before + forged + after) == before + after, "\(forged.prefix(20))")
      #expect(gate().admitted(forged) == [])
    }
  }

  @Test func `after the handshake nothing in the clear passes`() {
    let gate = gate(established: "ECDHE-ECDSA-AES128-GCM-SHA256")
    #expect(gate.admitted(record(22, epoch: 0, body(60))) == [])
    #expect(gate.admitted(record(20, epoch: 0, [1])) == [])
    let message = record(23, epoch: 1, body(25))
    #expect(gate.admitted(message) == message)
  }

  @Test(arguments: [
    ("ECDHE-ECDSA-AES256-GCM-SHA384", 25), ("ECDHE-ECDSA-CHACHA20-POLY1305", 17),
  ])
  func `the shortest record that can be authentic depends on the cipher`(
    cipher: String, shortest: Int
  ) {
    let gate = gate(established: cipher)
    #expect(gate.admitted(record(21, epoch: 1, body(shortest))).count == 13 + shortest)
    #expect(gate.admitted(record(21, epoch: 1, body(shortest - 1))) == [])
  }

  @Test func `a record cut short ends the datagram`() {
    let whole = record(23, epoch: 1, body(30))
    for count in 0..<whole.count { #expect(gate().admitted(Array(whole.prefix(count))) == []) }
    #expect(gate().admitted(whole + whole.prefix(20)) == whole)
  }
}
