import Media
import Units
import Wire

/// One RTP packet for each Opus packet (RFC 7587 §4). Timestamps count samples, so that the
/// receiver plays without gaps; how they lie on the clock is in `timestamp(at:)`, smoothed, because
/// capture instants come in steps of a device's period.
struct AudioPacketizer {
  private var sequence: PacketIndex
  /// Of the next packet when it follows without a gap.
  private var nextTimestamp: Int64
  /// Timestamp minus capture time in ticks, smoothed; `nil` before the first packet.
  private var offset: Double?

  /// Capture further than this from where the samples have counted to is a gap, such as mute.
  private static let gapLimit = Interval.milliseconds(60)

  init(_ configuration: SendingConfiguration) {
    sequence = PacketIndex(Int64(configuration.firstSequence))
    nextTimestamp = Int64(configuration.firstTimestamp)
  }

  /// `nil` for an empty packet or one that does not fit.
  mutating func packet(of frame: EncodedAudioFrame) -> RTPPacket? {
    guard !frame.bytes.isEmpty,
      frame.bytes.count <= MediaStream.packetLimit - RTPPacket.headerCount
    else { return nil }
    let captured = Double(
      MediaClock.ticks(at: frame.capturedAt, rate: MediaStream.ClockRate.audio))
    var startsSpurt = false
    if let known = offset {
      let drift = Double(nextTimestamp) - captured - known
      let limit = Self.gapLimit.seconds * Double(MediaStream.ClockRate.audio)
      if drift < -limit {
        nextTimestamp = Int64(captured + known)
        startsSpurt = true
      } else if drift > limit {
        offset = Double(nextTimestamp) - captured
      } else {
        offset = known + drift / 32
      }
    } else {
      offset = Double(nextTimestamp) - captured
      startsSpurt = true
    }
    let packet = RTPPacket(
      isMarked: startsSpurt, payloadType: MediaStream.PayloadType.opus,
      sequence: SequenceNumber(sequence), timestamp: UInt32(truncatingIfNeeded: nextTimestamp),
      source: MediaStream.Source.audio, payload: frame.bytes[...])
    sequence += 1
    nextTimestamp &+= Int64(frame.samples)
    return packet
  }

  /// The timestamp of a sample captured at `instant`; `nil` before the first packet.
  func timestamp(at instant: Instant) -> Int64? {
    offset.map {
      Int64($0 + Double(MediaClock.ticks(at: instant, rate: MediaStream.ClockRate.audio)))
    }
  }
}
