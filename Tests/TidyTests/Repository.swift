import Foundation

/// The tracked and the new, not ignored files of the repository that these tests were built from.
struct Repository {
  struct File {
    /// Relative to the repository's top folder.
    let path: String
    let text: String

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    var name: String { String(path.split(separator: "/").last ?? "") }
    var isSwift: Bool { path.hasSuffix(".swift") }
  }

  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// Every text file; pictures and other bytes are left out.
  static let files: [File] = listing.compactMap { path in
    guard let data = try? Data(contentsOf: root.appendingPathComponent(path)),
      let text = String(data: data, encoding: .utf8)
    else { return nil }
    return File(path: path, text: text)
  }

  static func files(in folder: String) -> [File] {
    files.filter { $0.path.hasPrefix(folder + "/") }
  }

  private static var listing: [String] {
    let git = Process()
    git.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    git.arguments = ["git", "ls-files", "-z", "-c", "-o", "--exclude-standard"]
    git.currentDirectoryURL = root
    let output = Pipe()
    git.standardOutput = output
    guard (try? git.run()) != nil else { return [] }
    let data = output.fileHandleForReading.readDataToEndOfFile()
    git.waitUntilExit()
    return Set(String(decoding: data, as: UTF8.self).split(separator: "\0").map(String.init))
      .sorted()
  }
}

/// A target as Package.swift lists it.
struct ListedTarget {
  let name: String
  let dependencies: [String]
  /// Where its files are, relative to the repository's top folder.
  let folder: String

  /// All targets, in the order of the list.
  static let all: [ListedTarget] = {
    guard let package = Repository.files.first(where: { $0.path == "Package.swift" }),
      let begin = package.text.range(of: "let targets: [Target] = ["),
      let end = package.text.range(of: "\n]", range: begin.upperBound..<package.text.endIndex)
    else { return [] }
    return calls(in: package.text[begin.upperBound..<end.lowerBound]).compactMap(target)
  }()

  /// `core("Wire", "Units")` as the function's name and the literals among its arguments.
  private static func calls(in list: Substring) -> [(function: String, literals: [String])] {
    var found: [(function: String, literals: [String])] = []
    var function = ""
    var depth = 0
    var literal: String?
    for character in list {
      if let begun = literal {
        if character == "\"" {
          found[found.count - 1].literals.append(begun)
          literal = nil
        } else {
          literal = begun + String(character)
        }
      } else if character == "(" {
        if depth == 0 { found.append((function, [])) }
        depth += 1
      } else if character == ")" {
        depth -= 1
        function = ""
      } else if character == "\"", depth > 0 {
        literal = ""
      } else if depth == 0, character.isLetter || character == "." {
        function.append(character)
      } else if depth == 0, character == "," || character.isWhitespace {
        function = ""
      }
    }
    return found
  }

  private static func target(_ function: String, _ literals: [String]) -> ListedTarget? {
    guard let first = literals.first else { return nil }
    // Files that are left out have a dot.
    let rest = literals.dropFirst().filter { !$0.contains(".") }
    switch function {
    case "foreign":
      return ListedTarget(name: first, dependencies: [], folder: "Sources/Foreign/\(first)")
    case "core":
      return ListedTarget(name: first, dependencies: rest, folder: "Sources/Core/\(first)")
    case "adapter":
      return ListedTarget(name: first, dependencies: rest, folder: "Sources/Adapters/\(first)")
    case "runtime":
      return ListedTarget(name: first, dependencies: rest, folder: "Sources/Runtime/\(first)")
    case "program":
      return ListedTarget(name: first, dependencies: rest, folder: "Sources/Apps/\(first)")
    case "tests":
      return ListedTarget(name: first + "Tests", dependencies: rest, folder: "Tests/\(first)Tests")
    case "library":
      guard let name = rest.first else { return nil }
      return ListedTarget(
        name: name, dependencies: Array(rest.dropFirst()), folder: "Sources/\(first)/\(name)")
    case ".target":
      guard let path = rest.last else { return nil }
      return ListedTarget(name: first, dependencies: Array(rest.dropLast()), folder: path)
    default: return nil
    }
  }
}

extension Repository.File {
  /// Modules that the file imports.
  var imports: [String] {
    lines.compactMap { line in
      let words = line.split(separator: " ")
      guard let keyword = words.firstIndex(of: "import"), keyword <= 2,
        words[..<keyword].allSatisfy({
          ["package", "public", "internal", "private", "fileprivate"].contains($0)
            || $0.hasPrefix("@")
        }), words.indices.contains(keyword + 1)
      else { return nil }
      let kinds = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
      let at = kinds.contains(String(words[keyword + 1])) ? keyword + 2 : keyword + 1
      guard words.indices.contains(at) else { return nil }
      return words[at].split(separator: ".").first.map(String.init)
    }
  }
}
