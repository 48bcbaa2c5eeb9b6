import Media
import Units
import Wire

/// Puts frames together again from their packets, in whatever order these come.
struct FrameAssembly {
  /// A frame whose packets are all here.
  struct Frame {
    var first: PacketIndex
    var last: PacketIndex
    var timestamp: Int64
    var isKeyFrame: Bool
    /// Of a key frame.
    var size: PictureSize?
    var temporalLayer: UInt8
    var isLayerSync: Bool
    var baseLayerIndex: UInt8?
    var bytes: [UInt8]
  }

  private(set) var window = PacketWindow()
  /// Of whole frames, which wait for each other and for the decoder.
  private var frames = BufferRing(count: 8, room: 4_096)

  /// Takes a packet in. Returns the frame that it completes; `isNew` is `false` for a duplicate.
  mutating func insert(_ packet: PacketWindow.Packet) -> (isNew: Bool, frame: Frame?) {
    guard window.insert(packet) else { return (false, nil) }
    guard let first = start(of: packet), let last = end(of: packet) else { return (true, nil) }
    return (true, frame(from: first, through: last))
  }

  /// Frees everything up to and including `last`.
  mutating func forget(from first: PacketIndex, through last: PacketIndex) {
    if first <= last { window.remove(first...last) }
  }

  mutating func reset() { window.removeAll() }

  private func start(of packet: PacketWindow.Packet) -> PacketIndex? {
    var index = packet.index
    var startsFrame = packet.payload.startsFrame
    while !startsFrame {
      index += -1
      guard let previous = window.place(of: index), previous.timestamp == packet.timestamp
      else { return nil }
      startsFrame = previous.startsFrame
    }
    return index
  }

  private func end(of packet: PacketWindow.Packet) -> PacketIndex? {
    var index = packet.index
    var isMarked = packet.isMarked
    while !isMarked {
      index += 1
      guard let next = window.place(of: index), next.timestamp == packet.timestamp,
        !next.startsFrame
      else { return nil }
      isMarked = next.isMarked
    }
    return index
  }

  private mutating func frame(from first: PacketIndex, through last: PacketIndex) -> Frame? {
    guard let head = window[first] else { return nil }
    let bytes = frames.make { bytes in
      bytes.reserveCapacity(Int(last - first + 1) * head.payload.part.count)
      var index = first
      while index <= last, let packet = window[index] {
        bytes.append(contentsOf: packet.payload.part)
        index += 1
      }
    }
    let isKeyFrame = KeyFrameHeader.isKeyFrame(bytes[...])
    return Frame(
      first: first, last: last, timestamp: head.timestamp, isKeyFrame: isKeyFrame,
      size: isKeyFrame ? KeyFrameHeader.size(of: bytes) : nil,
      temporalLayer: head.payload.temporalLayer, isLayerSync: head.payload.isLayerSync,
      baseLayerIndex: head.payload.baseLayerIndex, bytes: bytes)
  }
}
