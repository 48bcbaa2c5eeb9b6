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
    var bytes: [UInt8]
    var payload: VP8Payload
  }

  private var slots: [Packet?] = Array(repeating: nil, count: Self.capacity)

  /// Packets, 4 MB: a key frame of any size that a call can carry.
  static let capacity = 2_048

  subscript(index: PacketIndex) -> Packet? {
    guard let packet = slots[slot(index)], packet.index == index else { return nil }
    return packet
  }

  /// `false` when the packet is there already.
  mutating func insert(_ packet: Packet) -> Bool {
    guard self[packet.index] == nil else { return false }
    slots[slot(packet.index)] = packet
    return true
  }

  mutating func remove(_ range: ClosedRange<PacketIndex>) {
    var index = max(range.lowerBound, range.upperBound + Int64(1 - Self.capacity))
    while index <= range.upperBound {
      if self[index] != nil { slots[slot(index)] = nil }
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
