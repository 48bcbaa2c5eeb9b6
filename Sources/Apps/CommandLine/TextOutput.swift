import CLinux

/// A descriptor that takes lines at once, by write(2): nothing is buffered, so nothing is lost when
/// the process dies, and a line that fits a pipe's buffer is written in one piece.
package struct TextOutput: Sendable {
  private let descriptor: Int32

  package init(descriptor: Int32) { self.descriptor = descriptor }

  package static let standardOutput = TextOutput(descriptor: STDOUT_FILENO)
  package static let standardError = TextOutput(descriptor: STDERR_FILENO)

  package func write(line: String) { write(line + "\n") }

  /// False once nobody reads (the program must ignore SIGPIPE); a slow reader is waited for.
  @discardableResult
  package func write(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while let start = rest.baseAddress, !rest.isEmpty {
        let written = CLinux.write(descriptor, start, rest.count)
        if written > 0 {
          rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        } else if written < 0, clinux_get_errno() == EAGAIN {
          var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          _ = poll(&waiting, 1, 1000)
        } else if written == 0 || clinux_get_errno() != EINTR {
          return false
        }
      }
      return true
    }
  }
}
