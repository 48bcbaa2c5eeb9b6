import Encryption
import Rooms
import Testing
import Units

@Suite struct NeutralTextTests {
  /// What a peer claims, and what is shown.
  private static let names: [(String, String)] = [
    ("Ann", "Ann"), ("  Ann  ", "Ann"), ("Ann \t Lee", "Ann Lee"), ("", "nameless"),
    (" ", "nameless"), ("\u{200B}", "nameless"), ("\u{202E}", "nameless"),
    ("\u{0}", "\u{FFFD}"), ("A\u{7}nn", "A\u{FFFD}nn"), ("A\u{1B}[31mnn", "A\u{FFFD}[31mnn"),
    ("A\u{9B}31mnn", "A\u{FFFD}31mnn"), ("A\u{7F}nn", "A\u{FFFD}nn"), ("A\nnn", "A nn"),
    ("A\r\nnn", "A nn"), ("A\u{85}nn", "A nn"), ("A\u{B}nn", "A nn"), ("A\u{2028}nn", "A nn"),
    ("A\u{2029}nn", "A nn"), ("A\u{202E}nn", "Ann"), ("A\u{202A}nn\u{202C}", "Ann"),
    ("A\u{2066}nn\u{2069}", "Ann"), ("A\u{200E}nn", "Ann"), ("A\u{200F}nn", "Ann"),
    ("A\u{61C}nn", "Ann"), ("A\u{200B}nn", "Ann"), ("A\u{200C}nn", "Ann"),
    ("A\u{200D}nn", "Ann"), ("A\u{2060}nn", "Ann"), ("\u{FEFF}Ann", "Ann"),
    ("A\u{AD}nn", "Ann"), ("A\u{180E}nn", "Ann"), ("A\u{34F}nn", "Ann"),
    ("A\u{FE0F}nn", "Ann"), ("A\u{E0041}nn", "Ann"), ("A\u{E0101}nn", "Ann"),
    ("A\u{115F}nn", "Ann"), ("A\u{3164}nn", "Ann"), ("A\u{FFA0}nn", "Ann"),
    ("A\u{2800}nn", "A nn"), ("A\u{A0}nn", "A nn"), ("A\u{3000}nn", "A nn"),
    ("A\u{2003}\u{2009}nn", "A nn"), ("A\u{FFF9}n\u{FFFB}n", "Ann"),
    ("A\u{E000}nn", "A\u{FFFD}nn"), ("A\u{FFFE}nn", "A\u{FFFD}nn"),
    ("A\u{1FFFF}nn", "A\u{FFFD}nn"), ("A\u{378}nn", "A\u{FFFD}nn"), ("Żółć", "Żółć"),
    ("李安", "李安"), ("محمد", "محمد"), ("Zoë", "Zoë"), ("नमस्ते", "नमस्ते"),
    ("👩\u{200D}🔬", "👩🔬"), ("\u{301}Ann", "\u{25CC}\u{301}Ann"), ("O'Hara", "O'Hara"),
    ("<b>Ann</b>", "<b>Ann</b>"),
  ]

  @Test(arguments: names)
  func `a name is shown as one visible line`(claimed: String, shown: String) {
    #expect(NeutralText.name(claimed).unicodeScalars.elementsEqual(shown.unicodeScalars))
  }

  @Test func `the table of names is long enough`() { #expect(Self.names.count >= 50) }

  @Test func `names and lines are bounded`() {
    let long = String(repeating: "ab ", count: 100_000)
    #expect(NeutralText.name(long).count <= NeutralText.nameLimit)
    #expect(!NeutralText.name(long).hasSuffix(" "))
    #expect(NeutralText.line(long).utf8.count == NeutralText.lineLimit)
    let stack = "A" + String(repeating: "\u{301}", count: 100_000)
    #expect(NeutralText.name(stack).unicodeScalars.count == 5)
    #expect(NeutralText.line(stack).unicodeScalars.count == 5)
  }

  @Test func `invalid UTF-8 is shown as such`() {
    #expect(NeutralText.name(utf8: [0x41, 0xFF, 0x6E]) == "A\u{FFFD}n")
    #expect(NeutralText.name(utf8: [0xC0, 0xAF]).unicodeScalars.allSatisfy { $0 == "\u{FFFD}" })
    #expect(NeutralText.line(utf8: [0x41, 0xED, 0xA0, 0x80]).hasPrefix("A\u{FFFD}"))
    #expect(NeutralText.name(utf8: []) == "nameless")
  }

  @Test func `a chat line keeps its breaks and nothing else that moves the cursor`() {
    #expect(NeutralText.line("one\ntwo\r\nthree\rfour") == "one\ntwo\nthree\nfour")
    #expect(NeutralText.line("a\u{1B}]0;title\u{7}b") == "a\u{FFFD}]0;title\u{FFFD}b")
    #expect(NeutralText.line("x\u{202E}y") == "xy")
    #expect(NeutralText.line("") == "")
  }

  @Test func `whatever comes, nothing invisible or controlling is left`() {
    var random = SeededRandom(seed: 1)
    for _ in 0..<2_000 {
      var text = String.UnicodeScalarView()
      for _ in 0..<random.next() % 40 {
        let value = random.chance(0.5) ? random.next() % 0x3100 : random.next() % 0x110000
        if let scalar = Unicode.Scalar(UInt32(value)) { text.append(scalar) }
      }
      let name = NeutralText.name(String(text))
      #expect(!name.isEmpty)
      #expect(NeutralText.name(name) == name)
      for scalar in name.unicodeScalars {
        let properties = scalar.properties
        #expect(!properties.isBidiControl && !properties.isDefaultIgnorableCodePoint)
        #expect(properties.generalCategory != .control && properties.generalCategory != .format)
      }
    }
  }
}
