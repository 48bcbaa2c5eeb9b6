import CLinux
import CommandLine
import Runtime

/// Standard input: the room id in its first line where `join -` asks for it, then chat and
/// commands. Its end never ends the call.
final class StandardInput: @unchecked Sendable {
  private let isAvailable: Bool
  private var isStarted = false
  /// Used by one thread until `start`, then by the input thread alone.
  private var lines = InputLines()

  /// Not available where a source reads standard input.
  init(isAvailable: Bool) { self.isAvailable = isAvailable }

  /// Blocks; `nil` at the end of input.
  func readFirstLine() -> String? {
    while true {
      if let line = lines.nextText() { return line }
      guard fill() else {
        lines.finish()
        return lines.nextText()
      }
    }
  }

  /// Hands each further line to `perform`, on a thread that the process does not wait for. Starts
  /// it once, however often it is called by its one caller.
  func start(_ perform: @escaping @Sendable (InputLine) -> Void) {
    guard isAvailable, !isStarted else { return }
    isStarted = true
    let thread = try? Thread.start("input") { [self] in
      while true {
        while let line = lines.nextLine() { perform(line) }
        guard fill() else { break }
      }
      lines.finish()
      while let line = lines.nextLine() { perform(line) }
    }
    thread?.detach()
  }

  private func fill() -> Bool {
    var chunk = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = read(STDIN_FILENO, &chunk, chunk.count)
      if count > 0 {
        lines.append(chunk[..<count])
        return true
      }
      if count < 0, clinux_get_errno() == EAGAIN {
        // Somebody else made it non-blocking (it may be shared with a shell).
        var item = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        _ = poll(&item, 1, -1)
        continue
      }
      if count < 0, clinux_get_errno() == EINTR { continue }
      return false
    }
  }
}
