import Units
import Wire

/// Sender reports: what they count, and when they are due (RFC 3550 §6.4.1): at a medium's first packet,
/// soon again in case that one is lost, so that lip sync locks early, then once a second.
struct SenderReports {
  private struct Count {
    /// Both wrap, as on the wire.
    var packets: UInt32 = 0
    /// Of payload.
    var bytes: UInt32 = 0
  }
  private var audio = Count()
  private var video = Count()
  /// `nil` before the first packet.
  private(set) var dueAt: Instant?
  private var early = 0

  private static let earlyIntervals: [Interval] = [.milliseconds(100), .milliseconds(300)]
  private static let interval = Interval.milliseconds(1_000)

  mutating func countAudio(_ packet: RTPPacket, at now: Instant) {
    if audio.packets == 0 { begin(at: now) }
    add(packet, to: &audio)
  }

  mutating func countVideo(_ packet: RTPPacket, at now: Instant) {
    if video.packets == 0 { begin(at: now) }
    add(packet, to: &video)
  }

  /// Reports may have been lost with the carrier before, and this one brings in order what it keeps.
  mutating func beginAgain(at now: Instant) {
    if dueAt != nil { begin(at: now) }
  }

  /// A medium's first packet was counted, and no report was sent since.
  var isBeginning: Bool { early == 0 && dueAt != nil }

  /// Whether reports are to be sent now; the next ones are due later then.
  mutating func isDue(at now: Instant) -> Bool {
    guard let dueAt, dueAt <= now else { return false }
    let wait =
      early < Self.earlyIntervals.count ? Self.earlyIntervals[early] : Self.interval
    early += 1
    self.dueAt = now + wait
    return true
  }

  /// Of each medium of which something was sent. The timestamps are those of `now`; sound has none before
  /// its first packet.
  func compound(audioTimestamp: Int64?, videoTimestamp: Int64, at now: Instant) -> RTCPCompound {
    var packets: [RTCPCompound.Packet] = []
    if audio.packets > 0, let audioTimestamp {
      packets.append(report(of: audio, MediaStream.Source.audio, audioTimestamp, at: now))
    }
    if video.packets > 0 {
      packets.append(report(of: video, MediaStream.Source.video, videoTimestamp, at: now))
    }
    return RTCPCompound(packets)
  }

  private func report(
    of count: Count, _ source: UInt32, _ timestamp: Int64, at now: Instant
  ) -> RTCPCompound.Packet {
    .senderReport(
      SenderReport(
        source: source, time: NTPTime.at(now), timestamp: UInt32(truncatingIfNeeded: timestamp),
        packetCount: count.packets, byteCount: count.bytes))
  }

  private mutating func begin(at now: Instant) {
    dueAt = now
    early = 0
  }

  private func add(_ packet: RTPPacket, to count: inout Count) {
    count.packets &+= 1
    count.bytes &+= UInt32(truncatingIfNeeded: packet.payload.count)
  }
}
