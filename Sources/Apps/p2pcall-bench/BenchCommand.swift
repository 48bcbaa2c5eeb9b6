import CommandLine
import Judging
import Runtime
import Units

struct BenchOptions: Sendable {
  var clip: String?
  var isSabotage = false
  var isJSON = false
  var isTCP = false
  var seconds: Int?
}

private let benchTable = CommandTable<BenchOptions, ([String], BenchOptions)>(
  "p2pcall-bench",
  operands:
    "accept A1|A2|A3|A4|A5|devices | [table] | B1…B12 | B14 | SCENARIO.json "
    + "| agreement [B4…B8|SCENARIO.json]…",
  "runs the real programs that lie beside it, judges from outside what comes out, and prints a "
    + "table and a verdict",
  notes: [
    "Without a subject, or with table, all that apply are measured and stand in one table: figure, "
      + "goal, the minimum that must hold, what the peer reached. B4 to B9 need root: "
      + "the programs live in networks of their own on the two sides of an emulated link, see "
      + "p2pcall-link --help. agreement runs the same scenarios in virtual time and over that link.",
    "accept judges a part of the work against its limits; with --sabotage it breaks one thing at "
      + "a time, and each must be answered with NO. B1 is the delay of pictures, B2 of sound, B3 the "
      + "time from join to the first picture (B3 afar over an emulated link), B4 to B9 are bad networks, B10 is processor time "
      + "beside the codecs alone, B11 memory, B12 the way of a packet, B14 a mesh of up to eight.",
    "Exit codes: 0 yes, 1 no, 2 usage, 70 when nothing could be measured.",
  ],
  options: [
    CommandOption(
      "clip", "a film to send instead of the test pattern",
      .value("FILE") { (options, text) throws(UsageError) in options.clip = text }),
    CommandOption("sabotage", "judge the judge", .flag { $0.isSabotage = true }),
    CommandOption("tcp", "over TCP instead of UDP", .flag { $0.isTCP = true }),
    CommandOption(
      "seconds", "how long a measured call lasts (20; 25 under loss)",
      .value("N") { (options, text) throws(UsageError) in
        guard let seconds = Int(text), (8...600).contains(seconds) else {
          throw UsageError("takes a number from 8 to 600")
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
      if let (text, isMet) = try measureLines(operands, options) {
        TextOutput.standardOutput.write(text)
        terminate(isMet ? 0 : 1)
      }
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
  let measurements = Measurements(programs: programs, seconds: options.seconds ?? 20)
  let transport = options.isTCP ? "tcp" : "udp"
  switch operands {
  case ["accept", "A1"]:
    return try AcceptA1(programs: programs, clip: options.clip).run(sabotage: options.isSabotage)
  case ["accept", "A2"]: return try AcceptA2(programs: programs).run()
  case ["accept", "devices"]: return try AcceptA3.devices(programs)
  case ["accept", "A3"]: return try AcceptA3(programs: programs, clip: options.clip).run()
  case ["accept", "A4"]: return try AcceptA4(programs: programs).run()
  case ["accept", "A5"]:
    return try AcceptA5(programs: programs, seconds: options.seconds ?? 20).run()
  case ["B1"]: return try measurements.delay(transport: transport)
  case ["B2"]: return try measurements.sound(transport: transport)
  case ["B12"]: return try PacketPath.measure()
  case ["B14"]: return try measurements.mesh()
  case ["B3"]: return try measurements.firstPicture(transport: transport)
  case ["B3", "afar"]:
    if let obstacle = EmulatedLink.obstacle { throw BenchError(obstacle) }
    return try measurements.firstPictureFromAfar()
  case ["B10"]: return try measurements.processorTime()
  case ["B11"]: return try measurements.memory()
  default:
    throw UsageError("name what to measure, such as accept A1 or B1; --help lists all")
  }
}

/// What is measured over an emulated link, and tables; `nil` for all other subjects.
private func measureLines(
  _ operands: [String], _ options: BenchOptions
) throws -> (text: String, isMet: Bool)? {
  let lines = LineMeasurements(
    programs: try Programs(), seconds: options.seconds, transport: options.isTCP ? "tcp" : "udp")
  let metrics = LineSubject.metrics
  if operands.isEmpty || operands == ["table"] {
    let measurements = Measurements(programs: lines.programs, seconds: options.seconds ?? 20)
    let table = try WholeTable(measurements: measurements, lines: lines).run()
    return (options.isJSON ? table.json + "\n" : table.text, table.isMet)
  }
  if operands.first == "agreement" {
    if let obstacle = EmulatedLink.obstacle { throw BenchError(obstacle) }
    let wanted = operands.count == 1 ? ["B4", "B8"] : Array(operands.dropFirst())
    guard wanted.allSatisfy({ metrics.dropLast().contains($0) || $0.hasSuffix(".json") }) else {
      throw UsageError("agreement compares B4 to B8 and scenario files; name some of them")
    }
    return try Agreement(measurements: lines).run(wanted, isJSON: options.isJSON)
  }
  guard operands.allSatisfy({ metrics.contains($0) || $0.hasSuffix(".json") }) else { return nil }
  let table = try lines.table(operands)
  guard !table.rows.isEmpty else { throw BenchError(table.notes.joined(separator: "; ")) }
  return (options.isJSON ? table.json + "\n" : table.text, table.isMet)
}

/// What is going on, for whoever waits.
func progress(_ text: String) {
  TextOutput.standardError.write(line: "· \(text)")
}
