import Media
import Units
import Wire

/// Makes the parity packets of some consecutive packets of a frame.
struct ParityEncoder {
  private let code: any ErasureCode
  private var sequence: PacketIndex
  /// Scratch, kept for its memory.
  private var data: [UInt8] = []
  private var parity: [UInt8] = []
  private var payloads = BufferRing(count: 128, room: MediaStream.packetLimit)

  init(_ configuration: SendingConfiguration, code: any ErasureCode) {
    self.code = code
    sequence = PacketIndex(Int64(configuration.firstSequence))
  }

  /// How many blocks a frame of `count` packets has.
  static func blockCount(of count: Int) -> Int {
    (count + ParityPayload.blockLimit - 1) / ParityPayload.blockLimit
  }

  /// One of them, as a range of these packets; all are of nearly equal size.
  static func block(_ number: Int, of count: Int) -> Range<Int> {
    let blocks = blockCount(of: count)
    return number * count / blocks..<(number + 1) * count / blocks
  }

  /// Appends `parityCount` packets over a block of one frame's packets, in order; at most
  /// `ParityPayload.blockLimit` of either.
  mutating func append(
    over block: ArraySlice<(index: PacketIndex, packet: RTPPacket)>, parityCount: Int,
    to made: inout [RTPPacket]
  ) {
    guard let first = block.first?.packet, parityCount > 0 else { return }
    let longest = block.reduce(0) { max($0, $1.packet.payload.count) }
    let length = ParityShard.headerCount + longest
    data.removeAll(keepingCapacity: true)
    parity.removeAll(keepingCapacity: true)
    for (_, packet) in block {
      ParityShard.append(
        packet.payload, isMarked: packet.isMarked, length: length, to: &data)
    }
    code.encode(
      data, count: block.count, length: length, parityCount: parityCount, into: &parity)
    for number in 0..<parityCount {
      let payload = ParityPayload(
        first: first.sequence, count: block.count, number: number, parityCount: parityCount,
        shard: parity[number * length..<(number + 1) * length])
      made.append(
        RTPPacket(
          isMarked: false, payloadType: MediaStream.PayloadType.vp8Parity,
          sequence: SequenceNumber(sequence), timestamp: first.timestamp,
          source: MediaStream.Source.videoParity,
          payload: payloads.make { payload.encode(to: &$0) }[...]))
      sequence += 1
    }
  }
}
