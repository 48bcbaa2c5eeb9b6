import CommandLine
import Judging
import Runtime
import Units

struct BenchOptions: Sendable {
  var clip: String?
  var isSabotage = false
  var isJSON = false
  var isTCP = false
  var seconds = 20
}

private let benchTable = CommandTable<BenchOptions, ([String], BenchOptions)>(
  "p2pcall-bench", operands: "accept A1|A2|A3|A4|A5|devices | B1 | B3 | B10 | B11",
  "runs the real programs that lie beside it, judges from outside what comes out, and prints a "
    + "table and a verdict",
  notes: [
    "accept judges a part of the work against its limits; with --sabotage it breaks one thing at "
      + "a time, and each must be answered with NO. B1 is the delay of pictures, B3 the time from "
      + "join to the first picture, B10 processor time beside the codecs alone, B11 memory.",
    "Exit codes: 0 yes, 1 no, 2 usage, 70 when nothing could be measured.",
  ],
  options: [
    CommandOption(
      "clip", "a film to send instead of the test pattern",
      .value("FILE") { (options, text) throws(UsageError) in options.clip = text }),
    CommandOption("sabotage", "judge the judge", .flag { $0.isSabotage = true }),
    CommandOption("tcp", "B1 and B3 over TCP instead of UDP", .flag { $0.isTCP = true }),
    CommandOption(
      "seconds", "how long a measured call lasts (20)",
      .value("N") { (options, text) throws(UsageError) in
        guard let seconds = Int(text), (5...600).contains(seconds) else {
          throw UsageError("takes a number from 5 to 600")
        }
        options.seconds = seconds
      }),
    CommandOption(
      "log", "keep the events of every program in this folder",
      .value("DIR") { (_, text) throws(UsageError) in eventFolder.change { $0 = text } }),
    CommandOption("json", "the table as one line of JSON", .flag { $0.isJSON = true }),
  ], defaults: BenchOptions.init
) { (options, operands) throws(UsageError) in (operands, options) }

/// Where `--log` wants the events.
let eventFolder = Guarded<String?>(nil)

/// The whole program.
func runBench() -> Never {
  Signals.block([])
  do {
    switch try benchTable.parse(ProcessArguments.takeAndHide()) {
    case .help(let text):
      TextOutput.standardOutput.write(text)
      leave(.success)
    case .version:
      TextOutput.standardOutput.write(line: "p2pcall-bench \(programVersion)")
      leave(.success)
    case .result(let (operands, options)):
      let report = try measure(operands, options)
      if options.isJSON {
        TextOutput.standardOutput.write(line: report.json)
      } else {
        TextOutput.standardOutput.write(report.text)
      }
      terminate(report.isMet ? 0 : 1)
    }
  } catch let error as UsageError {
    TextOutput.standardError.write(line: "p2pcall-bench: \(error)")
    leave(.usage)
  } catch {
    TextOutput.standardError.write(line: "p2pcall-bench: \(error)")
    leave(.internalError)
  }
}

private func measure(_ operands: [String], _ options: BenchOptions) throws -> Report {
  if options.isSabotage, operands != ["accept", "A1"] {
    throw UsageError("--sabotage goes with accept A1; the other parts share its judge")
  }
  let programs = try Programs()
  let measurements = Measurements(programs: programs, seconds: options.seconds)
  let transport = options.isTCP ? "tcp" : "udp"
  switch operands {
  case ["accept", "A1"]:
    return try AcceptA1(programs: programs, clip: options.clip).run(sabotage: options.isSabotage)
  case ["accept", "A2"]: return try AcceptA2(programs: programs).run()
  case ["accept", "devices"]: return try AcceptA3.devices(programs)
  case ["accept", "A3"]: return try AcceptA3(programs: programs, clip: options.clip).run()
  case ["accept", "A4"]: return try AcceptA4(programs: programs).run()
  case ["accept", "A5"]:
    return try AcceptA5(programs: programs, seconds: options.seconds).run()
  case ["B1"]: return try measurements.delay(transport: transport)
  case ["B3"]: return try measurements.firstPicture(transport: transport)
  case ["B10"]: return try measurements.processorTime()
  case ["B11"]: return try measurements.memory()
  default:
    throw UsageError("name what to measure, such as accept A1 or B1; --help lists all")
  }
}

/// What is going on, for whoever waits.
func progress(_ text: String) {
  TextOutput.standardError.write(line: "· \(text)")
}
