/// What people pass on: a room id, and its server where that is not the usual one.
package struct RoomAddress: Hashable, Sendable {
  package var room: RoomID
  package var server: ServerAddress?

  package init(_ room: RoomID, server: ServerAddress? = nil) {
    self.room = room
    self.server = server
  }

  /// `ROOMID` or `ROOMID@host[:port]`, as typed or pasted: in any case, with O for 0, I and L for
  /// 1, with or without hyphens, spaces and the leading `p2p`.
  package init(text: String) throws(RoomAddressError) {
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    room = try RoomID(text: parts.first ?? "")
    server = nil
    if parts.count == 2 {
      do {
        var host = parts[1].drop(while: \.isWhitespace)
        while host.last?.isWhitespace == true { host.removeLast() }
        server = try ServerAddress(text: String(host))
      } catch {
        throw .server(error)
      }
    }
  }

  /// Secret, like `RoomID.text`.
  package var text: String { server.map { "\(room.text)@\($0)" } ?? room.text }
}

package enum RoomAddressError: Error, Hashable, Sendable, CustomStringConvertible {
  case empty
  /// `column` counts characters from 1 in what was typed.
  case foreignCharacter(Character, column: Int)
  case wrongLength(found: Int)
  /// The check symbols fit if exactly this symbol is another: `place` from 1 among the 30.
  case wrongSymbol(Character, place: Int, column: Int)
  case severalWrong
  case unknownVersion(UInt8)
  case server(ServerAddressError)

  package var description: String {
    switch self {
    case .empty: "the room id is empty; ask for the line that `p2pcall room create` printed"
    case .foreignCharacter(let character, let column):
      "the room id has a “\(NeutralText.name(String(character)))” at character \(column), "
        + "which no room id contains; check it there"
    case .wrongLength(let found):
      "the room id has \(found) letters and digits after p2p instead of 30; "
        + "check that all of it was copied"
    case .wrongSymbol(let character, let place, let column):
      "the room id is mistyped at character \(column): “\(character)”, the \(ordinal(place % 5)) "
        + "of the \(ordinal(place / 5)) group of five, is wrong; check it there"
    case .severalWrong: "the room id is mistyped in more than one place; check all of it"
    case .unknownVersion(let version):
      "the room was made by another version of p2pcall (\(version)); update p2pcall"
    case .server(let error): error.description
    }
  }

  private func ordinal(_ index: Int) -> String {
    ["first", "second", "third", "fourth", "fifth", "sixth"][index]
  }
}

extension RoomID {
  /// The id alone, as typed.
  package init(text: some StringProtocol) throws(RoomAddressError) {
    var typed: [(character: Character, symbol: UInt8, column: Int)] = []
    for (index, character) in text.enumerated() {
      if Self.isSeparator(character) { continue }
      guard let symbol = Crockford.symbol(of: character) else {
        throw .foreignCharacter(character, column: index + 1)
      }
      typed.append((character, symbol, index + 1))
    }
    if typed.isEmpty { throw .empty }
    // 30 symbols may themselves begin with P2P, so the prefix is known by its hyphen or by what
    // it would leave.
    let startsWithPrefix = typed.prefix(3).map { $0.character.uppercased() } == ["P", "2", "P"]
    if startsWithPrefix, typed.count == 33 || Self.hasSeparatedPrefix(text) {
      typed.removeFirst(3)
    }
    guard typed.count == 30 else { throw .wrongLength(found: typed.count) }
    let symbols = typed.map(\.symbol)
    switch ReedSolomonCode.check(symbols) {
    case .whole: break
    case .wrong(let place):
      throw .wrongSymbol(
        typed[place].character, place: place, column: typed[place].column)
    case .broken: throw .severalWrong
    }
    self.init(symbols: Array(symbols.dropLast(ReedSolomonCode.checkCount)))
    guard version == Self.currentVersion else { throw .unknownVersion(version) }
  }

  /// Hyphens of all kinds, as word processors make them, and white space.
  private static func isSeparator(_ character: Character) -> Bool {
    if character == "-" || character.isWhitespace { return true }
    guard let scalar = character.unicodeScalars.first, character.unicodeScalars.count == 1 else {
      return false
    }
    return scalar.properties.generalCategory == .dashPunctuation
  }

  private static func hasSeparatedPrefix(_ text: some StringProtocol) -> Bool {
    let start = text.drop { isSeparator($0) }
    return start.dropFirst(3).first.map { isSeparator($0) } ?? false
  }
}
