import Rooms
import Units
import Wire

/// What a line of standard input means during a call.
package enum InputLine: Hashable, Sendable {
  case chat(String)
  case command(CallCommand)
  /// One sentence for the user: the line was not understood, or not sent whole.
  case notice(String)
}

/// Puts lines together from whatever pieces standard input comes in.
///
/// Feed bytes with `append`, then take `nextLine()` until it returns `nil`; after `finish` the last
/// line needs no line end. A line keeps at most `limit` bytes, whatever its length.
package struct InputLines: Sendable {
  /// What one chat line may hold, in bytes of UTF-8.
  package static let chatLimit = ChatMessage.textLimit

  /// A line's text and whether its end was cut off.
  private struct Line: Sendable {
    var text: String
    var isCut: Bool
  }

  private let limit: Int
  private var ready = OutputQueue<Line>()
  private var begun: [UInt8] = []
  private var isCut = false
  private var pendingNotice: String?

  package init(limit: Int = chatLimit) { self.limit = limit }

  package mutating func append(_ bytes: some Sequence<UInt8>) {
    for byte in bytes {
      if byte == UInt8(ascii: "\n") {
        endLine()
      } else if begun.count < limit + 4 {
        // Head room to see whether the character at the limit goes on.
        begun.append(byte)
      } else {
        isCut = true
      }
    }
  }

  /// The end of input: what was begun is a line.
  package mutating func finish() {
    if !begun.isEmpty { endLine() }
  }

  /// The next line as it stands, for the room id of `join -`.
  package mutating func nextText() -> String? { ready.next()?.text }

  /// The next line that means something; empty lines are passed over.
  package mutating func nextLine() -> InputLine? {
    if let notice = pendingNotice {
      pendingNotice = nil
      return .notice(notice)
    }
    while let line = ready.next() {
      guard line.text.contains(where: { !$0.isWhitespace }) else { continue }
      if line.text.hasPrefix("/"), !line.text.hasPrefix("//") {
        do { return .command(try CallCommand(parsing: line.text.dropFirst())) } catch {
          return .notice(error.description)
        }
      }
      if line.isCut {
        pendingNotice =
          "the line was longer than \(limit) bytes and was cut; send the rest as another line"
      }
      return .chat(line.text.hasPrefix("//") ? String(line.text.dropFirst()) : line.text)
    }
    return nil
  }

  private mutating func endLine() {
    if begun.last == UInt8(ascii: "\r") { begun.removeLast() }
    var end = begun.count
    if end > limit {
      isCut = true
      end = limit
      // Not in the middle of a character: continuation bytes go with their first byte.
      while end > 0, begun[end] & 0xC0 == 0x80 { end -= 1 }
    }
    // Decoding replaces what is not UTF-8 by U+FFFD.
    let text = NeutralText.line(utf8: Array(begun[..<end]))
    ready.append(Line(text: text, isCut: isCut))
    begun.removeAll(keepingCapacity: true)
    isCut = false
  }
}
