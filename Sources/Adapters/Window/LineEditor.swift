/// The chat line while it is being typed. The cursor stands before `characters[cursor]`.
package struct LineEditor: Hashable, Sendable {
  package private(set) var characters: [Character] = []
  package private(set) var cursor = 0
  /// UTF-8 bytes that the line may have; what would exceed it is not taken.
  package static let byteLimit = 2_000

  package init() {}

  package var text: String { String(characters) }
  package var isBlank: Bool { characters.allSatisfy(\.isWhitespace) }

  package mutating func insert(_ text: String) {
    var room = Self.byteLimit - self.text.utf8.count
    for character in TextFit.clean(text, limit: Self.byteLimit) {
      room -= character.utf8.count
      guard room >= 0 else { return }
      characters.insert(character, at: cursor)
      cursor += 1
    }
  }

  package enum Motion: Hashable, Sendable {
    case left
    case right
    case wordLeft
    case wordRight
    case home
    case end
  }

  package mutating func move(_ motion: Motion) { cursor = place(motion) }

  /// Removes what lies between the cursor and where `motion` would take it.
  package mutating func delete(_ motion: Motion) {
    let other = place(motion)
    characters.removeSubrange(min(cursor, other)..<max(cursor, other))
    cursor = min(cursor, other)
  }

  package mutating func clear() { self = LineEditor() }

  private func place(_ motion: Motion) -> Int {
    switch motion {
    case .left: return max(0, cursor - 1)
    case .right: return min(characters.count, cursor + 1)
    case .home: return 0
    case .end: return characters.count
    case .wordLeft:
      var index = cursor
      while index > 0, characters[index - 1].isWhitespace { index -= 1 }
      while index > 0, !characters[index - 1].isWhitespace { index -= 1 }
      return index
    case .wordRight:
      var index = cursor
      while index < characters.count, characters[index].isWhitespace { index += 1 }
      while index < characters.count, !characters[index].isWhitespace { index += 1 }
      return index
    }
  }
}
