import Testing

@Suite struct TextTests {
  @Test func `no file in Sources is over 500 lines`() {
    for file in Repository.files(in: "Sources") {
      #expect(file.lines.count <= 500, "\(file.path) has \(file.lines.count) lines")
    }
  }

  @Test func `nothing is left to do later`() {
    // Written apart, so that this file does not name them.
    let marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
    for file in Repository.files where file.isSwift || file.path.hasPrefix("tools/") {
      for (number, line) in file.lines.enumerated() {
        let words = line.split { !$0.isLetter && $0 != "-" }
        let found = marks.first { words.contains(Substring($0)) }
        #expect(found == nil, "\(file.path):\(number + 1)")
      }
    }
  }

  @Test func `no path of one machine is written down`() {
    let places = ["work", "farm", "root"].map { "/\($0)/" }
    for file in Repository.files {
      for (number, line) in file.lines.enumerated() {
        let found = places.first { place in
          // `$DIR/…` and `https://…` are no paths of a machine.
          line.ranges(of: place).contains { range in
            guard range.lowerBound > line.startIndex else { return true }
            let before = line[line.index(before: range.lowerBound)]
            return !before.isLetter && !before.isNumber && !"./}_~)-".contains(before)
          }
        }
        #expect(found == nil, "\(file.path):\(number + 1): \(line)")
      }
    }
  }

  @Test func `no private key is tracked`() {
    let words = "PRIVATE" + " KEY-----"
    for file in Repository.files where !file.isSwift && !file.path.hasPrefix("tools/") {
      #expect(!file.text.contains(words), "\(file.path)")
    }
    for file in Repository.files(in: "certs") {
      #expect(file.path == "certs/README.md", "\(file.path) must not be tracked")
    }
  }

  @Test func `docs name every event and everything that it holds`() throws {
    let paths = ["EventJSON", "AttemptJSON", "CheckReport"].map {
      "Sources/Apps/CommandLine/\($0).swift"
    }
    let writers = Repository.files.filter { paths.contains($0.path) }
    try #require(writers.count == paths.count)
    let findings = Repository.files(in: "Sources/Core/Checks").map(\.text).joined()
    let writer = writers.map(\.text).joined() + findings
    let docs = try #require(Repository.files.first { $0.path == "docs/events.md" }).text
    let names =
      writer.matches(of: #/(?:add|\.text|\.number)\("(\w+)"/#).map { String($0.1) }
      + writer.matches(of: #/case \.\w+: "([\w-]+)"/#).map { String($0.1) }
    #expect(names.count > 50)
    for name in names { #expect(docs.contains("`\(name)`"), "\(name)") }
  }

  @Test func `test names are sentences`() {
    for file in Repository.files(in: "Tests") where file.isSwift && file.name != "TextTests.swift" {
      for part in file.text.components(afterEach: "@Test") {
        guard let name = part.firstRange(of: "func ").map({ part[$0.upperBound...] }) else {
          Issue.record("\(file.path): @Test without a function")
          continue
        }
        let sentence = name.prefix { $0 != "(" }
        #expect(
          sentence.hasPrefix("`") && sentence.contains(" "), "\(file.path): \(sentence.prefix(60))")
      }
    }
  }

  @Test func `every test that SECURITY.md names exists in the file that it names`() throws {
    let page = try #require(Repository.files.first { $0.path == "SECURITY.md" })
    var named = 0
    for line in page.lines where line.hasPrefix("| ") {
      // `FileTests` “a test”, “another”; `MoreTests` “a third”
      for part in line.split(separator: "`").filter({ $0.hasSuffix("Tests") }) {
        let after = line[part.endIndex...].dropFirst().prefix { $0 != "`" }
        let file = Repository.files(in: "Tests").first { $0.name == "\(part).swift" }
        #expect(file != nil, "there is no \(part)")
        for match in after.matches(of: #/“(?<test>[^”]+)”/#) {
          named += 1
          #expect(file?.text.contains("func `\(match.test)`(") == true, "\(part): \(match.test)")
        }
      }
    }
    #expect(named > 70)
  }

  @Test func `no test is switched off`() {
    let signs = [".disa" + "bled(", "withKnown" + "Issue", "XCT" + "Skip", "import XCT" + "est"]
    for file in Repository.files(in: "Tests") where file.isSwift {
      for sign in signs { #expect(!file.text.contains(sign), "\(file.path): \(sign)") }
    }
  }

  @Test func `Core iterates no set and no dictionary in its own order`() {
    for file in Repository.files(in: "Sources/Core") where file.isSwift {
      for name in file.unorderedNames {
        let walks = file.walks(over: name)
        #expect(walks.isEmpty, "\(file.path): \(walks.joined(separator: " | "))")
      }
    }
  }

  @Test func `a walk over a dictionary is seen, a sorted one is not`() {
    let text = """
      var peers: [Int: String] = [:]
      let seen = Set<Int>()
      for (key, value) in peers { print(key, value) }
      for key in peers.keys.sorted() { print(key) }
      let names = seen.map { $0 }
      """
    let file = Repository.File(path: "Sample.swift", text: text)
    #expect(file.unorderedNames == ["peers", "seen"])
    #expect(file.walks(over: "peers").count == 1)
    #expect(file.walks(over: "seen").count == 1)
  }
}

extension String {
  fileprivate func components(afterEach mark: String) -> [Substring] {
    let starts = ranges(of: mark)
    return starts.indices.map { index in
      let end = index + 1 < starts.count ? starts[index + 1].lowerBound : endIndex
      return self[starts[index].upperBound..<end]
    }
  }
}

extension Repository.File {
  /// Names of properties and variables whose declaration says that they are a set or dictionary.
  var unorderedNames: [String] {
    var names: [String] = []
    for line in lines {
      let declaration = #/(?:var|let) (?<name>[A-Za-z]+)(?::| =) *(?<type>[^{]*)/#
      guard let match = line.firstMatch(of: declaration) else { continue }
      let type = match.type
      let isDictionary =
        type.contains(#/^\[[^\[\]]*(?:\[[^\]]*\])?[^\[\]]*: [^\]]+\]/#) && !type.hasPrefix("[\"")
        && !type.hasPrefix("[(")
        || type.hasPrefix("[:]") || type.hasPrefix("Dictionary<")
      if isDictionary || type.hasPrefix("Set<") { names.append(String(match.name)) }
    }
    return Set(names).sorted()
  }

  /// Lines that go through `name` in its own order.
  func walks(over name: String) -> [String] {
    let verbs = "map|flatMap|compactMap|forEach|reduce|first|enumerated|makeIterator"
    let pattern =
      #"(\bin (self\.)?NAME(\.keys|\.values)? *(\{|where)|\bArray\((self\.)?NAME(\.|\))|\b"#
      + #"NAME(\.keys|\.values)?\.("# + verbs + #")\b)"#
    guard
      let regex = try? Regex(pattern.replacing("NAME", with: name))
    else { return ["\(name): no pattern"] }
    return lines.indices.compactMap { index in
      let line = lines[index]
      guard line.contains(regex), !line.drop(while: \.isWhitespace).hasPrefix("//") else {
        return nil
      }
      // A chain may be sorted on one of the following lines.
      let chain =
        line
        + lines[(index + 1)...].prefix { $0.drop(while: \.isWhitespace).hasPrefix(".") }.joined()
      return chain.contains(".sorted") || chain.contains(".min") ? nil : "\(index + 1): \(line)"
    }
  }
}
