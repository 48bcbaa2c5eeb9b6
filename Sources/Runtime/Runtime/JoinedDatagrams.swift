/// The datagrams of a message that the kernel joined from several: ranges of its bytes, all of
/// `size` but the last, which may be shorter.
package struct JoinedDatagrams: Sequence, IteratorProtocol {
  private let count: Int
  private let size: Int
  private var at = 0
  private var isDone = false

  /// `count` bytes; a `size` that does not part them means one datagram, which may be empty.
  package init(count: Int, size: Int) {
    self.count = Swift.max(0, count)
    self.size = size > 0 && size < count ? size : self.count
  }

  package mutating func next() -> Range<Int>? {
    guard !isDone else { return nil }
    let end = Swift.min(at + size, count)
    defer {
      at = end
      isDone = end == count
    }
    return at..<end
  }
}
