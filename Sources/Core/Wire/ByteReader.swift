/// Why bytes were refused. Values, never traps: the bytes come from a peer.
package enum WireError: Error, Hashable, Sendable {
  /// Fewer bytes left than the field needs.
  case truncated(needed: Int, left: Int)
  /// Bytes left after the message's end.
  case trailing(Int)
  /// A field holds what the format does not allow.
  case invalid(field: StaticStringName, found: UInt64)
  /// A length or count above its limit, refused before anything is allocated.
  case tooLong(field: StaticStringName, found: Int, limit: Int)
}

/// A field's name, always a literal.
package struct StaticStringName: Hashable, Sendable, ExpressibleByStringLiteral,
  CustomStringConvertible
{
  package let description: String
  package init(stringLiteral value: StaticString) { description = value.description }
}

/// Reads big-endian fields from the front of a byte array; no read goes past the end.
package struct ByteReader: Sendable {
  /// Not copied.
  private let bytes: ArraySlice<UInt8>
  private var position: Int
  private let end: Int

  package init(_ bytes: [UInt8]) { self.init(bytes[...]) }
  package init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
    end = bytes.endIndex
  }

  package var left: Int { end - position }
  package var isAtEnd: Bool { position == end }

  private mutating func advance(_ count: Int) throws(WireError) -> Int {
    guard count >= 0, count <= left else { throw .truncated(needed: count, left: left) }
    defer { position += count }
    return position
  }

  package mutating func u8() throws(WireError) -> UInt8 { bytes[try advance(1)] }
  package mutating func u16() throws(WireError) -> UInt16 {
    let at = try advance(2)
    return UInt16(bytes[at]) << 8 | UInt16(bytes[at + 1])
  }
  package mutating func u24() throws(WireError) -> UInt32 {
    let at = try advance(3)
    return UInt32(bytes[at]) << 16 | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2])
  }
  package mutating func u32() throws(WireError) -> UInt32 {
    UInt32(try u16()) << 16 | UInt32(try u16())
  }
  package mutating func u64() throws(WireError) -> UInt64 {
    UInt64(try u32()) << 32 | UInt64(try u32())
  }
  package mutating func bytes(_ count: Int) throws(WireError) -> [UInt8] {
    let at = try advance(count)
    return Array(bytes[at..<at + count])
  }
  /// The same without a copy: it shares the memory of what is read.
  package mutating func part(_ count: Int) throws(WireError) -> ArraySlice<UInt8> {
    let at = try advance(count)
    return bytes[at..<at + count]
  }
  package mutating func skip(_ count: Int) throws(WireError) { _ = try advance(count) }
  /// All that is left.
  package mutating func rest() -> [UInt8] {
    defer { position = end }
    return Array(bytes[position..<end])
  }
  /// The same without a copy.
  package mutating func restPart() -> ArraySlice<UInt8> {
    defer { position = end }
    return bytes[position..<end]
  }
  /// A field prefixed by its length as u16; longer than `limit` is refused.
  package mutating func field(
    _ name: StaticStringName, limit: Int = 65_535
  ) throws(WireError) -> [UInt8] {
    let count = Int(try u16())
    guard count <= limit else { throw .tooLong(field: name, found: count, limit: limit) }
    return try bytes(count)
  }
  /// A `field` of exactly `count` bytes.
  package mutating func field(
    _ name: StaticStringName, exactly count: Int
  ) throws(WireError) -> [UInt8] {
    let found = try field(name, limit: count)
    guard found.count == count else {
      throw .invalid(field: name, found: UInt64(found.count))
    }
    return found
  }
  /// Refuses bytes after the message's end.
  package func finish() throws(WireError) {
    guard isAtEnd else { throw .trailing(left) }
  }
}
