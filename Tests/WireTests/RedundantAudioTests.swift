import Testing
import Wire

@Suite struct RedundantAudioTests {
  @Test func `sound with copies is RFC 2198`() {
    checkMessage(
      RedundantAudio(
        copies: [
          .init(offset: 2_880, bytes: [0xA1, 0xA2]), .init(offset: 1_920, bytes: []),
          .init(offset: 960, bytes: [0xB1]),
        ], newest: [0xC1, 0xC2, 0xC3]),
      golden: [
        0xEF,  // more follows, Opus
        0x2D, 0x00, 0x02,  // 2880 samples earlier (14 bits), 2 bytes (10 bits)
        0xEF, 0x1E, 0x00, 0x00,  // 1920 samples earlier, not sent again
        0xEF, 0x0F, 0x00, 0x01,  // 960 samples earlier, 1 byte
        0x6F,  // the last: Opus
        0xA1, 0xA2, 0xB1,  // the copies
        0xC1, 0xC2, 0xC3,  // the packet itself
      ], openFrom: 17)
  }

  @Test func `the largest copy fits its fields`() throws {
    let whole = RedundantAudio(
      copies: [.init(offset: 0x3FFF, bytes: [UInt8](repeating: 7, count: 1_023)[...])], newest: [1])
    #expect(try RedundantAudio(decoding: whole.encoded) == whole)
  }

  @Test func `other contents, too many copies and copies beyond the end are refused`() {
    #expect(throws: WireError.invalid(field: "RED block type", found: 96)) {
      try RedundantAudio(decoding: [0x60, 1, 2])
    }
    let head: [UInt8] = [0xEF, 0, 0, 0]
    let many = Array([[UInt8]](repeating: head, count: 9).joined()) + [0x6F, 1]
    #expect(throws: WireError.tooLong(field: "RED blocks", found: 9, limit: 8)) {
      try RedundantAudio(decoding: many)
    }
    #expect(throws: WireError.truncated(needed: 5, left: 2)) {
      try RedundantAudio(decoding: [0xEF, 0, 0, 5, 0x6F, 1, 2])
    }
    #expect(throws: WireError.truncated(needed: 1, left: 0)) {
      try RedundantAudio(decoding: [0xEF, 0, 0, 2, 0x6F, 1, 2])
    }
  }

  @Test(
    arguments: [
      ([0x78, 0x40, 1], true), ([0x78, 0xC0], true), ([0x78, 0x80], false), ([0x78], false),
      // SILK of 20 ms; SILK of 40 ms; CELT; stereo; two frames.
      ([0x48, 0x40], true), ([0x50, 0x40], false), ([0xF8, 0x40], false), ([0x7C, 0x40], false),
      ([0x79, 0x40], false), ([], false),
    ] as [([UInt8], Bool)])
  func `a packet tells whether it holds the one before it`(packet: [UInt8], holds: Bool) {
    #expect(OpusPacket.hasRedundancy(packet) == holds)
  }
}
