import Ciphers
import Encryption
import Rooms
import Testing
import Units

@Suite struct RoomIDTests {
  let suite = OpenSSLCipherSuite()
  private let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")

  private func room(_ seed: UInt8, flags: RoomFlags = []) -> RoomID {
    RoomID.create(
      flags: flags, ownerKeyInfo: [seed], nonce: [UInt8](repeating: seed, count: 32), with: suite)
  }

  @Test(arguments: 0..<8 as Range<UInt8>)
  func `an id survives its text, with every flag`(flags: UInt8) throws {
    for seed in 0..<32 as Range<UInt8> {
      let room = room(seed, flags: RoomFlags(rawValue: flags))
      #expect(room.text.count == 3 + 6 * 6)
      #expect(room.text.hasPrefix("p2p-"))
      let again = try RoomID(text: room.text)
      #expect(again == room)
      #expect(again.flags.rawValue == flags)
      #expect(again.version == 1)
      #expect(again.secret == room.secret)
    }
  }

  @Test func `an id is read as people write it`() throws {
    let room = room(7)
    let text = room.text
    let bare = text.dropFirst(4)
    let confused = String(bare).replacing("0", with: "o").replacing("1", with: "l")
    let variants: [String] = [
      text.lowercased(), text.uppercased(), String(bare), String(bare).replacing("-", with: ""),
      text.replacing("-", with: ""), text.replacing("-", with: " "), " \(text)\n",
      text.replacing("-", with: "\u{2011}"), text.replacing("-", with: "–"), "p2p-\(confused)",
      confused.uppercased(),
    ]
    for variant in variants { #expect(try RoomID(text: variant) == room, "\(variant)") }
  }

  @Test func `every single wrong symbol is pointed at, never corrected`() throws {
    let room = room(3, flags: [.password])
    let text = Array(room.text)
    var place = -1
    for column in 4..<text.count where text[column] != "-" {
      place += 1
      for character in alphabet where character != text[column] {
        var mistyped = text
        mistyped[column] = character
        #expect(
          throws: RoomAddressError.wrongSymbol(character, place: place, column: column + 1)
        ) {
          try RoomID(text: String(mistyped))
        }
      }
    }
    #expect(place == 29)
  }

  @Test func `two wrong symbols are always noticed`() throws {
    let room = room(4)
    let text = Array(room.text)
    let columns = text.indices.filter { $0 >= 4 && text[$0] != "-" }
    var random = SeededRandom(seed: 2)
    for _ in 0..<20_000 {
      let first = columns.randomElement(using: &random)!
      let second = columns.filter { $0 != first }.randomElement(using: &random)!
      var mistyped = text
      for column in [first, second] {
        mistyped[column] = alphabet.filter { $0 != text[column] }.randomElement(using: &random)!
      }
      let refused = (try? RoomID(text: String(mistyped))) == nil
      #expect(refused, "\(String(mistyped))")
    }
  }

  @Test func `swapped neighbours are noticed`() throws {
    let text = Array(room(5).text)
    for column in 4..<text.count - 1 {
      guard text[column] != text[column + 1], text[column] != "-", text[column + 1] != "-" else {
        continue
      }
      var mistyped = text
      mistyped.swapAt(column, column + 1)
      let refused = (try? RoomID(text: String(mistyped))) == nil
      #expect(refused)
    }
  }

  @Test func `what is no id is refused with the reason`() {
    let text = room(6).text
    #expect(throws: RoomAddressError.empty) { try RoomID(text: "") }
    #expect(throws: RoomAddressError.empty) { try RoomID(text: " -- ") }
    #expect(throws: RoomAddressError.wrongLength(found: 29)) {
      try RoomID(text: String(text.dropLast()))
    }
    #expect(throws: RoomAddressError.wrongLength(found: 31)) { try RoomID(text: text + "7") }
    #expect(throws: RoomAddressError.foreignCharacter("U", column: 5)) {
      try RoomID(text: "p2p-U" + text.dropFirst(5))
    }
    #expect(throws: RoomAddressError.foreignCharacter("é", column: 40)) {
      try RoomID(text: text + "é")
    }
    #expect(throws: RoomAddressError.severalWrong) {
      try RoomID(text: "p2p-" + String(repeating: "A", count: 29) + "7")
    }
  }

  @Test func `another version's id asks for an update`() throws {
    // Version 2, no flags, an all-zero secret and the check symbols that belong to them.
    #expect(throws: RoomAddressError.unknownVersion(2)) {
      try RoomID(text: Self.versionTwo)
    }
  }
  private static let versionTwo = "p2p-40000-00000-00000-00000-00000-00GGE"

  @Test func `a room id commits to its owner`() {
    let key = [UInt8](repeating: 1, count: 91)
    let nonce = [UInt8](repeating: 2, count: 32)
    let room = RoomID.create(ownerKeyInfo: key, nonce: nonce, with: suite)
    #expect(room.isOwned(by: key, nonce: nonce, with: suite))
    #expect(!room.isOwned(by: key, nonce: [UInt8](repeating: 3, count: 32), with: suite))
    #expect(!room.isOwned(by: [UInt8](repeating: 4, count: 91), nonce: nonce, with: suite))
    let flagged = RoomID.create(
      flags: .lobby, ownerKeyInfo: key, nonce: nonce, with: suite)
    #expect(flagged.secret != room.secret)
  }

  @Test func `an id never shows itself by accident`() {
    let room = room(8)
    let secrets = [room.text, String(room.text.dropFirst(4).prefix(5))]
    var dumped = ""
    dump(room, to: &dumped)
    for shown in ["\(room)", String(reflecting: room), dumped, "\([room])"] {
      for secret in secrets { #expect(!shown.contains(secret)) }
      #expect(!shown.contains("\(room.secret)"))
    }
  }

  @Test func `garbage never traps`() {
    var random = SeededRandom(seed: 11)
    for _ in 0..<5_000 {
      let text = String(decoding: random.bytes(Int(random.next() % 60)), as: UTF8.self)
      _ = try? RoomAddress(text: text)
      _ = try? ServerAddress(text: text)
    }
  }
}
