/// Writes big-endian fields to a growing byte array.
package struct ByteWriter: Sendable {
  package private(set) var bytes: [UInt8] = []

  package init(reserving count: Int = 0) { bytes.reserveCapacity(count) }
  /// Goes on behind `bytes`, in their memory.
  package init(after bytes: consuming [UInt8]) { self.bytes = bytes }

  package var count: Int { bytes.count }

  /// What was written; the writer is empty then.
  fileprivate mutating func taken() -> [UInt8] { exchange(&bytes, for: []) }

  package mutating func u8(_ value: UInt8) { bytes.append(value) }
  package mutating func u16(_ value: UInt16) {
    bytes.append(UInt8(truncatingIfNeeded: value >> 8))
    bytes.append(UInt8(truncatingIfNeeded: value))
  }
  package mutating func u24(_ value: UInt32) {
    u8(UInt8(truncatingIfNeeded: value >> 16))
    u16(UInt16(truncatingIfNeeded: value))
  }
  package mutating func u32(_ value: UInt32) {
    u16(UInt16(truncatingIfNeeded: value >> 16))
    u16(UInt16(truncatingIfNeeded: value))
  }
  package mutating func u64(_ value: UInt64) {
    u32(UInt32(truncatingIfNeeded: value >> 32))
    u32(UInt32(truncatingIfNeeded: value))
  }
  package mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }
  /// A field prefixed by its length as u16; at most 65 535 bytes.
  package mutating func field(_ value: [UInt8]) {
    precondition(value.count <= 65_535, "a field's length is a u16; callers bound it")
    u16(UInt16(value.count))
    append(value)
  }
  /// Replaces the two bytes at `offset`, for lengths known only at the end.
  package mutating func patchU16(_ value: UInt16, at offset: Int) {
    bytes[offset] = UInt8(truncatingIfNeeded: value >> 8)
    bytes[offset + 1] = UInt8(truncatingIfNeeded: value)
  }
}

/// One message on the wire: a value with its encoding beside its decoding.
///
/// `init(decoding:)` takes exactly one message: truncated input and trailing bytes are refused.
package protocol WireMessage: Equatable, Sendable {
  init(from reader: inout ByteReader) throws(WireError)
  func write(to writer: inout ByteWriter)
}

extension WireMessage {
  package init(decoding bytes: [UInt8]) throws(WireError) { try self.init(decoding: bytes[...]) }
  package init(decoding bytes: ArraySlice<UInt8>) throws(WireError) { self = try decoded(bytes) }
  package var encoded: [UInt8] {
    var writer = ByteWriter()
    write(to: &writer)
    return writer.bytes
  }
  /// The same, behind what `bytes` holds already and in its memory.
  package func encode(to bytes: inout [UInt8]) { append(self, to: &bytes) }
}

func decoded<Message: WireMessage>(_ bytes: ArraySlice<UInt8>) throws(WireError) -> Message {
  var reader = ByteReader(bytes)
  let message = try Message(from: &reader)
  try reader.finish()
  return message
}

func append(_ message: some WireMessage, to bytes: inout [UInt8]) {
  // Moved in and out: a second holder would make it be copied.
  var writer = ByteWriter(after: exchange(&bytes, for: []))
  message.write(to: &writer)
  bytes = writer.taken()
}

private func exchange(_ bytes: inout [UInt8], for other: [UInt8]) -> [UInt8] {
  var taken = other
  swap(&taken, &bytes)
  return taken
}

/// The fields, each prefixed by its length as u16: what `|` means in docs/protocol.md.
package func joinedFields(_ fields: [UInt8]...) -> [UInt8] {
  var writer = ByteWriter(reserving: fields.reduce(0) { $0 + $1.count + 2 })
  for field in fields { writer.field(field) }
  return writer.bytes
}
