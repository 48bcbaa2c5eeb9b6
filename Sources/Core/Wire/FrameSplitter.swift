/// Cuts a stream's bytes into frames, each after its length (u24): push what came, then take frames
/// until `nil`. Peers' links and rendezvous servers frame alike.
///
/// It holds at most one incomplete frame, within the limit, and what was pushed last.
package struct FrameSplitter: Sendable {
  /// Largest frame that is taken; may grow between pushes.
  package var limit: Int
  private var buffer: [UInt8] = []
  /// Index in `buffer` of the first byte not yet taken.
  private var start = 0

  package init(limit: Int) { self.limit = limit }

  package mutating func push(_ bytes: [UInt8]) {
    if start > 0 {
      buffer.removeFirst(start)
      start = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// The next whole frame's kind and body, still undecoded, at least one byte; `nil` until more bytes
  /// come. An error means that the stream's framing is broken for good.
  package mutating func next() throws(WireError) -> [UInt8]? {
    guard buffer.count - start >= 3 else { return nil }
    let length =
      Int(buffer[start]) << 16 | Int(buffer[start + 1]) << 8 | Int(buffer[start + 2])
    guard length > 0 else { throw .invalid(field: "frame length", found: 0) }
    guard length <= limit else {
      throw .tooLong(field: "frame length", found: length, limit: limit)
    }
    guard buffer.count - start >= 3 + length else { return nil }
    defer { start += 3 + length }
    return Array(buffer[start + 3..<start + 3 + length])
  }
}
