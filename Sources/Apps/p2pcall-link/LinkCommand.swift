import CLinux
import CommandLine
import Runtime
import Simulating
import Simulation
import Units

private struct LinkOptions: Sendable {
  var seed: UInt64 = 1
}

private let linkTable = CommandTable<LinkOptions, (String, UInt64)>(
  "p2pcall-link", operands: "SCENARIO.json",
  "carries the packets of real programs as a scenario's line would: each flow has a network of its "
    + "own on either side, and a TUN device in it",
  notes: [
    "Needs root. What it made goes with it: networks and devices have no names, and nothing of this "
      + "computer's own network is touched.",
    "It prints JSON objects, one a line: ready names the networks and addresses (start a program "
      + "in one with nsenter --net=NETWORK PROGRAM…; the hub is for the rendezvous, which the line "
      + "does not touch), started, sample ten times a second, and ended with counters. A line start "
      + "on standard input starts the scenario's clock; until then its first conditions hold. The "
      + "line stop, or the end of standard input, ends it.",
    "Exit codes: 0 ended, 2 usage, 7 no networks can be made here.",
  ],
  options: [
    .stored("seed", "N", "which packets are lost (1)", \LinkOptions.seed) {
      (text) throws(UsageError) in
      guard let seed = UInt64(text) else { throw UsageError("takes a whole number such as 7") }
      return seed
    }
  ], defaults: LinkOptions.init
) { (options, operands) throws(UsageError) in
  guard operands.count == 1 else {
    throw UsageError("name one scenario, such as scenarios/loss-10.json")
  }
  return (operands[0], options.seed)
}

/// The whole program.
func runLink() -> Never {
  clinux_ignore_broken_pipes()
  do {
    switch try linkTable.parse(Array(CommandLine.arguments.dropFirst())) {
    case .help(let text):
      TextOutput.standardOutput.write(text)
      leave(.success)
    case .version:
      TextOutput.standardOutput.write(line: "p2pcall-link \(programVersion)")
      leave(.success)
    case .result(let (path, seed)):
      let scenario = try Scenario(readingFrom: path)
      // The line is as punctual as the system lets a thread be.
      let thread = try Thread.start("link", priority: .realTime) {
        do { try LinkPump(scenario, seed: seed).run() } catch {
          complain("\(error); an emulated link needs root and /dev/net/tun, nothing was measured")
          leave(.device)
        }
      }
      thread.join()
      leave(.success)
    }
  } catch let error as UsageError {
    complain("\(error)")
    leave(.usage)
  } catch {
    complain("\(error)")
    leave(.internalError)
  }
}

private func complain(_ text: String) {
  TextOutput.standardError.write(line: "p2pcall-link: \(text)")
}

private func leave(_ code: ExitCode) -> Never { exit(code.rawValue) }
