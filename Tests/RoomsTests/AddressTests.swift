import Encryption
import Rooms
import Testing

@Suite struct AddressTests {
  let room = RoomID.create(
    ownerKeyInfo: [1], nonce: [UInt8](repeating: 5, count: 32), with: OpenSSLCipherSuite())

  @Test(arguments: [
    ("call.example.org", "call.example.org", 7_443, "call.example.org:7443"),
    ("call.example.org:1", "call.example.org", 1, "call.example.org:1"),
    ("192.0.2.7:65535", "192.0.2.7", 65_535, "192.0.2.7:65535"),
    ("localhost", "localhost", 7_443, "localhost:7443"),
    ("[::1]", "::1", 7_443, "[::1]:7443"),
    ("[2001:db8::7]:80", "2001:db8::7", 80, "[2001:db8::7]:80"),
    ("[fe80::1%eth0]:80", "fe80::1%eth0", 80, "[fe80::1%eth0]:80"),
  ])
  func `a server's address is read and written`(
    text: String, host: String, port: UInt16, canonical: String
  ) throws {
    let address = try ServerAddress(text: text)
    #expect(address == ServerAddress(host: host, port: port))
    #expect(address.description == canonical)
    #expect(try ServerAddress(text: canonical) == address)
    let whole = try RoomAddress(text: "\(room.text)@\(text)")
    #expect(whole.server == address)
    #expect(whole.room == room)
    #expect(try RoomAddress(text: whole.text) == whole)
  }

  @Test(arguments: [
    ("", ServerAddressError.noHost), (":80", .noHost), ("::1", .noHost),
    ("2001:db8::7", .needsBrackets("2001:db8::7")), ("[::1", .unclosedBracket),
    ("[]", .notAnAddress("")), ("[host]", .notAnAddress("host")), ("a:", .notAPort("")),
    ("a:0", .notAPort("0")), ("a:65536", .notAPort("65536")), ("a:+80", .notAPort("+80")),
    ("[::1]80", .notAPort("0")), ("a b", .notAHost("a b")), ("müller.de", .notAHost("müller.de")),
    ("a/b", .notAHost("a/b")),
  ])
  func `a wrong server's address is refused with the reason`(
    text: String, error: ServerAddressError
  ) {
    #expect(throws: error) { try ServerAddress(text: text) }
    #expect(throws: RoomAddressError.server(error)) {
      try RoomAddress(text: "\(room.text)@\(text)")
    }
  }

  @Test func `an id alone has no server, and white space around it does not matter`() throws {
    #expect(try RoomAddress(text: "  \(room.text)\r\n") == RoomAddress(room))
    #expect(
      try RoomAddress(text: "\(room.text)@host:5 \n")
        == RoomAddress(room, server: ServerAddress(host: "host", port: 5)))
    #expect(RoomAddress(room).text == room.text)
  }

  @Test func `every refusal is one sentence without the id`() {
    let errors: [RoomAddressError] = [
      .empty, .foreignCharacter("\u{202E}", column: 3), .wrongLength(found: 3),
      .wrongSymbol("7", place: 29, column: 39), .severalWrong, .unknownVersion(9),
      .server(.noHost),
    ]
    for error in errors {
      #expect(!error.description.contains("\n"))
      #expect(!error.description.hasSuffix("."))
      #expect(!error.description.unicodeScalars.contains("\u{202E}"))
    }
    #expect(
      RoomAddressError.wrongSymbol("7", place: 12, column: 19).description.contains(
        "the third of the third group"))
  }
}
