import Media
import Units
import Wire

/// One RTP packet for each Opus packet (RFC 7587 §4), with copies of earlier ones where the path loses
/// some (RFC 2198). Timestamps count samples, so that the receiver plays without gaps; how they lie on
/// the clock is in `timestamp(at:)`, smoothed, because capture instants come in steps of a device's
/// period.
struct AudioPacketizer {
  private var sequence: PacketIndex
  /// Of the next packet when it follows without a gap.
  private var nextTimestamp: Int64
  /// Timestamp minus capture time in ticks, smoothed; `nil` before the first packet.
  private var offset: Double?
  /// The newest Opus packets, the oldest first, for copies.
  private var recent: [(timestamp: Int64, bytes: [UInt8])] = []

  /// Capture further than this from where the samples have counted to is a gap, such as mute.
  private static let gapLimit = Interval.milliseconds(60)

  init(_ configuration: SendingConfiguration) {
    sequence = PacketIndex(Int64(configuration.firstSequence))
    nextTimestamp = Int64(configuration.firstTimestamp)
    recent.reserveCapacity(RedundantAudio.copyLimit + 1)
  }

  /// `nil` for an empty packet or one that does not fit. `distances` tell of which earlier packets
  /// copies are to be sent along: 1 is the one before, rising.
  mutating func packet(of frame: EncodedAudioFrame, distances: [Int] = []) -> RTPPacket? {
    let room = MediaStream.packetLimit - RTPPacket.headerCount
    guard !frame.bytes.isEmpty, frame.bytes.count <= room else { return nil }
    let startsSpurt = advanceClock(to: frame)
    let copies = copies(at: distances, room: room - frame.bytes.count - 1)
    let payload =
      copies.isEmpty
      ? frame.bytes : RedundantAudio(copies: copies, newest: frame.bytes[...]).encoded
    let packet = RTPPacket(
      isMarked: startsSpurt,
      payloadType: copies.isEmpty
        ? MediaStream.PayloadType.opus : MediaStream.PayloadType.redundantOpus,
      sequence: SequenceNumber(sequence), timestamp: UInt32(truncatingIfNeeded: nextTimestamp),
      source: MediaStream.Source.audio, payload: payload[...])
    if recent.count == RedundantAudio.copyLimit { recent.removeFirst() }
    recent.append((nextTimestamp, frame.bytes))
    sequence += 1
    nextTimestamp &+= Int64(frame.samples)
    return packet
  }

  /// Says whether a talk spurt begins.
  private mutating func advanceClock(to frame: EncodedAudioFrame) -> Bool {
    let captured = Double(
      MediaClock.ticks(at: frame.capturedAt, rate: MediaStream.ClockRate.audio))
    guard let known = offset else {
      offset = Double(nextTimestamp) - captured
      return true
    }
    let drift = Double(nextTimestamp) - captured - known
    let limit = Self.gapLimit.seconds * Double(MediaStream.ClockRate.audio)
    if drift < -limit {
      nextTimestamp = Int64(captured + known)
      return true
    }
    offset = drift > limit ? Double(nextTimestamp) - captured : known + drift / 32
    return false
  }

  /// Of each packet back to the farthest that is to be copied, the oldest first.
  private func copies(at distances: [Int], room: Int) -> [RedundantAudio.Copy] {
    guard !distances.isEmpty else { return [] }
    var left = room
    var farthest = 0
    for distance in distances.prefix(RedundantAudio.copyLimit) {
      guard distance <= recent.count else { break }
      let candidate = recent[recent.count - distance]
      // All between cost their headers.
      let headers = (distance - farthest) * RedundantAudio.copyHeaderCount
      guard candidate.bytes.count + headers <= left,
        candidate.bytes.count <= RedundantAudio.byteLimit,
        nextTimestamp - candidate.timestamp <= Int64(RedundantAudio.offsetLimit)
      else { break }
      left -= candidate.bytes.count + headers
      farthest = distance
    }
    return (0..<farthest).map { place in
      let distance = farthest - place
      let packet = recent[recent.count - distance]
      return RedundantAudio.Copy(
        offset: UInt16(nextTimestamp - packet.timestamp),
        bytes: distances.contains(distance) ? packet.bytes[...] : [])
    }
  }

  /// The timestamp of a sample captured at `instant`; `nil` before the first packet.
  func timestamp(at instant: Instant) -> Int64? {
    offset.map {
      Int64($0 + Double(MediaClock.ticks(at: instant, rate: MediaStream.ClockRate.audio)))
    }
  }
}
