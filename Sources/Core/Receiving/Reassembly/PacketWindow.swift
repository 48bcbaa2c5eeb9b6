import Units
import Wire

/// Video packets that wait for the rest of their frame, by index; bounded by count, and by
/// `MediaReceiver`'s limit on a packet's bytes.
struct PacketWindow {
  struct Packet {
    var index: PacketIndex
    var timestamp: Int64
    var isMarked: Bool
    /// As they came, which is what parity is over; and read.
    var bytes: ArraySlice<UInt8>
    var payload: VP8Payload
  }

  private var slots: [Packet?] = Array(repeating: nil, count: Self.capacity)

  /// Packets, 4 MB: a key frame of any size that a call can carry.
  static let capacity = 2_048

  subscript(index: PacketIndex) -> Packet? {
    guard let packet = slots[slot(index)], packet.index == index else { return nil }
    return packet
  }

  /// What of a packet says where its frame begins and ends, without the packet's bytes.
  struct Place {
    var timestamp: Int64
    var startsFrame: Bool
    var isMarked: Bool
  }

  func place(of index: PacketIndex) -> Place? {
    let slot = slot(index)
    // Field by field: whoever looks at the neighbours of each packet must not hold them all.
    guard let found = slots[slot]?.index, found == index, let timestamp = slots[slot]?.timestamp,
      let startsFrame = slots[slot]?.payload.startsFrame, let isMarked = slots[slot]?.isMarked
    else { return nil }
    return Place(timestamp: timestamp, startsFrame: startsFrame, isMarked: isMarked)
  }

  /// `false` when the packet is there already.
  mutating func insert(_ packet: Packet) -> Bool {
    guard slots[slot(packet.index)]?.index != packet.index else { return false }
    slots[slot(packet.index)] = packet
    return true
  }

  mutating func remove(_ range: ClosedRange<PacketIndex>) {
    var index = max(range.lowerBound, range.upperBound + Int64(1 - Self.capacity))
    while index <= range.upperBound {
      if slots[slot(index)]?.index == index { slots[slot(index)] = nil }
      index += 1
    }
  }

  mutating func removeAll() {
    slots = Array(repeating: nil, count: Self.capacity)
  }

  private func slot(_ index: PacketIndex) -> Int {
    Int(((index.value % Int64(Self.capacity)) + Int64(Self.capacity)) % Int64(Self.capacity))
  }
}
