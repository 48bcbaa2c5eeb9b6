import CLinux
import Runtime
import Testing
import Units

/// The built server as a process of its own, with its own state.
final class ServerProgram {
  let process: ChildProcess
  /// The first address that it listens on.
  let address: SocketAddress
  let pin: String

  /// Waits until it is ready. `port` 0 lets the system choose.
  init(state: String, port: UInt16 = 0, _ options: [String] = []) throws {
    process = try ChildProcess(
      try Self.path(),
      ["--listen", "127.0.0.1:\(port)", "--state", state, "--events", "json"] + options)
    let line = Self.line(try #require(process.output))
    address = SocketAddress(
      .loopbackV4, port: try #require(UInt16(Self.value("address", line).dropFirst(10))))
    pin = String(Self.value("pin", line))
  }

  /// Runs it to its end; what it wrote to stderr, and how it ended.
  static func run(_ arguments: [String]) throws -> (errors: String, exit: ChildProcess.Exit) {
    let process = try ChildProcess(
      "/bin/sh", ["-c", "exec \"$@\" 2>&1 >/dev/null", "sh", try path()] + arguments)
    let output = try #require(process.output)
    var errors = ""
    while true {
      let next = line(output)
      if next.isEmpty { return (errors, process.wait()) }
      errors += next
    }
  }

  /// Beside the tests' own bundle.
  private static func path() throws -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = buffer.withUnsafeMutableBytes {
      readlink("/proc/self/exe", $0.baseAddress!, $0.count)
    }
    let own = String(decoding: buffer[..<max(0, count)], as: UTF8.self)
    let folder = own[..<(try #require(own.lastIndex(of: "/")))]
    return "\(folder)/p2pcall-rendezvous"
  }

  /// Up to and with a line's end; empty at the end of all.
  private static func line(_ descriptor: Int32) -> String {
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while line.last != UInt8(ascii: "\n"), read(descriptor, &byte, 1) == 1 { line.append(byte) }
    return String(decoding: line, as: UTF8.self)
  }

  /// A text member of one line of JSON.
  private static func value(_ name: String, _ line: String) -> Substring {
    guard let start = line.firstRange(of: "\"\(name)\":\"")?.upperBound else { return "" }
    return line[start...].prefix { $0 != "\"" }
  }
}
