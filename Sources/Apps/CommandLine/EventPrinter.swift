package import Call
package import Units

/// Sends events where they belong: with `--events json` one object a line on stdout and text for
/// people on stderr, else text on stdout (mistakes and failures on stderr).
package struct EventPrinter: Sendable {
  private let format: EventFormat?
  private let start: Instant
  private let output: TextOutput
  private let errors: TextOutput

  /// `start` is the program's start on the clock of `print`'s instants.
  package init(
    format: EventFormat?, start: Instant, output: TextOutput = .standardOutput,
    errors: TextOutput = .standardError
  ) {
    self.format = format
    self.start = start
    self.output = output
    self.errors = errors
  }

  package func print(_ event: CallEvent, at now: Instant) {
    if format == .json { output.write(line: event.json(at: now - start)) }
    guard let text = event.text else { return }
    if case .failure = event { errors.write(line: text) } else { say(text) }
  }

  /// Text for the user that is no event: answers to commands, notices.
  package func say(_ text: String) {
    (format == .json ? errors : output).write(line: text)
  }
}
