import CLinux
import Foundation

/// The built programs in a temporary folder, each person with directories of its own. Everything
/// started here is ended by its own process id when the value goes.
final class Programs {
  private let folder: URL
  private let binaries: URL
  private var running: [RunningProgram] = []

  struct Server {
    let program: RunningProgram
    let address: String
    let pin: String
    /// The file of the CA that vouches for it, to be trusted instead of the pin.
    var authority: String?

    var options: [String] {
      ["--server", address] + (authority.map { ["--ca", $0] } ?? ["--server-pin", pin])
    }
  }

  init() throws {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    binaries = URL(fileURLWithPath: own).deletingLastPathComponent()
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("p2pcall-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit {
    for program in running { program.kill() }
    try? FileManager.default.removeItem(at: folder)
  }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  func binary(_ name: String) -> String { binaries.appendingPathComponent(name).path }

  /// The path of one of the repository's tools.
  static func tool(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("tools/\(name)").path
  }

  /// Another program, not ours.
  func run(
    at path: String, as person: String = "system", _ arguments: [String]
  ) throws -> RunningProgram {
    try run(
      at: URL(fileURLWithPath: path), as: person, arguments, output: nil, preloading: nil)
  }

  /// `library`: a shared library that takes the place of others' functions.
  func run(
    _ program: String, as person: String, _ arguments: [String], output: FileHandle? = nil,
    preloading library: String? = nil
  ) throws -> RunningProgram {
    try run(
      at: binaries.appendingPathComponent(program), as: person, arguments, output: output,
      preloading: library)
  }

  private func run(
    at executable: URL, as person: String, _ arguments: [String], output: FileHandle?,
    preloading library: String?
  ) throws -> RunningProgram {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    var environment = ProcessInfo.processInfo.environment
    environment["XDG_CONFIG_HOME"] = path("\(person)/config")
    environment["XDG_STATE_HOME"] = path("\(person)/state")
    environment["DISPLAY"] = nil
    environment["WAYLAND_DISPLAY"] = nil
    environment["LD_PRELOAD"] = library
    process.environment = environment
    let started = try RunningProgram(
      process, output: path("\(person)-\(running.count).out"),
      errors: path("\(person)-\(running.count).err"), handle: output)
    running.append(started)
    return started
  }

  /// A folder with a CA's certificate and one that it signed for a server of this name or address, made as
  /// everybody makes them.
  func makeCertificates(for host: String) throws -> String {
    let folder = path("certs")
    let maker = try run(
      at: URL(fileURLWithPath: Self.tool("mkcerts.sh")), as: "maker", ["--dir", folder, host],
      output: nil, preloading: nil)
    guard maker.awaitExit() == 0 else { throw Missing("certificates: \(maker.errors)") }
    return folder
  }

  /// Runs p2pcall on a terminal of its own, made by script(1): what is said is typed there, and
  /// output and errors are its screen.
  func runOnTerminal(as person: String, _ arguments: [String]) throws -> RunningProgram {
    let command = ([binaries.appendingPathComponent("p2pcall").path] + arguments)
      .map { "'\($0)'" }.joined(separator: " ")
    return try run(
      at: "/usr/bin/script", as: person,
      ["--quiet", "--return", "--flush", "--command", "exec \(command)", "/dev/null"])
  }

  /// A server on a port of loopback that the kernel chooses, or on the one given.
  func startServer(port: String = "0", as name: String = "server") throws -> Server {
    let program = try run(
      "p2pcall-rendezvous", as: name,
      ["--listen", "127.0.0.1:\(port)", "--events", "json"])
    let event = try program.awaitEvent("listening")
    guard let address = event["address"] as? String, let pin = event["pin"] as? String else {
      throw Missing("address and pin in the listening event")
    }
    return Server(program: program, address: address, pin: pin)
  }

  func createRoom(
    _ server: Server, as person: String = "owner", _ more: [String] = []
  ) throws -> String {
    let program = try run("p2pcall", as: person, ["room", "create"] + server.options + more)
    guard program.awaitExit() == 0, let room = program.lines.first else {
      throw Missing("a room: \(program.errors)")
    }
    return room
  }

  /// A file with one line, as a careful user keeps a password.
  func secretFile(_ name: String, _ line: String, mode: Int = 0o600) throws -> String {
    let file = path(name)
    let isWritten = FileManager.default.createFile(
      atPath: file, contents: Data("\(line)\n".utf8), attributes: [.posixPermissions: mode])
    guard isWritten else { throw Missing("file \(name)") }
    return file
  }

  func join(
    _ room: String, as person: String, _ server: Server, _ more: [String] = [],
    output: FileHandle? = nil
  ) throws -> RunningProgram {
    let program = try run(
      "p2pcall", as: person,
      ["join", "-", "--name", person, "--events", "json", "--play", "none"] + server.options + more,
      output: output)
    program.say(room)
    return program
  }
}

struct Missing: Error, CustomStringConvertible {
  let description: String
  init(_ what: String) { description = "there was no \(what)" }
}

/// One program that was started: what it printed, and its end.
final class RunningProgram {
  private let process: Process
  private let input = Pipe()
  private let output: String
  private let errorPath: String

