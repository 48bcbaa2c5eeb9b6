/// The receiving half of a simulated TCP connection: puts bytes in order.
struct StreamReceiver {
  /// Everything before it was given to the program.
  private(set) var expected: Int64 = 0
  /// Segments beyond it, in order, without overlap of whole segments.
  private var early: [(offset: Int64, bytes: [UInt8])] = []
  private var end: Int64?
  private(set) var isFinished = false

  /// The bytes that are now in order.
  mutating func take(_ bytes: [UInt8], at offset: Int64) -> [UInt8] {
    guard !bytes.isEmpty, offset + Int64(bytes.count) > expected else { return [] }
    let place = early.firstIndex { $0.offset >= offset } ?? early.count
    if place < early.count, early[place].offset == offset {
      if early[place].bytes.count < bytes.count { early[place].bytes = bytes }
    } else {
      early.insert((offset, bytes), at: place)
    }
    var ordered: [UInt8] = []
    while let first = early.first, first.offset <= expected {
      early.removeFirst()
      let skip = Int(expected - first.offset)
      guard skip < first.bytes.count else { continue }
      ordered += first.bytes[skip...]
      expected += Int64(first.bytes.count - skip)
    }
    checkEnd()
    return ordered
  }

  mutating func finish(at offset: Int64) {
    end = offset
    checkEnd()
  }

  private mutating func checkEnd() {
    guard let end, expected == end, !isFinished else { return }
    isFinished = true
    expected += 1
  }

  /// What has arrived beyond `expected`, joined.
  var islands: [Range<Int64>] {
    var islands: [Range<Int64>] = []
    for (offset, bytes) in early {
      let range = offset..<offset + Int64(bytes.count)
      if let last = islands.last, last.upperBound >= range.lowerBound {
        islands[islands.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        islands.append(range)
      }
    }
    return islands
  }
}
