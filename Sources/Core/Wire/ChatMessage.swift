/// One line of chat on the reliable chat stream: the sender's own count of lines, and the text.
///
/// The sender is the link's session, never a field: nobody can speak for somebody else.
package struct ChatMessage: WireMessage {
  /// Counts from 1 for each session; the scope is the sender's session id.
  package var number: UInt64
  /// UTF-8, 1…`textLimit` bytes.
  package var text: String

  package static let textLimit = 4_000

  package init(number: UInt64, text: String) {
    self.number = number
    self.text = text
  }

  package init(from reader: inout ByteReader) throws(WireError) {
    number = try reader.u64()
    let bytes = try reader.field("chat text", limit: Self.textLimit)
    guard !bytes.isEmpty else { throw .invalid(field: "chat text", found: 0) }
    // Invalid UTF-8 becomes U+FFFD here; neutralising for the screen is the receiver's task.
    text = String(decoding: bytes, as: UTF8.self)
  }

  package func write(to writer: inout ByteWriter) {
    writer.u64(number)
    writer.field(Array(text.utf8))
  }
}
