import Synchronization

/// Buffers of pictures that are gone, kept for those that come.
///
/// The one lock in Core, with a measured reason: a 1280x720 picture is 1.4 MB. Left to malloc in
/// several threads they cost a call 35 MB of fragments; mapped and unmapped one by one, 16 000 page
/// faults a second.
final class PictureBuffers: Sendable {
  static let shared = PictureBuffers()

  /// Oldest first.
  private let spare = Mutex<[Spare]>([])

  private struct Spare: @unchecked Sendable {
    var buffer: UnsafeMutableRawBufferPointer
  }

  /// What a call's threads hand round at a time; a size that went out of use is soon pushed out.
  static let mostBuffers = 6
  private static let mostBytes = 16 << 20

  /// A buffer of this size with anything in it.
  func take(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
    let kept = spare.withLock { spare in
      spare.lastIndex { $0.buffer.count == byteCount }.map { spare.remove(at: $0) }
    }
    return kept?.buffer ?? .allocate(byteCount: byteCount, alignment: 64)
  }

  func giveBack(_ buffer: UnsafeMutableRawBufferPointer) {
    let excess = spare.withLock { spare -> [Spare] in
      spare.append(Spare(buffer: buffer))
      var bytes = spare.reduce(0) { $0 + $1.buffer.count }
      var out: [Spare] = []
      while spare.count > Self.mostBuffers || bytes > Self.mostBytes {
        bytes -= spare[0].buffer.count
        out.append(spare.removeFirst())
      }
      return out
    }
    for entry in excess { entry.buffer.deallocate() }
  }

  /// For tests.
  var spareCount: Int { spare.withLock { $0.count } }

  deinit { for entry in spare.withLock({ $0 }) { entry.buffer.deallocate() } }
}
