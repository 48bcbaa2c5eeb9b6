import Units

/// Gives out whole frames in order, each as soon as everything it refers to was given out. A frame
/// that cannot be decoded waits for repair or for a later key frame; nothing broken is given out.
struct FrameOrder {
  /// Complete frames after the newest given out, by their first packet.
  private var waiting: [FrameAssembly.Frame] = []
  /// Last packet of the newest frame given out; `nil` while only a key frame can begin.
  private(set) var givenThrough: PacketIndex?
  /// Last packet of the newest frame ever given out: nothing before it is given out after it.
  private(set) var newestGiven: PacketIndex?
  /// TL0PICIDX of the newest base-layer frame given out.
  private var baseLayerIndex: UInt8?

  /// Frames, and their bytes, that may wait.
  private static let countLimit = 128
  private static let byteLimit = 8_000_000

  var isWaiting: Bool { !waiting.isEmpty }

  mutating func insert(_ frame: FrameAssembly.Frame) {
    if let newestGiven, frame.first <= newestGiven { return }
    // A key frame of an absurd size is as good as lost.
    if frame.isKeyFrame, frame.size == nil { return }
    let at = waiting.firstIndex { $0.first > frame.first } ?? waiting.endIndex
    waiting.insert(frame, at: at)
    var bytes = waiting.reduce(0) { $0 + $1.bytes.count }
    while waiting.count > Self.countLimit || bytes > Self.byteLimit {
      bytes -= waiting.removeFirst().bytes.count
    }
  }

  /// The next frame that can be decoded; older ones that wait are given up.
  mutating func next() -> FrameAssembly.Frame? {
    guard let at = waiting.firstIndex(where: isDecodable) else { return nil }
    let frame = waiting[at]
    waiting.removeFirst(at + 1)
    givenThrough = frame.last
    newestGiven = frame.last
    if frame.temporalLayer == 0 { baseLayerIndex = frame.baseLayerIndex }
    return frame
  }

  /// Only a key frame can follow.
  mutating func breakChain() {
    givenThrough = nil
    baseLayerIndex = nil
    waiting.removeAll { !$0.isKeyFrame }
  }

  private func isDecodable(_ frame: FrameAssembly.Frame) -> Bool {
    if frame.isKeyFrame { return true }
    guard let givenThrough else { return false }
    if frame.first == givenThrough + 1 { return true }
    // Layers (RFC 7741 §4.2): a base frame needs the base frame before it; one that is a layer
    // switching point needs its own base frame only.
    guard let wanted = frame.baseLayerIndex, let base = baseLayerIndex else { return false }
    return frame.temporalLayer == 0
      ? wanted == base &+ 1 : frame.isLayerSync && wanted == base
  }
}
