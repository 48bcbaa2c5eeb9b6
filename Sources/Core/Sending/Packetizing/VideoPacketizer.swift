import Media
import Units
import Wire

/// Cuts encoded pictures into RTP packets (RFC 7741), in the order in which they are sent: what
/// was dropped before never had a number, so the receiver sees no gap.
struct VideoPacketizer {
  /// Of the next packet.
  private var sequence: PacketIndex
  /// Of the next frame, 15 bits on the wire.
  private var pictureID: UInt16
  /// Of the newest base-layer frame (TL0PICIDX).
  private var baseLayerIndex: UInt8
  private let firstTimestamp: Int64
  private var lastTimestamp = Int64.min
  /// Of the newest frame, kept for its memory.
  private var made: [(index: PacketIndex, packet: RTPPacket)] = []
  /// Longer than `PacketHistory` and what may wait in front of it.
  private var payloads = BufferRing(
    count: PacketHistory.capacity + 256, room: MediaStream.packetLimit)

  /// Bytes of a frame in one packet: room is left for what parity adds, which is more than the two
  /// of a retransmission.
  static let partLimit =
    MediaStream.packetLimit - ParityPayload.headerCount - ParityShard.headerCount
    - RTPPacket.headerCount - VP8Payload.descriptorCount

  init(_ configuration: SendingConfiguration) {
    sequence = PacketIndex(Int64(configuration.firstSequence))
    pictureID = configuration.firstSequence & 0x7FFF
    baseLayerIndex = UInt8(truncatingIfNeeded: configuration.firstSequence)
    firstTimestamp = Int64(configuration.firstTimestamp)
  }

  /// The frame's packets with their indices, parts of nearly equal size; empty for an empty frame.
  mutating func packets(of frame: EncodedVideoFrame) -> [(index: PacketIndex, packet: RTPPacket)] {
    made.removeAll(keepingCapacity: true)
    guard !frame.bytes.isEmpty else { return made }
    if frame.temporalLayer == 0 { baseLayerIndex &+= 1 }
    // Two frames never share a timestamp, even if a source gives them one instant.
    lastTimestamp = max(lastTimestamp &+ 1, timestamp(at: frame.capturedAt))
    let count = (frame.bytes.count + Self.partLimit - 1) / Self.partLimit
    for part in 0..<count {
      let range = part * frame.bytes.count / count..<(part + 1) * frame.bytes.count / count
      let payload = VP8Payload(
        isDiscardable: frame.isDiscardable, startsFrame: part == 0, pictureID: pictureID,
        baseLayerIndex: baseLayerIndex, temporalLayer: UInt8(clamping: frame.temporalLayer),
        isLayerSync: frame.isLayerSync, part: frame.bytes[range])
      made.append(
        (
          sequence,
          RTPPacket(
            isMarked: part == count - 1, payloadType: MediaStream.PayloadType.vp8,
            sequence: SequenceNumber(sequence),
            timestamp: UInt32(truncatingIfNeeded: lastTimestamp),
            source: MediaStream.Source.video,
            payload: payloads.make { payload.encode(to: &$0) }[...])
        ))
      sequence += 1
    }
    pictureID = (pictureID + 1) & 0x7FFF
    return made
  }

  /// The timestamp of a picture captured at `instant`.
  func timestamp(at instant: Instant) -> Int64 {
    firstTimestamp &+ MediaClock.ticks(at: instant, rate: MediaStream.ClockRate.video)
  }
}
