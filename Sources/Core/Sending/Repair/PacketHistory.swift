import Units
import Wire

/// The newest video packets, kept to be sent again (RFC 4588): bounded by count and so by bytes.
struct PacketHistory {
  private struct Entry {
    var index: PacketIndex
    var packet: RTPPacket
    var lastSentAt: Instant
    var firstSentAt: Instant
    var repairs = 0
  }

  private var entries: [Entry?] = Array(repeating: nil, count: Self.capacity)
  private var newest: PacketIndex?
  private var oldest = PacketIndex(0)
  private var repairSequence: PacketIndex
  private var payloads = BufferRing(count: 64, room: MediaStream.packetLimit)

  /// About 1 MB, or 3 s at 3 Mbit/s.
  static let capacity = 1_024
  /// Older packets no longer help: the receiver has asked for a key frame by then.
  private static let ageLimit = Interval.milliseconds(1_500)

  init(_ configuration: SendingConfiguration) {
    repairSequence = PacketIndex(Int64(configuration.firstSequence))
  }

  var isEmpty: Bool { newest == nil }

  /// Nothing that was sent so far is sent again.
  mutating func forget() { newest = nil }

  mutating func insert(_ packet: RTPPacket, index: PacketIndex, at now: Instant) {
    entries[slot(index)] = Entry(index: index, packet: packet, lastSentAt: now, firstSentAt: now)
    if newest == nil { oldest = index }
    newest = index
  }

  /// The retransmission of a packet, unless it is unknown, too old, or was sent so recently that
  /// the request must have crossed it. `isLossy` sends it twice, and so does asking again: a lost
  /// repair costs another round trip.
  mutating func repairs(
    _ number: SequenceNumber, roundTrip: Interval, isLossy: Bool, at now: Instant
  ) -> [RTPPacket] {
    guard let newest else { return [] }
    let index = newest + Int64(number.distance(from: SequenceNumber(newest)))
    guard index.value >= 0, index >= oldest, index <= newest, let entry = entries[slot(index)],
      entry.index == index, now - entry.firstSentAt <= Self.ageLimit,
      now - entry.lastSentAt >= roundTrip * 0.8
    else { return [] }
    entries[slot(index)]?.lastSentAt = now
    entries[slot(index)]?.repairs += 1
    let copies = isLossy || entry.repairs > 0 ? 2 : 1
    return (0..<copies).map { _ in retransmission(of: entry.packet) }
  }

  /// The newest packet again: something harmless that makes the receiver answer.
  mutating func probe() -> RTPPacket? {
    guard let newest, let entry = entries[slot(newest)] else { return nil }
    return retransmission(of: entry.packet)
  }

  private mutating func retransmission(of packet: RTPPacket) -> RTPPacket {
    defer { repairSequence += 1 }
    let payload = RetransmissionPayload(original: packet.sequence, payload: packet.payload)
    return RTPPacket(
      isMarked: packet.isMarked, payloadType: MediaStream.PayloadType.vp8Repair,
      sequence: SequenceNumber(repairSequence), timestamp: packet.timestamp,
      source: MediaStream.Source.videoRepair,
      payload: payloads.make { payload.encode(to: &$0) }[...])
  }

  private func slot(_ index: PacketIndex) -> Int {
    Int(index.value % Int64(Self.capacity))
  }
}
