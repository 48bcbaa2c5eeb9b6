import Testing
import Wire

@Suite struct CallMessageTests {
  @Test func `a chat line is its number and its text`() {
    checkMessage(
      ChatMessage(number: 258, text: "hé"),
      golden: [0, 0, 0, 0, 0, 0, 1, 2] + [0, 3, 0x68, 0xC3, 0xA9])
  }

  @Test func `an empty or over-long chat line is refused`() {
    #expect(throws: WireError.invalid(field: "chat text", found: 0)) {
      try ChatMessage(decoding: [0, 0, 0, 0, 0, 0, 0, 1, 0, 0])
    }
    let long = [UInt8](repeating: 0x61, count: 4_001)
    #expect(throws: WireError.tooLong(field: "chat text", found: 4_001, limit: 4_000)) {
      try ChatMessage(decoding: [0, 0, 0, 0, 0, 0, 0, 1, 0x0F, 0xA1] + long)
    }
  }

  @Test func `sources are two bits`() {
    checkMessage(ControlMessage.sources(audio: false, video: true), golden: [1, 2])
  }

  @Test func `a picture's full size goes with its rate in hundredths`() {
    checkMessage(
      ControlMessage.picture(width: 1_280, height: 720, rate: 2_997),
      golden: [3] + [0x05, 0x00] + [0x02, 0xD0] + [0x0B, 0xB5])
  }

  @Test func `a receiver's limit is a size and a rate in kbit a second`() {
    checkMessage(
      ControlMessage.receiveLimit(width: 640, height: 360, kilobits: 70_000),
      golden: [5] + [0x02, 0x80] + [0x01, 0x68] + [0x00, 0x01, 0x11, 0x70])
  }

  @Test func `a sealed charter is carried whole`() {
    checkMessage(ControlMessage.sealedCharter([7, 8, 9]), golden: [2, 0, 3, 7, 8, 9])
  }

  @Test func `unknown control kinds are refused`() {
    #expect(throws: WireError.invalid(field: "control kind", found: 63)) {
      try ControlMessage(decoding: [63, 0])
    }
  }
}