  /// Generous, since a busy machine proves nothing about the program.
  private static let patience: TimeInterval = 60

  /// Its output goes to `handle` instead of the file `output` where there is one.
  init(_ process: Process, output: String, errors: String, handle: FileHandle?) throws {
    self.process = process
    self.output = output
    errorPath = errors
    for path in [output, errors] {
      guard FileManager.default.createFile(atPath: path, contents: nil) else {
        throw Missing("place to write \(path)")
      }
    }
    process.standardInput = input
    process.standardOutput = handle ?? FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle(forWritingAtPath: errors)
    try process.run()
  }

  var identifier: Int32 { process.processIdentifier }
  var errors: String { (try? String(contentsOfFile: errorPath, encoding: .utf8)) ?? "" }
  /// All that was printed; on a terminal, lines end with CR LF.
  var screen: String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }
  var lines: [String] {
    let text = screen
    // What is not yet ended by a line feed is not yet a line.
    return text.components(separatedBy: "\n").dropLast()
  }
  var events: [[String: Any]] {
    lines.compactMap {
      try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
    }
  }

  func events(_ kind: String) -> [[String: Any]] {
    events.filter { $0["event"] as? String == kind }
  }

  func say(_ line: String) { input.fileHandleForWriting.write(Data((line + "\n").utf8)) }
  func closeInput() { try? input.fileHandleForWriting.close() }

  /// The first event of this kind that fits; waits for it.
  @discardableResult
  func awaitEvent(
    _ kind: String, where fits: ([String: Any]) -> Bool = { _ in true }
  ) throws -> [String: Any] {
    let end = Date().addingTimeInterval(Self.patience)
    while Date() < end {
      if let found = events(kind).first(where: fits) { return found }
      if !process.isRunning, events(kind).first(where: fits) == nil { break }
      Thread.sleep(forTimeInterval: 0.02)
    }
    throw Missing("\(kind) event; stderr: \(errors.suffix(400))")
  }

  /// Waits until `text` was printed.
  func awaitText(_ text: String) throws {
    let end = Date().addingTimeInterval(Self.patience)
    while Date() < end {
      if screen.contains(text) { return }
      Thread.sleep(forTimeInterval: 0.02)
    }
    throw Missing("\(text) on the terminal")
  }

  /// Waits until `text` was printed on standard error.
  func awaitErrors(_ text: String) throws {
    let end = Date().addingTimeInterval(Self.patience)
    while Date() < end {
      if errors.contains(text) { return }
      Thread.sleep(forTimeInterval: 0.02)
    }
    throw Missing("\(text) on standard error: \(errors)")
  }

  /// Types characters, without an end of line.
  func type(_ text: String) { input.fileHandleForWriting.write(Data(text.utf8)) }

  /// The exit code; −1 where it did not end, or was ended by a signal.
  func awaitExit() -> Int32 {
    let end = Date().addingTimeInterval(Self.patience)
    while process.isRunning, Date() < end { Thread.sleep(forTimeInterval: 0.02) }
    guard !process.isRunning, process.terminationReason == .exit else { return -1 }
    return process.terminationStatus
  }

  func terminate() { process.terminate() }
  func interrupt() { process.interrupt() }
  func kill() {
    if process.isRunning { _ = Foundation.kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
  }
}

/// Takes TCP connections on loopback and says nothing.
final class SilentServer {
  private let descriptor: Int32
  let port: UInt16

  init() throws {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    descriptor = socket
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, length) == 0 && listen(socket, 8) == 0
          && getsockname(socket, $0, &length) == 0
      }
    }
    guard isBound else { throw Missing("port to listen on") }
    port = UInt16(bigEndian: name.sin_port)
  }

  deinit { close(descriptor) }

  func awaitConnection() throws {
    var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&item, 1, 60_000) == 1 else { throw Missing("connection") }
  }
}
