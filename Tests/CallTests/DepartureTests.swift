import Testing
import Units
import Wire

@testable import Call

@Suite struct DepartureTests {
  private let start = Instant(nanoseconds: 1_000)
  private let one = SessionID(bytes: [UInt8](repeating: 1, count: 16))!
  private let two = SessionID(bytes: [UInt8](repeating: 2, count: 16))!

  @Test func `alone in the room one waits for ever`() {
    var departure = Departure()
    departure.membersChanged(count: 0, at: start)
    #expect(departure.deadline == nil)
    #expect(departure.verdict(members: [], at: start + .seconds(3_600)) == nil)
  }

  @Test func `members that nobody could reach for 30 s mean no path`() {
    var departure = Departure()
    departure.membersChanged(count: 1, at: start)
    #expect(departure.verdict(members: [one], at: start + .seconds(29.9)) == nil)
    #expect(departure.verdict(members: [one], at: start + .seconds(30)) == .noPath)
  }

  @Test func `the sole member's failed proof is told apart from no path`() {
    var departure = Departure()
    departure.membersChanged(count: 1, at: start)
    departure.proofFailed(one)
    #expect(departure.verdict(members: [one], at: start + .seconds(30)) == .proofRefused)
    #expect(departure.verdict(members: [one, two], at: start + .seconds(30)) == .noPath)
  }

  @Test func `once anybody was proved others cannot end the process`() {
    var departure = Departure()
    departure.membersChanged(count: 1, at: start)
    departure.proved()
    departure.membersChanged(count: 0, at: start + .seconds(5))
    departure.membersChanged(count: 1, at: start + .seconds(6))
    #expect(departure.deadline == nil)
    #expect(departure.verdict(members: [two], at: start + .seconds(60)) == nil)
  }

  @Test func `who comes late beside one who is out of reach has his own 30 s`() {
    var departure = Departure()
    departure.membersChanged(count: 1, at: start)
    departure.membersChanged(count: 2, at: start + .seconds(29.9))
    #expect(departure.verdict(members: [one, two], at: start + .seconds(30)) == nil)
    #expect(departure.verdict(members: [one, two], at: start + .seconds(59.9)) == .noPath)
    // Who goes changes nothing for those who stay.
    departure.membersChanged(count: 1, at: start + .seconds(40))
    #expect(departure.verdict(members: [one], at: start + .seconds(59.9)) == .noPath)
  }

  @Test func `the last who goes as the time runs out was out of reach, who goes before was not`() {
    var left = Departure()
    left.membersChanged(count: 1, at: start)
    left.membersChanged(count: 0, at: start + .seconds(20))
    #expect(left.verdict(members: [], at: start + .seconds(29.9)) == nil)
    #expect(left.verdict(members: [], at: start + .seconds(30)) == .noPath)
    // Who comes then has his own time.
    left.membersChanged(count: 1, at: start + .seconds(29))
    #expect(left.verdict(members: [one], at: start + .seconds(58.9)) == nil)
    #expect(left.verdict(members: [one], at: start + .seconds(59)) == .noPath)

    var early = Departure()
    early.membersChanged(count: 1, at: start)
    early.membersChanged(count: 0, at: start + .seconds(19.9))
    #expect(early.deadline == nil)
  }

  @Test func `a room that empties starts the time anew`() {
    var departure = Departure()
    departure.membersChanged(count: 1, at: start)
    departure.membersChanged(count: 0, at: start + .seconds(20))
    departure.membersChanged(count: 1, at: start + .seconds(25))
    #expect(departure.verdict(members: [one], at: start + .seconds(31)) == nil)
    #expect(departure.verdict(members: [one], at: start + .seconds(55)) == .noPath)
  }
}

@Suite struct EndingTests {
  private let start = Instant(nanoseconds: 1_000)

  @Test func `the first reason stands`() {
    var ending = Ending()
    let isFirst = ending.begin(.noPath, at: start)
    let isSecond = ending.begin(.interrupted, at: start)
    #expect(isFirst && !isSecond)
    ending.peersKnow()
    #expect(ending.isComplete)
    let reasons = [ending.finish(), ending.finish()]
    #expect(reasons == [.noPath, nil])
    #expect(ending.deadline == nil)
  }

  @Test func `nobody is waited for longer than half a second`() {
    var ending = Ending()
    _ = ending.begin(.done("you left"), at: start)
    #expect(!ending.isOverdue(at: start + .milliseconds(499)))
    #expect(ending.isOverdue(at: start + .milliseconds(500)))
  }

  @Test(arguments: [
    (EndReason.done("you left"), 0), (.unreachable("x"), 3), (.refused(hasPassword: false), 4),
    (.certificateRefused, 4), (.untrusted, 5),
    (.changedKey("Bob"), 5), (.proofRefused, 5), (.noPath, 6), (.noRelay, 6),
    (.device, 7), (.interrupted, 130),
  ])
  func `every reason has its promised exit code`(reason: EndReason, code: Int) {
    #expect(reason.exitCode == code)
  }
}
