import CLinux
import Files

/// A directory of a test's own, removed with all it holds when it goes.
final class ScratchDirectory {
  let path: String

  init() {
    var template = Array("\(environmentVariable("TMPDIR") ?? "/tmp")/p2pcall-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("no scratch directory to be had") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { Self.remove(path) }

  func path(_ name: String) -> String { "\(path)/\(name)" }

  func names(in folder: String = ".") -> [String] { Self.names(path(folder)) }

  func put(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o600) {
    let number = clinux_open(path(name), O_WRONLY | O_CREAT | O_TRUNC, mode)
    precondition(number >= 0 && write(number, bytes, bytes.count) == bytes.count)
    close(number)
    chmod(path(name), mode)
  }

  func mode(_ name: String) -> mode_t {
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
