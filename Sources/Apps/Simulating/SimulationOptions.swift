package import CommandLine

/// What `p2pcall-simulate` was asked for.
package struct SimulationOptions: Hashable, Sendable {
  /// Scenario files; without any, random calls are run.
  package var scenarios: [String] = []
  package var firstSeed: UInt64 = 1
  /// 1 for scenarios and 200 for random calls, if nothing was said.
  package var seedCount: UInt64?
  /// Joins over each kind of line instead of whole random calls.
  package var isOfJoins = false
  /// Joins between all kinds of access, NATs and firewalls, instead of over kinds of line.
  package var isBehindNATs = false
  package var isJSON = false
  /// Pictures are the test pattern's, encoded and decoded by the real codec.
  package var hasRealVideo = false
  package var plot: String?
  package init() {}

  package static func parse(_ arguments: [String]) throws(UsageError) -> Parsed<Self> {
    try simulationTable.parse(arguments)
  }
}

private let simulationTable = CommandTable<SimulationOptions, SimulationOptions>(
  "p2pcall-simulate", operands: "[SCENARIO.json]…",
  "runs scenarios, or without any random calls, in virtual time; the same seed gives the same run",
  notes: [
    "A scenario is a file that says what flows share what line, what happens to it, and what goals "
      + "the figures are held against; scenarios/README.md explains its fields.",
    "Exit codes: 0 all is well, 1 a checker found something or a goal was missed, 2 usage, or a "
      + "file that is not a scenario.",
  ],
  options: [
    .stored("seed", "N", "the first seed (1)", \SimulationOptions.firstSeed) {
      (text) throws(UsageError) in try wholeNumber(text, 0...UInt64.max / 2)
    },
    CommandOption(
      "seeds", "how many seeds, one after another (1; 200 random calls)",
      .value("N") { (options, text) throws(UsageError) in
        options.seedCount = try wholeNumber(text, 1...10_000_000)
      }),
    CommandOption(
      "joins", "joins over each kind of line, and how long they took to the first picture",
      .flag { $0.isOfJoins = true }),
    CommandOption(
      "behind-nats",
      "with --joins: between all kinds of NAT and firewall, held against the best path there is",
      .flag { $0.isBehindNATs = true }),
    CommandOption(
      "real-video",
      "encode and decode the test pattern by libvpx in place of scripted pictures (scenarios)",
      .flag { $0.hasRealVideo = true }),
    CommandOption("json", "one JSON object a run on one line", .flag { $0.isJSON = true }),
    CommandOption(
      "plot", "draw rate, queue, delay and loss over time (one scenario, one seed)",
      .value("FILE.svg") { (options, text) throws(UsageError) in
        guard text.hasSuffix(".svg") else {
          throw UsageError("makes an SVG file; give it a name that ends in .svg")
        }
        options.plot = text
      }),
  ], defaults: SimulationOptions.init
) { (options, operands) throws(UsageError) in
  var options = options
  options.scenarios = operands
  if options.plot != nil, operands.count != 1 || (options.seedCount ?? 1) != 1 {
    throw UsageError("--plot draws one run; name one scenario and leave --seeds out")
  }
  if options.hasRealVideo, operands.isEmpty {
    throw UsageError("--real-video goes with scenarios; name one")
  }
  if options.isOfJoins, !operands.isEmpty || options.isJSON {
    throw UsageError("--joins has lines of its own and prints text; leave scenario and --json out")
  }
  if options.isBehindNATs, !options.isOfJoins {
    throw UsageError("--behind-nats goes with --joins; give both")
  }
  return options
}

private func wholeNumber(
  _ text: String, _ range: ClosedRange<UInt64>
) throws(UsageError) -> UInt64 {
  guard let number = UInt64(text), range.contains(number) else {
    throw UsageError(
      "takes a whole number from \(range.lowerBound) to \(range.upperBound); write for example 5")
  }
  return number
}
