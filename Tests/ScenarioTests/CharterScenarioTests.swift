import Call
import Simulation
import Testing
import Units
import Wire

/// What the owner decreed holds among members, also where the server does not obey.
@Suite struct CharterScenarioTests {
  private func meeting(_ policy: RoomPolicy) throws -> (SimulatedCall, [SimulatedMember]) {
    let call = try SimulatedCall(seed: 41, policy: policy)
    let members = [call.add("Anna"), call.add("Ben", after: .seconds(1))]
    call.at(.seconds(3)) { call.chatter(every: .milliseconds(700), until: .zero + .seconds(5)) }
    call.run(for: .seconds(6))
    call.finish()
    return (call, members)
  }

  @Test(arguments: [
    RoomPolicy(isLocked: true), RoomPolicy(expiry: 1_600_000_000),
    RoomPolicy(isLocked: true, allowed: [[UInt8](repeating: 1, count: 32)]),
  ])
  func `in a locked or expired room nobody gets anything`(policy: RoomPolicy) throws {
    let (call, members) = try meeting(policy)
    for (seen, viewer) in [(members[0], members[1]), (members[1], members[0])] {
      #expect(call.figures(of: seen, at: viewer).shown == 0)
      #expect(call.figures(of: seen, at: viewer).playedPackets == 0)
      #expect(viewer.departures == [seen.peer: "not admitted by the room's owner"])
    }
    #expect(call.chatLinesHeard == 0)
  }

  @Test func `in an open room with an expiry to come they meet`() throws {
    let (call, members) = try meeting(RoomPolicy(expiry: 1_800_000_000, size: 5, epoch: 3))
    #expect(call.figures(of: members[0], at: members[1]).shown > 90)
    #expect(call.figures(of: members[1], at: members[0]).shown > 90)
    #expect(call.chatLinesHeard == call.chatLinesSaid && call.chatLinesSaid > 0)
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `a room that expires during the call ends it for everyone`() throws {
    // Five minutes' grace after the expiry, of which five seconds are left.
    let (call, members) = try meeting(RoomPolicy(expiry: 1_700_000_000 - 296))
    for (seen, viewer) in [(members[0], members[1]), (members[1], members[0])] {
      #expect(call.figures(of: seen, at: viewer).shown > 60)
      #expect(viewer.departures == [seen.peer: "not admitted by the room's owner"])
      let parted = try #require(viewer.firstDeparture)
      #expect((Interval.seconds(4)...Interval.seconds(5.2)).contains(parted - .zero))
    }
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }
}
