package import CLinux

/// A directory of a test's own, removed with all it holds when it goes.
package final class ScratchDirectory: Sendable {
  package let path: String

  package init() {
    var template = Array("\(temporaryFolder)/p2pcall-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("no scratch directory to be had") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { Self.remove(path) }

  package func path(_ name: String) -> String { "\(path)/\(name)" }

  package func names(in folder: String = ".") -> [String] { Self.names(path(folder)) }

  package func put(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o600) {
    let number = clinux_open(path(name), O_WRONLY | O_CREAT | O_TRUNC, mode)
    precondition(number >= 0 && write(number, bytes, bytes.count) == bytes.count)
    close(number)
    chmod(path(name), mode)
  }

  /// The path of a new file of `bytes`.
  package func file(_ name: String, _ bytes: [UInt8] = []) -> String {
    put(name, bytes)
    return path(name)
  }

  /// The path of a new FIFO.
  package func fifo(_ name: String) -> String {
    precondition(mkfifo(path(name), 0o600) == 0)
    return path(name)
  }

  package func mode(_ name: String) -> mode_t {
    var status = stat()
    return lstat(path(name), &status) == 0 ? status.st_mode & 0o7777 : 0
  }

  private static func names(_ path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var found: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { found.append(name) }
    }
    return found.sorted()
  }

  private static func remove(_ path: String) {
    for name in names(path) {
      let child = "\(path)/\(name)"
      if unlink(child) != 0 { remove(child) }
    }
    rmdir(path)
  }
}
