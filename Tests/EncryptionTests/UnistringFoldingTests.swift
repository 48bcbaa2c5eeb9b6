import Encryption
import Testing
import Units

@Suite struct UnistringFoldingTests {
  let folding = UnistringFolding()

  @Test(arguments: [
    ("", ""), ("abc", "abc"), ("e\u{301}", "\u{E9}"), ("\u{212B}", "\u{C5}"),
    ("\u{1E9B}\u{323}", "\u{1E9B}\u{323}"), ("\u{FB01}", "\u{FB01}"),
    ("\u{1112}\u{1161}\u{11AB}", "\u{D55C}"), ("a\u{315}\u{300}", "\u{E0}\u{315}"),
  ])
  func `passwords are composed canonically, not by compatibility`(text: String, nfc: String) {
    #expect(folding.composed(text).unicodeScalars.elementsEqual(nfc.unicodeScalars))
  }

  @Test(arguments: [
    ["Ann", "ANN", "ann", "Ａｎｎ", "𝐀𝐧𝐧", "ⓐⓝⓝ"], ["Straße", "STRASSE", "straße", "strasse"],
    ["Zoë", "zoe\u{308}", "ZOË"], ["ΣΊΣΥΦΟΣ", "Σίσυφος", "σίσυφοσ"], ["ﬁn", "FIN", "fin"],
    ["①", "1"], ["ｶﾞ", "ガ"],
  ])
  func `names that people read as the same fold to one`(names: [String]) {
    for name in names { #expect(folding.folded(name) == folding.folded(names[0]), "\(name)") }
  }

  @Test func `names that differ stay different`() {
    let names = ["Ann", "Anne", "Аnn", "Hann", "Añn", "A nn", ""]
    #expect(Set(names.map(folding.folded)).count == names.count)
  }

  @Test func `whatever comes, folding twice changes nothing and never traps`() {
    var random = SeededRandom(seed: 3)
    for _ in 0..<3_000 {
      var view = String.UnicodeScalarView()
      for _ in 0..<random.next() % 12 {
        if let scalar = Unicode.Scalar(UInt32(random.next() % 0x110000)) { view.append(scalar) }
      }
      let composed = folding.composed(String(view))
      #expect(folding.composed(composed) == composed)
      #expect(folding.folded(String(view)) == folding.folded(composed))
    }
  }
}
