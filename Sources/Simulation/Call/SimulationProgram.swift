import Rooms
import Units

/// `p2pcall-simulate`: random calls by seed, their failures with the seed that replays them, and how
/// many times faster than real calls they were.
package enum SimulationProgram {
  private static let usage = """
    usage: p2pcall-simulate [--seeds N] [--first SEED]
    Runs N random calls (200) with the seeds from SEED (1) on, in virtual time. A failure prints its
    seed, its story and what was found; the exit code is 1 then. The same seed gives the same call.
    """

  /// The exit code.
  package static func run(_ arguments: [String]) -> Int32 {
    var count: UInt64 = 200
    var first: UInt64 = 1
    var rest = arguments[...]
    while let option = rest.popFirst() {
      switch (option, rest.first.flatMap(UInt64.init)) {
      case ("--seeds", let number?):
        count = number
        rest.removeFirst()
      case ("--first", let number?):
        first = number
        rest.removeFirst()
      case ("--help", _), ("-h", _):
        print(usage)
        return 0
      default:
        print("p2pcall-simulate: \(option) is not understood\n\(usage)")
        return 2
      }
    }
    return run(first: first, count: count) ? 0 : 1
  }

  private static func run(first: UInt64, count: UInt64) -> Bool {
    var failed = 0
    let took = ContinuousClock().measure {
      for seed in first..<first + count {
        guard let verdict = verdict(of: seed) else { continue }
        failed += 1
        print("\(verdict)\n")
      }
    }
    let simulated = RandomCall.duration.seconds * Double(count)
    let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) * 1e-18
    let factor = Int(simulated / max(seconds, 1e-9))
    print(
      "\(count) calls, \(failed) failed; \(Int(simulated)) s of calls in \(Int(seconds.rounded())) s, "
        + "\(factor) times as fast as real ones")
    return failed == 0
  }

  private static func verdict(of seed: UInt64) -> String? {
    do throws(RoomKeysError) {
      return try RandomCall(seed: seed).verdict()
    } catch {
      return "seed \(seed): \(error)"
    }
  }
}
