import CLinux
import CommandLine
import Rooms
import Simulation
import Units

/// `p2pcall-simulate`: scenarios and their figures, or random calls by seed, their failures with the
/// seed that replays them, and how many times faster than real calls they were.
package enum SimulationProgram {
  private static let output = TextOutput.standardOutput

  /// The exit code.
  package static func run(_ arguments: [String]) -> Int32 {
    do throws(UsageError) {
      switch try SimulationOptions.parse(arguments) {
      case .help(let text): output.write(text)
      case .version: output.write(line: "p2pcall-simulate \(programVersion)")
      case .result(let options):
        let isGood =
          options.isOfJoins
          ? runJoins(options)
          : options.scenarios.isEmpty ? runCalls(options) : try runScenarios(options)
        return isGood ? 0 : 1
      }
      return ExitCode.success.rawValue
    } catch {
      TextOutput.standardError.write(line: "p2pcall-simulate: \(error)")
      return ExitCode.usage.rawValue
    }
  }

  // MARK: Scenarios

  private static func runScenarios(_ options: SimulationOptions) throws(UsageError) -> Bool {
    // All are read before the first is run: a mistake is told at once.
    var scenarios: [Scenario] = []
    for path in options.scenarios { scenarios.append(try Scenario(readingFrom: path)) }
    var isGood = true
    for scenario in scenarios {
      for seed in options.firstSeed..<options.firstSeed + (options.seedCount ?? 1) {
        let result = ScenarioRun(
          scenario, seed: seed, pictures: options.hasRealVideo ? .pattern(MediaPair.size) : nil
        ).run()
        isGood = isGood && result.isGood
        if options.isJSON {
          output.write(line: result.json(withSamples: options.seedCount ?? 1 == 1))
        } else {
          output.write(result.text)
        }
        if let path = options.plot { try write(result.plot(of: scenario), to: path) }
      }
    }
    return isGood
  }

  private static func write(_ text: String, to path: String) throws(UsageError) {
    let descriptor = clinux_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard descriptor >= 0 else {
      throw UsageError("cannot write \(path); name a file in a folder that you may write to")
    }
    defer { close(descriptor) }
    guard TextOutput(descriptor: descriptor).write(text) else {
      throw UsageError("cannot write all of \(path); free some space on its disk")
    }
  }

  // MARK: Joins

  private static func runJoins(_ options: SimulationOptions) -> Bool {
    if options.isBehindNATs { return runAccessJoins(options) }
    var isGood = true
    for setting in JoinTrials.Setting.all {
      do {
        let trials = try JoinTrials(
          setting, first: options.firstSeed, count: options.seedCount ?? 200)
        output.write(line: trials.row)
        isGood = isGood && trials.failures.isEmpty
      } catch {
        output.write(line: "\(setting): \(error)")
        isGood = false
      }
    }
    return isGood
  }

  private static func runAccessJoins(_ options: SimulationOptions) -> Bool {
    do throws(RoomKeysError) {
      let trials = try AccessJoinTrials(
        first: options.firstSeed, count: options.seedCount ?? 200)
      output.write(line: trials.text)
      return trials.failures.isEmpty
    } catch {
      output.write(line: "\(error)")
      return false
    }
  }

  // MARK: Random calls

  private static func runCalls(_ options: SimulationOptions) -> Bool {
    let count = options.seedCount ?? 200
    var failed = 0
    var trace = TraceHash()
    let took = ContinuousClock().measure {
      for seed in options.firstSeed..<options.firstSeed + count {
        guard let verdict = verdict(of: seed, &trace) else { continue }
        failed += 1
        if !options.isJSON { output.write(line: "\(verdict)\n") }
      }
    }
    let simulated = RandomCall.duration.seconds * Double(count)
    let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) * 1e-18
    let factor = Int(simulated / max(seconds, 1e-9))
    if options.isJSON {
      var object = JSONObject()
      object.add("calls", Int(count))
      object.add("failed", failed)
      object.add("simulatedSeconds", simulated)
      object.add("seconds", seconds)
      object.add("trace", hex(trace))
      output.write(line: object.text)
    } else {
      output.write(
        line: "\(count) calls, \(failed) failed; \(Int(simulated)) s of calls in "
          + "\(Int(seconds.rounded())) s, \(factor) times as fast as real ones; "
          + "trace \(hex(trace))")
    }
    return failed == 0
  }

  /// Adds what happened in it to `trace`: two builds that differ in nothing but speed agree in it.
  private static func verdict(of seed: UInt64, _ trace: inout TraceHash) -> String? {
    do throws(RoomKeysError) {
      let call = try RandomCall(seed: seed)
      let verdict = call.verdict()
      trace.add(Int(bitPattern: UInt(call.call.world.trace.value)))
      return verdict
    } catch {
      return "seed \(seed): \(error)"
    }
  }

  private static func hex(_ trace: TraceHash) -> String { String(trace.value, radix: 16) }
}
