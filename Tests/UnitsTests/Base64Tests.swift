import Testing
import Units

@Suite struct Base64Tests {
  /// RFC 4648 §10.
  @Test(
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
      ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
  func `bytes become text as in RFC 4648`(bytes: String, text: String) {
    #expect(Base64.encode(Array(bytes.utf8)) == Array(text.utf8))
  }

  @Test func `the digits of all values are those of the table`() {
    #expect(Base64.encode([0xFB, 0xFF, 0xBE]) == Array("+/++".utf8))
    #expect(Base64.digits.count == 64)
    #expect(Set(Base64.digits).count == 64)
  }
}
