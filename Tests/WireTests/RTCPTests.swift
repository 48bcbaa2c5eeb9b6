import Testing
import Units
import Wire

@Suite struct RTCPTests {
  private let reception = ReceptionReport(
    source: 2, fractionLost: 26, lost: -2, highestSequence: 0x0001_0203, jitter: 90,
    lastSenderReport: 0xAABB_CCDD, delaySinceSenderReport: 0x0001_0000)
  private let receptionBytes: [UInt8] = [
    0, 0, 0, 2,  // source
    26, 0xFF, 0xFF, 0xFE,  // fraction lost, lost in 24 bits
    0x00, 0x01, 0x02, 0x03,  // highest sequence number
    0, 0, 0, 90,  // jitter
    0xAA, 0xBB, 0xCC, 0xDD,  // last sender report
    0x00, 0x01, 0x00, 0x00,  // one second since
  ]

  @Test func `a sender report is RFC 3550`() {
    checkMessage(
      SenderReport(
        source: 2, time: 0x0000_0005_8000_0000, timestamp: 450_000, packetCount: 7,
        byteCount: 4_660, reports: [reception]),
      golden: [
        0x81, 200, 0, 12,  // version 2, one report; 13 words
        0, 0, 0, 2,  // source
        0, 0, 0, 5, 0x80, 0, 0, 0,  // 5.5 s
        0x00, 0x06, 0xDD, 0xD0,  // timestamp
        0, 0, 0, 7,  // packets
        0, 0, 0x12, 0x34,  // bytes
      ] + receptionBytes)
  }

  @Test func `a receiver report is RFC 3550`() {
    checkMessage(
      ReceiverReport(source: 1, reports: [reception]),
      golden: [0x81, 201, 0, 7, 0, 0, 0, 1] + receptionBytes)
  }

  @Test func `a NACK packs following packets into bits, across the wrap`() {
    checkMessage(
      GenericNack(
        reporter: 1, source: 2,
        lost: [65_535, 0, 15, 16, 40].map { SequenceNumber($0) }),
      golden: [
        0x81, 205, 0, 5,  // format 1; 6 words
        0, 0, 0, 1, 0, 0, 0, 2,  // reporter, source
        0xFF, 0xFF, 0x80, 0x01,  // 65535, and those 1 and 16 later
        0x00, 0x10, 0x00, 0x00,  // 16
        0x00, 0x28, 0x00, 0x00,  // 40
      ])
  }

  @Test func `a picture loss indication is RFC 4585`() {
    checkMessage(
      PictureLossIndication(reporter: 1, source: 2),
      golden: [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2])
  }

  @Test func `transport feedback with a vector, small and large steps passes the four tests`() {
    checkMessage(
      TransportFeedback(
        reporter: 1, source: 0, base: SequenceNumber(0xFFFE), referenceTime: 0x01_0203, count: 9,
        arrivals: [4, nil, 300, -1, 0]),
      golden: [
        0x8F, 205, 0, 6,  // format 15; 7 words
        0, 0, 0, 1, 0, 0, 0, 0,  // reporter, source
        0xFF, 0xFE, 0, 5,  // base, five packets
        0x01, 0x02, 0x03, 9,  // reference time, count
        0xD2, 0x90,  // vector of two-bit symbols: small, missing, large, large, small
        4,  // 1 ms
        0x01, 0x2C, 0xFF, 0xFF,  // 75 ms, −250 µs
        0,  // 0
      ])
  }

  @Test func `transport feedback writes runs, and vectors of one bit`() {
    let scattered: [Int16?] = (0..<14).map { $0 % 2 == 0 ? 1 : nil }
    checkMessage(
      TransportFeedback(
        reporter: 1, source: 0, base: SequenceNumber(7), referenceTime: 1, count: 0,
        arrivals: scattered + [Int16?](repeating: 8, count: 20)
          + [Int16?](repeating: nil, count: 15)),
      golden: [
        0x8F, 205, 0, 13,
        0, 0, 0, 1, 0, 0, 0, 0,
        0, 7, 0, 49,
        0, 0, 1, 0,
        0xAA, 0xAA,  // one-bit vector, every other one
        0x20, 20,  // run of 20 small steps
        0x00, 15,  // run of 15 missing
      ] + [UInt8](repeating: 1, count: 7) + [UInt8](repeating: 8, count: 20) + [0, 0, 0])
  }

  @Test func `a feedback of 65535 packets in few bytes is refused before memory is taken`() {
    let bytes: [UInt8] = [
      0x8F, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 7, 0xFF, 0xFF, 0, 0, 1, 0,
    ]
    #expect(
      throws: WireError.tooLong(field: "feedback packet count", found: 65_535, limit: 4_096)
    ) {
      try TransportFeedback(decoding: bytes)
    }
  }

  @Test func `a compound keeps known packets in order and skips unknown ones`() throws {
    let loss = PictureLossIndication(reporter: 1, source: 2)
    let report = ReceiverReport(source: 1, reports: [])
    let goodbye: [UInt8] = [0x81, 203, 0, 1, 0, 0, 0, 1]
    let compound = try RTCPCompound(decoding: report.encoded + goodbye + loss.encoded)
    #expect(compound.packets == [.receiverReport(report), .pictureLoss(loss)])
    #expect(compound.encoded == report.encoded + loss.encoded)
    #expect(throws: WireError.self) { try RTCPCompound(decoding: report.encoded + [0x81, 203, 0]) }
  }

  @Test func `a padded packet is read without its padding`() throws {
    let padded: [UInt8] = [0xA1, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 4]
    #expect(
      try PictureLossIndication(decoding: padded)
        == PictureLossIndication(reporter: 1, source: 2))
  }

  @Test func `seeded garbage never traps the compound`() {
    var random = SeededRandom(seed: 5)
    var decoded = 0
    for _ in 0..<20_000 {
      var bytes = random.bytes(4 * Int.random(in: 1...16, using: &random))
      bytes[0] = 0x80 | bytes[0] & 0x1F
      bytes[1] = 200 + bytes[1] % 8
      bytes[2] = 0
      bytes[3] = UInt8(bytes.count / 4 - 1)
      guard let compound = try? RTCPCompound(decoding: bytes) else { continue }
      decoded += 1
      #expect((try? RTCPCompound(decoding: compound.encoded)) == compound)
    }
    #expect(decoded > 1_000)
  }
}
