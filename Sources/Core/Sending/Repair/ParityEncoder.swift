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

  init(_ configuration: SendingConfiguration, code: any ErasureCode) {
    self.code = code
    sequence = PacketIndex(Int64(configuration.firstSequence))
  }

  /// The blocks of a frame of `count` packets, as ranges of these: of nearly equal size.
  static func blocks(of count: Int) -> [Range<Int>] {
    let blocks = (count + ParityPayload.blockLimit - 1) / ParityPayload.blockLimit
    return (0..<blocks).map { $0 * count / blocks..<($0 + 1) * count / blocks }
  }

  /// `parityCount` packets over a block of one frame's packets, in order; at most
  /// `ParityPayload.blockLimit` of either.
  mutating func packets(
    over block: ArraySlice<(index: PacketIndex, packet: RTPPacket)>, parityCount: Int
  ) -> [RTPPacket] {
    guard let first = block.first?.packet, parityCount > 0 else { return [] }
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
    return (0..<parityCount).map { number in
      defer { sequence += 1 }
      let payload = ParityPayload(
        first: first.sequence, count: block.count, number: number, parityCount: parityCount,
        shard: parity[number * length..<(number + 1) * length])
      return RTPPacket(
        isMarked: false, payloadType: MediaStream.PayloadType.vp8Parity,
        sequence: SequenceNumber(sequence), timestamp: first.timestamp,
        source: MediaStream.Source.videoParity, payload: payload.encoded)
    }
  }
}
