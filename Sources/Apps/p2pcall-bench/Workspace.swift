import CLinux
import Runtime

/// A folder of its own under TMPDIR, removed with everything in it when its owner goes.
final class Workspace {
  let path: String

  init() throws(BenchError) {
    let parent = environmentValue("TMPDIR") ?? "/tmp"
    var template = Array("\(parent)/p2pcall-bench-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw BenchError("no folder can be made in \(parent); set TMPDIR to one that can be written")
    }
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  deinit {
    guard let remover = try? ChildProcess("/bin/rm", ["-rf", path], output: .nothing) else {
      return
    }
    _ = remover.wait()
  }

  func folder(_ name: String) -> String {
    let folder = "\(path)/\(name)"
    mkdir(folder, 0o700)
    return folder
  }

  func pipe(_ name: String) throws(BenchError) -> String {
    let pipe = "\(path)/\(name)"
    guard mkfifo(pipe, 0o600) == 0 else { throw BenchError("\(pipe) cannot be made") }
    return pipe
  }
}

/// Why a measurement could not be made at all.
struct BenchError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

func environmentValue(_ name: String) -> String? {
  getenv(name).map { String(cString: $0) }
}

/// This process's environment as `NAME=value`, without those names.
func environment(without names: (String) -> Bool) -> [String] {
  var found: [String] = []
  var entry = clinux_environment()
  while let text = entry?.pointee {
    let line = String(cString: text)
    if !names(String(line.prefix { $0 != "=" })) { found.append(line) }
    entry = entry?.advanced(by: 1)
  }
  return found
}

/// The whole of a small file; empty where there is none.
func fileText(_ path: String) -> String { String(decoding: fileBytes(path), as: UTF8.self) }

func fileBytes(_ path: String) -> [UInt8] {
  let descriptor = clinux_open(path, O_RDONLY, 0)
  guard descriptor >= 0 else { return [] }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = read(descriptor, &chunk, chunk.count)
    guard count > 0 else { return bytes }
    bytes += chunk[..<count]
  }
}

func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }

func writeBytes(_ path: String, _ bytes: [UInt8]) throws(BenchError) {
  let descriptor = clinux_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  guard descriptor >= 0, writeAll(descriptor, bytes) else {
    throw BenchError("\(path) cannot be written")
  }
  close(descriptor)
}

/// False once nobody reads.
func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
  bytes.withUnsafeBytes { writeAll(descriptor, $0) }
}

func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Bool {
  var rest = bytes
  while let start = rest.baseAddress, !rest.isEmpty {
    let count = write(descriptor, start, rest.count)
    if count > 0 {
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    } else if count == 0 || clinux_get_errno() != EINTR {
      return false
    }
  }
  return true
}

/// False at the end, or when fewer bytes than the buffer holds are left.
func readAll(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
  var rest = buffer
  while let start = rest.baseAddress, !rest.isEmpty {
    let count = read(descriptor, start, rest.count)
    if count > 0 {
      rest = UnsafeMutableRawBufferPointer(rebasing: rest[count...])
    } else if count == 0 || clinux_get_errno() != EINTR {
      return false
    }
  }
  return true
}
