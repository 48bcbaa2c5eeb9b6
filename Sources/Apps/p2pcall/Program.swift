import CLinux
import CommandLine
import Runtime
import Units

/// From arguments to the exit code.
enum Program {
  static func run() -> Never {
    // Before any thread: every thread inherits the signal mask, and no other user may have seen
    // the room id for long.
    let arguments = ProcessArguments.takeAndHide()
    Signals.block()
    _ = clinux_forbid_dumps()
    _ = clinux_map_large_blocks()
    let start = Clock.now
    do {
      exit(try perform(Command(parsing: arguments), start: start).rawValue)
    } catch let error as UsageError {
      fail(error.description, .usage)
    } catch let failure as Failure {
      fail(failure.sentence, failure.code)
    } catch {
      fail("\(error)", .internalError)
    }
  }

  private static func perform(_ command: Command, start: Instant) throws -> ExitCode {
    switch command {
    case .help(let text): TextOutput.standardOutput.write(text)
    case .version: TextOutput.standardOutput.write(line: "p2pcall \(programVersion)")
    case .identity: try showIdentity()
    case .peers(let command): try performPeers(command)
    case .devices: listDevices()
    case .check(let options): return try check(options, start: start)
    case .createRoom(let options): try createRoom(options)
    case .join(let options): return try join(options, start: start)
    }
    return .success
  }

  private static func fail(_ sentence: String, _ code: ExitCode) -> Never {
    TextOutput.standardError.write(line: "p2pcall: \(sentence)")
    exit(code.rawValue)
  }
}

/// Why a command cannot go on: one sentence with its remedy, and the exit code.
struct Failure: Error {
  var code: ExitCode
  var sentence: String

  init(_ code: ExitCode, _ sentence: String) {
    self.code = code
    self.sentence = sentence
  }
}
