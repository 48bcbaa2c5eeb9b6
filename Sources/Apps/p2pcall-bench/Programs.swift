import CLinux
import Judging
import Runtime
import Synchronization
import Units

/// The programs under judgement: those that lie beside this one.
struct Programs {
  let folder: String

  init() throws(BenchError) {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = buffer.withUnsafeMutableBytes {
      readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), 4096)
    }
    guard count > 0 else { throw BenchError("/proc/self/exe cannot be read; is /proc mounted?") }
    let own = String(decoding: buffer[..<count], as: UTF8.self)
    folder = String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)])
    for name in ["p2pcall", "p2pcall-rendezvous"] where access(path(name), X_OK) != 0 {
      throw BenchError("\(name) is not beside p2pcall-bench; build all with swift build -c release")
    }
  }

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  /// What to start for a program with these arguments, in another network (a file of /proc) if one
  /// is named. nsenter is replaced by the program, which keeps the process's number.
  func command(
    _ name: String, _ arguments: [String], in network: String?
  ) throws(BenchError) -> (program: String, arguments: [String]) {
    guard let network else { return (path(name), arguments) }
    guard let nsenter = programInPath("nsenter") else {
      throw BenchError("nsenter is not installed; install the package util-linux")
    }
    return (nsenter, ["--net=\(network)", path(name)] + arguments)
  }
}

/// The first executable of that name in PATH.
func programInPath(_ name: String) -> String? {
  (environmentValue("PATH") ?? "/usr/bin:/bin").split(separator: ":").map { "\($0)/\(name)" }
    .first { access($0, X_OK) == 0 }
}

/// A program of ours under watch: its lines of stdout with their times, stderr in a file, its own
/// home and XDG folders, no display.
final class Watched {
  let name: String
  let folder: String
  let startedAt: Instant
  private(set) var endedAt: Instant?
  private let process: ChildProcess
  private let lines = Guarded<[EventLine]>([])
  private let reader: Thread
  private var exit: Int?

  /// `folder` holds what the program keeps; the same folder again is the same user. `onLine` sees
  /// each line at once, on another thread.
  init(
    _ program: String, _ arguments: [String], name: String, folder: String,
    environment additions: [String] = [],
    onLine: @escaping @Sendable (EventLine) -> Void = { _ in }
  ) throws(BenchError) {
    self.name = name
    self.folder = folder
    mkdir(folder, 0o700)
    mkdir("\(folder)/run", 0o700)
    let inherited = environment {
      $0.hasPrefix("XDG_") || ["HOME", "DISPLAY", "WAYLAND_DISPLAY"].contains($0)
    }
    let own = [
      "HOME=\(folder)", "XDG_CONFIG_HOME=\(folder)/config", "XDG_STATE_HOME=\(folder)/state",
      "XDG_RUNTIME_DIR=\(folder)/run", "P2PCALL_BENCH_ERRORS=\(folder)/stderr",
    ]
    startedAt = Clock.now
    let child: ChildProcess
    do {
      // A shell sets stderr and is replaced: the process is the program.
      child = try ChildProcess(
        "/bin/sh", ["-c", "exec \"$@\" 2>>\"$P2PCALL_BENCH_ERRORS\"", "sh", program] + arguments,
        environment: inherited + own + additions, input: .pipe, output: .pipe)
      let output = child.output ?? -1
      let lines = self.lines
      reader = try Thread.start("lines") {
        readLines(output) { text, at in
          let line = EventLine(text, at: at)
          onLine(line)
          lines.change { $0.append(line) }
        }
      }
    } catch { throw BenchError("\(name): \(error)") }
    process = child
  }

  deinit {
    process.send(signal: SIGKILL)
    _ = process.wait()
    reader.join()
  }

  var identifier: Int32 { process.identifier }
  var output: [EventLine] { lines.value }
  var events: EventLog {
    var log = EventLog()
    log.lines = output
    return log
  }
  var errors: String { fileText("\(folder)/stderr") }

  /// A line to its standard input.
  func say(_ line: String) {
    if let input = process.input { _ = writeAll(input, Array((line + "\n").utf8)) }
  }
  /// Whether it has this file open.
  func holds(_ path: String) -> Bool {
    (0..<256).contains { number in
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = buffer.withUnsafeMutableBytes {
        readlink(
          "/proc/\(identifier)/fd/\(number)", $0.baseAddress!.assumingMemoryBound(to: CChar.self),
          4096)
      }
      return count > 0 && String(decoding: buffer[..<count], as: UTF8.self) == path
    }
  }
  func send(signal: Int32) { process.send(signal: signal) }

  /// Waits for a line; `nil` when it does not come in time or the program ends before.
  func line(
    within timeout: Interval, where isWanted: (EventLine) -> Bool
  ) -> EventLine? {
    let end = Clock.now + timeout
    while true {
      let hasEnded = exitCode() != nil
      if let line = output.first(where: isWanted) { return line }
      if hasEnded || Clock.now > end { return nil }
      sleep(.milliseconds(2))
    }
  }
  func event(_ kind: String, within timeout: Interval) -> EventLine? {
    line(within: timeout) { $0.kind == kind }
  }

  /// The exit code, 128 + number for a signal, `nil` while it runs.
  func exitCode() -> Int? {
    if let exit { return exit }
    guard let ended = process.poll() else { return nil }
    endedAt = Clock.now
    switch ended {
    case .code(let code): exit = Int(code)
    case .signal(let signal): exit = 128 + Int(signal)
    }
    // What it wrote last is still being read.
    sleep(.milliseconds(20))
    return exit
  }
  func exitCode(within timeout: Interval) -> Int? {
    let end = Clock.now + timeout
    while exitCode() == nil, Clock.now < end { sleep(.milliseconds(5)) }
    return exitCode()
  }
}

/// A value that threads share.
final class Guarded<Value: Sendable>: Sendable {
  private let stored: Mutex<Value>

  init(_ value: Value) { stored = Mutex(value) }

  var value: Value { stored.withLock { $0 } }
  func change<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
    stored.withLock { body(&$0) }
  }
}

func sleep(_ interval: Interval) {
  let microseconds = max(0, interval.microseconds)
  usleep(UInt32(clamping: microseconds))
}

func sleep(until instant: Instant) { sleep(instant - Clock.now) }

private func readLines(_ descriptor: Int32, _ take: (String, Instant) -> Void) {
  var begun: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 16_384)
  while true {
    let count = read(descriptor, &chunk, chunk.count)
    let now = Clock.now
    if count < 0, clinux_get_errno() == EINTR { continue }
    guard count > 0 else { break }
    for byte in chunk[..<count] {
      if byte == UInt8(ascii: "\n") {
        take(String(decoding: begun, as: UTF8.self), now)
        begun.removeAll(keepingCapacity: true)
      } else {
        begun.append(byte)
      }
    }
  }
  if !begun.isEmpty { take(String(decoding: begun, as: UTF8.self), Clock.now) }
}
