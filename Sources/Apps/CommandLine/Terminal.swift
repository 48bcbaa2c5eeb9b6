import CLinux

/// The controlling terminal, whatever standard input and output are: for questions.
package struct Terminal {
  package enum Answer: Hashable, Sendable {
    /// A typed line without its end.
    case line(String)
    /// The terminal is gone, or the user ended its input.
    case none
    /// Something else is to be done first.
    case interrupted
  }

  private let input: Int32
  private let output: TextOutput
  private static let lineLimit = 4_096

  /// `nil` where there is none.
  package init?() {
    let descriptor = clinux_open("/dev/tty", O_RDWR, 0)
    if descriptor < 0 { return nil }
    self.init(descriptor: descriptor)
  }

  /// Takes the descriptor over; it is closed after the answer.
  package init(descriptor: Int32) {
    input = descriptor
    output = TextOutput(descriptor: descriptor)
  }

  /// Waits for the answer, unless `interruption` becomes readable (a signalfd): it is not read. What is
  /// typed is not shown where `isHidden`.
  package func ask(
    _ question: String, isHidden: Bool = false, unless interruption: Int32
  ) -> Answer {
    defer { close(input) }
    guard isHidden else {
      output.write(question)
      return line(unless: interruption)
    }
    var usual = termios()
    guard tcgetattr(input, &usual) == 0 else { return .none }
    var hidden = usual
    hidden.c_lflag &= ~tcflag_t(ECHO)
    // What was typed before the question is no answer to it.
    tcsetattr(input, TCSAFLUSH, &hidden)
    defer {
      tcsetattr(input, TCSANOW, &usual)
      output.write(line: "")
    }
    output.write(question)
    return line(unless: interruption)
  }

  private func line(unless interruption: Int32) -> Answer {
    var line: [UInt8] = []
    while line.count < Self.lineLimit {
      var items = [
        pollfd(fd: interruption, events: Int16(POLLIN), revents: 0),
        pollfd(fd: input, events: Int16(POLLIN), revents: 0),
      ]
      if poll(&items, 2, -1) < 0 {
        if clinux_get_errno() == EINTR { continue }
        return .none
      }
      if items[0].revents != 0 { return .interrupted }
      var byte: UInt8 = 0
      guard read(input, &byte, 1) == 1 else { return .none }
      if byte == UInt8(ascii: "\n") { break }
      line.append(byte)
    }
    return .line(String(decoding: line.filter { $0 != UInt8(ascii: "\r") }, as: UTF8.self))
  }
}
