import CLinux

/// A spawned program (never forked: this process has threads) with pipes to its input and output.
/// It inherits no other descriptor. Killed and reaped when its owner goes.
package final class ChildProcess {
  package let identifier: Int32
  private let inputEnd: Pipe
  private let outputEnd: Pipe
  private var exit: Exit?

  package enum Exit: Hashable, Sendable {
    case code(Int32)
    case signal(Int32)
  }

  /// One end held here, until closed.
  private final class Pipe {
    var number: Int32?
    init(_ number: Int32?) { self.number = number }
    deinit { if let number { close(number) } }
  }

  package enum Stream: Sendable {
    /// /dev/null.
    case nothing
    /// This process's own.
    case inherited
    /// A pipe, whose other end is `input` or `output`.
    case pipe
  }

  /// `path` is the executable itself; `arguments` come after argv[0]. The environment is
  /// inherited unless given.
  package init(
    _ path: String, _ arguments: [String], environment: [String]? = nil,
    input: Stream = .nothing, output: Stream = .pipe, errors: Stream = .inherited
  ) throws(SystemError) {
    precondition(
      { if case .pipe = errors { false } else { true } }(), "errors cannot be piped apart")
    let (childInput, ownInput) = try Self.ends(input, inherited: 0, isInput: true)
    let (childOutput, ownOutput) = try Self.ends(output, inherited: 1, isInput: false)
    let (childErrors, _) = try Self.ends(errors, inherited: 2, isInput: false)
    inputEnd = Pipe(ownInput)
    outputEnd = Pipe(ownOutput)
    defer { for end in [childInput, childOutput, childErrors] { close(end) } }

    var child: Int32 = 0
    let code = withStrings([path] + arguments) { argv in
      guard let environment else {
        return clinux_spawn(
          &child, path, argv, clinux_environment(), childInput, childOutput, childErrors)
      }
      return withStrings(environment) {
        clinux_spawn(&child, path, argv, $0, childInput, childOutput, childErrors)
      }
    }
    guard code == 0 else { throw SystemError("start \(path)", code: code) }
    identifier = child
  }

  deinit {
    guard exit == nil else { return }
    kill(identifier, SIGKILL)
    var status: Int32 = 0
    _ = uninterrupted { waitpid(identifier, &status, 0) }
  }

  /// The child's end (above 2, to be closed after the spawn) and ours.
  private static func ends(
    _ stream: Stream, inherited: Int32, isInput: Bool
  ) throws(SystemError) -> (child: Int32, own: Int32?) {
    var child: Int32
    var own: Int32?
    switch stream {
    case .nothing: child = clinux_open("/dev/null", O_RDWR, 0)
    case .inherited: child = clinux_duplicate(inherited)
    case .pipe:
      var pair: [Int32] = [-1, -1]
      guard clinux_pipe(&pair) == 0 else { throw .last("open a pipe") }
      child = isInput ? pair[0] : pair[1]
      own = isInput ? pair[1] : pair[0]
    }
    if child >= 0, child <= 2 {
      let raised = clinux_duplicate(child)
      close(child)
      child = raised
    }
    guard child >= 0 else { throw .last("open a stream for a child process") }
    return (child, own)
  }

  /// Our end of the child's standard input, for blocking writes; nil when not piped or closed.
  package var input: Int32? { inputEnd.number }
  /// Our end of the child's standard output, for blocking reads; nil when not piped or closed.
  package var output: Int32? { outputEnd.number }

  package func closeInput() {
    if let number = inputEnd.number { close(number) }
    inputEnd.number = nil
  }

  package func closeOutput() {
    if let number = outputEnd.number { close(number) }
    outputEnd.number = nil
  }

  /// Asks it to end (SIGTERM by default).
  package func send(signal: Int32 = SIGTERM) {
    if exit == nil { kill(identifier, signal) }
  }

  /// How it ended, or nil while it runs.
  package func poll() -> Exit? { collect(WNOHANG) }

  /// Waits until it has ended.
  package func wait() -> Exit { collect(0) ?? .code(-1) }

  private func collect(_ options: Int32) -> Exit? {
    if let exit { return exit }
    var status: Int32 = 0
    let result = uninterrupted { waitpid(identifier, &status, options) }
    guard result == identifier else { return nil }
    exit =
      clinux_exited(status) != 0
      ? .code(clinux_exit_code(status)) : .signal(clinux_term_signal(status))
    return exit
  }
}

/// The strings as a NULL-terminated C array.
private func withStrings<Result>(
  _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  var pointers = strings.map { strdup($0) }
  pointers.append(nil)
  defer { for pointer in pointers { free(pointer) } }
  return body(pointers)
}
