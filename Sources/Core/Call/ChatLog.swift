import Wire

/// Numbers our own lines and keeps those typed while nobody was there to read them.
///
/// A line typed before the first peer is proved waits for it (somebody who pipes text into the
/// call must not lose it to the time that joining takes); later lines go to those who are proved.
struct ChatLog: Sendable {
  private var lastNumber: UInt64 = 0
  private var waiting: [ChatMessage] = []

  private static let waitingLimit = 256

  /// The message for a typed line, cut to the wire's limit at a character's border; `nil` for a
  /// line without content.
  mutating func compose(_ line: String) -> ChatMessage? {
    guard line.contains(where: { !$0.isWhitespace }) else { return nil }
    var text = line
    while text.utf8.count > ChatMessage.textLimit { text.removeLast() }
    lastNumber += 1
    return ChatMessage(number: lastNumber, text: text)
  }

  /// False when too many lines wait already: the caller tells the user.
  mutating func hold(_ message: ChatMessage) -> Bool {
    guard waiting.count < Self.waitingLimit else { return false }
    waiting.append(message)
    return true
  }

  mutating func takeWaiting() -> [ChatMessage] {
    defer { waiting = [] }
    return waiting
  }
}
