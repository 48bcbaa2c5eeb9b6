import Media
import Units
import Wire

/// Gives each frame its parity packets: as many as `ParityPlan` says, block by block.
struct FrameProtection {
  private var plan = ParityPlan()
  private var encoder: ParityEncoder
  /// Of the newest frame, kept for its memory.
  private var made: [RTPPacket] = []

  init(_ configuration: SendingConfiguration, code: any ErasureCode) {
    encoder = ParityEncoder(configuration, code: code)
  }

  /// What is to leave behind `packets`, which are those of one frame.
  mutating func parity(
    of packets: [(index: PacketIndex, packet: RTPPacket)], worth: ParityPlan.Worth,
    on path: ParityPlan.Path
  ) -> [RTPPacket] {
    made.removeAll(keepingCapacity: true)
    for number in 0..<ParityEncoder.blockCount(of: packets.count) {
      let block = ParityEncoder.block(number, of: packets.count)
      let count = plan.parityCount(for: block.count, worth: worth, on: path)
      encoder.append(over: packets[block], parityCount: count, to: &made)
    }
    return made
  }
}

extension ParityPlan.Worth {
  init(_ frame: EncodedVideoFrame) {
    self = frame.isKeyFrame ? .keyFrame : frame.isDiscardable ? .discardable : .usual
  }
}
