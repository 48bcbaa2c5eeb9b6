/// Byte arrays that are used again, so that packets cost no allocation.
///
/// Each is given out in turn. When its turn comes again, one that everybody has dropped meanwhile
/// keeps its memory; one that somebody still holds stays his, and another is made in its place. So
/// nobody has to give anything back, and a ring that is too short costs allocations, never bytes.
public struct BufferRing: Sendable {
  private var buffers: [[UInt8]]
  private var next = 0
  /// Bytes that a new one has room for.
  private let room: Int

  /// A ring of none makes a new array each time. Memory is taken as it is needed.
  public init(count: Int, room: Int) {
    buffers = Array(repeating: [], count: count)
    self.room = room
  }

  /// An empty array that `fill` fills, for the caller to keep as long as he likes.
  public mutating func make(_ fill: (inout [UInt8]) -> Void) -> [UInt8] {
    guard !buffers.isEmpty else {
      var bytes: [UInt8] = []
      fill(&bytes)
      return bytes
    }
    let at = next
    next = at + 1 == buffers.count ? 0 : at + 1
    buffers[at].removeAll(keepingCapacity: true)
    buffers[at].reserveCapacity(room)
    fill(&buffers[at])
    return buffers[at]
  }

  /// A copy of `bytes`.
  public mutating func copy(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    make { $0.append(contentsOf: bytes) }
  }
}
