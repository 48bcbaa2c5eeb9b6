import Call
import Foundation
import Simulation
import Testing
import Units

/// Joins between all kinds of access, over as many seeds as P2PCALL_SEEDS says (300 unless it does).
@Suite struct AccessJoinTests {
  private static let count =
    ProcessInfo.processInfo.environment["P2PCALL_SEEDS"].flatMap(UInt64.init) ?? 300

  @Test func `whoever can meet does so over the best path, and all others are told`() throws {
    let trials = try AccessJoinTrials(first: 1, count: Self.count)
    #expect(trials.failures.isEmpty, "\(trials.text)")
    for best in [PathKind.udpDirect, .tcpDirect, .udpRelay, .tcpRelay, nil] {
      #expect(trials.successes(over: best) > 0, "\(trials.text)")
    }
  }

  private func outcome(_ pair: AccessPair, best: PathKind?) throws -> AccessJoin.Outcome {
    try AccessJoin(seed: 1, between: pair, best: best).outcome()
  }

  private func hasFailed(_ pair: AccessPair, best: PathKind?) throws -> Bool {
    if case .failed = try outcome(pair, best: best) { true } else { false }
  }

  /// Anna's and Ben's own addresses are of no use to the other.
  @Test func `two homes meet by what the server tells them of themselves`() throws {
    guard case .met = try outcome(AccessPair(.port, .port), best: .udpDirect) else {
      Issue.record("they did not meet")
      return
    }
  }

  /// Anna's checks went out 3.7 s before Ben had her box and let them in; then her PROOF was lost twice.
  /// By ICE's round trip she repeated it a second later and stood by her session for 23 s, while he
  /// gave his up after one.
  @Test func `both sides give a handshake up that does not come on`() throws {
    let seed: UInt64 = 42_875
    let join = try AccessJoin(seed: seed, between: AccessJoin.pair(of: seed), best: .udpDirect)
    guard case .met = join.outcome() else {
      Issue.record("they did not meet")
      return
    }
  }

  @Test func `another path than the best is a failure, and so is none where there is one`() throws {
    #expect(try hasFailed(AccessPair(.none, .noUDP), best: .udpDirect))
    #expect(try hasFailed(AccessPair(.none, .none), best: .tcpDirect))
    #expect(try hasFailed(AccessPair(.symmetric, .symmetric), best: .udpDirect))
  }

  @Test func `a link where there is no way is a failure: then the search is wrong`() throws {
    #expect(try hasFailed(AccessPair(.port, .port), best: nil))
    guard case .told(let took) = try outcome(AccessPair(.symmetric, .symmetric), best: nil) else {
      Issue.record("nobody told them")
      return
    }
    #expect(took >= .seconds(30))
  }
}
