import Media
import Units
import Wire

/// Gives each frame its parity packets: as many as `ParityPlan` says, block by block.
struct FrameProtection {
  private var plan = ParityPlan()
  private var encoder: ParityEncoder

  init(_ configuration: SendingConfiguration, code: any ErasureCode) {
    encoder = ParityEncoder(configuration, code: code)
  }

  /// What is to leave behind `packets`, which are those of one frame.
  mutating func parity(
    of packets: [(index: PacketIndex, packet: RTPPacket)], worth: ParityPlan.Worth,
    on path: ParityPlan.Path
  ) -> [RTPPacket] {
    ParityEncoder.blocks(of: packets.count).flatMap { block in
      let count = plan.parityCount(for: block.count, worth: worth, on: path)
      return encoder.packets(over: packets[block], parityCount: count)
    }
  }
}

extension ParityPlan.Worth {
  init(_ frame: EncodedVideoFrame) {
    self = frame.isKeyFrame ? .keyFrame : frame.isDiscardable ? .discardable : .usual
  }
}
