import Testing
import Units
import Wire

@Suite struct RTPTests {
  @Test func `an RTP packet with a transport sequence number is RFC 3550 and RFC 8285`() {
    checkMessage(
      RTPPacket(
        isMarked: true, payloadType: MediaStream.PayloadType.vp8,
        sequence: SequenceNumber(0x1234), timestamp: 0x0102_0304, source: 2,
        transportSequence: SequenceNumber(0xABCD), payload: [0x61, 0x62]),
      golden: [
        0x90,  // version 2, extension
        0xE0,  // marker, payload type 96
        0x12, 0x34,  // sequence number
        0x01, 0x02, 0x03, 0x04,  // timestamp
        0x00, 0x00, 0x00, 0x02,  // source
        0xBE, 0xDE, 0x00, 0x01,  // one-byte extensions, one word
        0x11, 0xAB, 0xCD,  // number 1, two bytes
        0x00,  // padding
        0x61, 0x62,  // payload
      ], openFrom: 20)
  }

  @Test func `an RTP packet without extensions passes the four tests`() {
    checkMessage(
      RTPPacket(
        isMarked: false, payloadType: MediaStream.PayloadType.opus,
        sequence: SequenceNumber(1), timestamp: 960, source: 1, payload: [0x78]),
      golden: [0x80, 0x6F, 0, 1, 0, 0, 0x03, 0xC0, 0, 0, 0, 1, 0x78], openFrom: 12)
  }

  @Test func `contributing sources, unknown extensions and padding are read over`() throws {
    let packet = try RTPPacket(decoding: [
      0xB1, 0x60, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2,  // padding, extension, one contributing source
      9, 9, 9, 9,  // the contributing source
      0xBE, 0xDE, 0x00, 0x02,  // two words of extensions
      0x50, 0x77, 0x00,  // number 5, one byte; a padding byte
      0x11, 0x00, 0x07,  // number 1
      0xF0, 0x00,  // number 15 ends the list
      0xAA, 0xBB, 0x00, 0x02,  // payload of two, padding of two
    ])
    #expect(packet.transportSequence == SequenceNumber(7))
    #expect(packet.payload == [0xAA, 0xBB])
  }

  @Test func `a two-byte extension header is skipped whole`() throws {
    let packet = try RTPPacket(decoding: [
      0x90, 0x60, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 0x10, 0x00, 0, 1, 1, 2, 3, 4, 0xAA,
    ])
    #expect(packet.transportSequence == nil)
    #expect(packet.payload == [0xAA])
  }

  @Test(arguments: [0, 3])
  func `padding that is zero or longer than the payload is refused`(padding: UInt8) {
    #expect(throws: WireError.invalid(field: "RTP padding", found: UInt64(padding))) {
      try RTPPacket(decoding: [0xA0, 0x60, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 7, padding])
    }
  }

  @Test func `a VP8 payload with picture id and layers is RFC 7741`() {
    checkMessage(
      VP8Payload(
        isDiscardable: true, startsFrame: true, pictureID: 0x1234, baseLayerIndex: 0x56,
        temporalLayer: 1, isLayerSync: true, part: [0x9D]),
      golden: [
        0xB0,  // X, N, S, partition 0
        0xE0,  // I, L, T
        0x92, 0x34,  // 15-bit picture id
        0x56,  // TL0PICIDX
        0x60,  // temporal layer 1, Y
        0x9D,
      ], openFrom: 7)
  }

  @Test func `a bare VP8 payload passes the four tests`() {
    checkMessage(
      VP8Payload(
        isDiscardable: false, startsFrame: false, pictureID: nil, baseLayerIndex: nil,
        temporalLayer: 0, isLayerSync: false, part: [1, 2]),
      golden: [0x00, 1, 2], openFrom: 2)
  }

  @Test func `a VP8 payload of another sender may have a short picture id and a key index`() throws
  {
    let payload = try VP8Payload(decoding: [0x91, 0xB0, 0x45, 0x7F, 0xEE])
    #expect(payload.pictureID == 0x45)
    #expect(payload.temporalLayer == 1)
    #expect(!payload.startsFrame, "it starts partition 1, not the frame")
    #expect(payload.part == [0xEE])
  }

  @Test func `a retransmission is the original number and payload`() {
    checkMessage(
      RetransmissionPayload(original: SequenceNumber(0x0102), payload: [3, 4]),
      golden: [1, 2, 3, 4], openFrom: 2)
  }

  @Test func `a parity packet is what it protects, its number, and a shard`() {
    checkMessage(
      ParityPayload(
        first: SequenceNumber(0x1234), count: 9, number: 2, parityCount: 3,
        shard: [0x80, 0x01, 0xAA]),
      golden: [
        0x12, 0x34,  // first packet protected
        9,  // packets protected
        2,  // this shard's number
        3,  // of so many
        0x80, 0x01, 0xAA,  // the shard
      ], openFrom: 8)
  }

  @Test(
    arguments: [
      ([0, 1, 0, 0, 1, 0, 0, 0], "packets protected", 0),
      ([0, 1, 65, 0, 1, 0, 0, 0], "packets protected", 65),
      ([0, 1, 64, 0, 0, 0, 0, 0], "parity packets", 0),
      ([0, 1, 64, 0, 65, 0, 0, 0], "parity packets", 65),
      ([0, 1, 64, 3, 3, 0, 0, 0], "parity number", 3),
    ] as [([UInt8], StaticStringName, UInt64)])
  func `parity over nothing, over too much, or beyond its own number is refused`(
    bytes: [UInt8], field: StaticStringName, found: UInt64
  ) {
    #expect(throws: WireError.invalid(field: field, found: found)) {
      try ParityPayload(decoding: bytes)
    }
  }

  @Test func `a shard is marker, length, payload and zeros`() throws {
    var shards: [UInt8] = []
    ParityShard.append([7, 8, 9], isMarked: true, length: 6, to: &shards)
    ParityShard.append([5], isMarked: false, length: 6, to: &shards)
    #expect(shards == [0x80, 3, 7, 8, 9, 0, 0, 1, 5, 0, 0, 0])
    let first = try #require(ParityShard.read(shards[0..<6]))
    #expect(first.isMarked && first.payload == [7, 8, 9])
    let second = try #require(ParityShard.read(shards[6..<12]))
    #expect(!second.isMarked && second.payload == [5])
    for broken in [[], [0], [0, 1], [0, 0, 1], [0, 3, 1, 2], [0xFF, 0xFF, 1]] as [[UInt8]] {
      #expect(ParityShard.read(broken[...]) == nil)
    }
  }

  @Test(
    arguments: [
      ([0x78], 960), ([0x70], 480), ([0x08], 960), ([0x79], 1_920), ([0x18], 2_880),
      ([0x7B, 0x06], 5_760), ([0x7B, 0x07], nil), ([0x7B, 0x00], nil), ([0x7B], nil), ([], nil),
      ([0x60], 480), ([0x68], 960), ([0xE0], 120),
    ] as [([UInt8], Int?)])
  func `Opus packets tell their length`(packet: [UInt8], samples: Int?) {
    #expect(OpusPacket.samples(of: packet[...]) == samples)
  }
}
