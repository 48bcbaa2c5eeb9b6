import Media
import Simulation
import Testing
import Units

/// A checker that never turns red proves nothing: each planted bug must be found in a whole call.
@Suite struct SabotageTests {
  private func run(_ bug: Sabotage?, seed: UInt64 = 4) throws -> SimulatedCall {
    var options = SimulatedMember.Options()
    options.size = PictureSize(width: 320, height: 180)
    options.bitrateLimit = .kilobits(bug == .burst ? 1_500 : 200)
    let call = try SimulatedCall(seed: seed, sabotage: bug)
    call.add("Anna", options: options)
    call.add("Ben", options: options, after: .milliseconds(200))
    call.at(.seconds(1)) { call.chatter(every: .milliseconds(500), until: .zero + .seconds(9)) }
    call.run(for: .seconds(11))
    call.finish()
    return call
  }

  @Test func `a call without a planted bug is right`() throws {
    let call = try run(nil)
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test(arguments: [
    (Sabotage.frameDropped, "picture"), (.frameDoubled, "picture"), (.framesSwapped, "picture"),
    (.soundLate, "skew"), (.chatDoubled, "chat"), (.chatSwapped, "chat"),
    (.mediaBeforeProof, "gate"), (.deadlineInThePast, "turn"), (.burst, "pace"),
  ])
  func `a planted bug is found`(bug: Sabotage, checker: String) throws {
    let call = try run(bug)
    #expect(
      call.findings.list.contains { $0.checker == checker }, "\(call.findings.summary)")
    #expect(call.findings.summary.hasPrefix("seed 4: "))
  }

  @Test func `a run that draws from outside its seed has another trace`() throws {
    let honest = try run(nil)
    let unseeded = try run(.unseeded)
    #expect(honest.world.trace.value != unseeded.world.trace.value)
  }
}
