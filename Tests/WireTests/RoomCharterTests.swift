import Testing
import Wire

@Suite struct RoomCharterTests {
  private let policy = RoomPolicy(
    isLocked: true, expiry: 0x0102, size: 5, epoch: 7,
    allowed: [[UInt8](repeating: 0xA1, count: 32)], banned: [[UInt8](repeating: 0xB2, count: 32)])
  private var policyBytes: [UInt8] {
    [0x01]  // locked
      + [0, 0, 0, 0, 0, 0, 1, 2]  // expiry
      + [0, 5]  // size
      + [0, 0, 0, 7]  // epoch
      + [1] + [UInt8](repeating: 0xA1, count: 32)  // allowed
      + [1] + [UInt8](repeating: 0xB2, count: 32)  // banned
  }

  @Test func `a policy`() { checkMessage(policy, golden: policyBytes) }

  @Test func `a charter`() {
    let charter = RoomCharter(
      ownerKeyInfo: [0x30, 0x59], nonce: [UInt8](repeating: 9, count: 32), policy: policy,
      version: 3, signature: [0x30, 0x44, 0x02])
    let unsigned =
      [0, 2, 0x30, 0x59]  // owner's SubjectPublicKeyInfo
      + [UInt8](repeating: 9, count: 32)  // r
      + policyBytes + [0, 0, 0, 3]  // version
    #expect(charter.unsigned == unsigned)
    checkMessage(charter, golden: unsigned + [0, 3, 0x30, 0x44, 0x02])  // signature
  }

  @Test func `the longest charter fits into a sealed record`() {
    let peers = [[UInt8]](repeating: [UInt8](repeating: 1, count: 32), count: 64)
    let longest = RoomCharter(
      ownerKeyInfo: [UInt8](repeating: 2, count: 256), nonce: [UInt8](repeating: 3, count: 32),
      policy: RoomPolicy(allowed: peers, banned: Array(peers.prefix(32))), version: .max,
      signature: [UInt8](repeating: 4, count: 256))
    // Nonce and tag come on top.
    #expect(longest.encoded.count + 12 + 16 <= RoomRecord.sealedLimit)
  }
}
