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

  /// The checker that is there for each bug, and its words.
  private static let findings: [(bug: Sabotage, checker: String, words: String)] = [
    (.frameDropped, "picture", "the decoder has"),
    (.frameDoubled, "picture", " after "),
    (.framesSwapped, "picture", "the decoder has"),
    (.frameAltered, "picture", "bytes that no camera made"),
    (.frameInvented, "picture", "was never captured"),
    (.frameOfAnother, "picture", "picture of camera"),
    (.frameStale, "picture", "ms old"),
    (.showsSwapped, "picture", "is to be shown before its elder"),
    (.viewerClosed, "picture", "without openPeer"),
    (.soundAltered, "sound", "bytes that no microphone made"),
    (.soundDoubled, "sound", " after "),
    (.soundOfAnother, "sound", "a packet of microphone"),
    (.soundLate, "skew", "ms apart"),
    (.soundStale, "sound", "ms late"),
    (.deadlineInThePast, "turn", "in the past"),
    (.timerAtOneInstant, "turn", "turns at one instant"),
    (.timerStorm, "turn", "turns by timer in one second"),
    (.endlessTurn, "turn", "outputs in one turn"),
    (.outputAstray, "turn", "is not for the network"),
    (.burst, "pace", "bytes in 100 ms"),
    (.chatDoubled, "chat", "which was not said"),
    (.chatInvented, "chat", "which was not said"),
    (.chatLost, "chat", "lines never came"),
    (.chatSwapped, "chat", "instead of"),
    (.deliveryDoubled, "chat", "delivered out of turn"),
    (.deliveryTooEarly, "chat", "before it was heard"),
    (.deliveryUntold, "chat", "never told as delivered"),
    (.mediaBeforeProof, "gate", "before proof"),
  ]

  @Test(arguments: findings)
  func `a planted bug is found by the checker that is there for it, and by no other`(
    bug: Sabotage, checker: String, words: String
  ) throws {
    let call = try run(bug)
    let found = call.findings.list
    #expect(found.contains { $0.text.contains(words) }, "\(call.findings.summary)")
    #expect(found.allSatisfy { $0.checker == checker }, "\(call.findings.summary)")
    #expect(call.findings.summary.hasPrefix("seed 4: "))
  }

  @Test func `every planted bug is looked for`() {
    let tried = Self.findings.map(\.bug) + [.unseeded]
    #expect(Sabotage.allCases.allSatisfy(tried.contains))
  }

  /// What a random call is judged by beside its checkers' findings.
  @Test func `a random call in which somebody is neither seen nor heard, or gone, is wrong`() throws
  {
    func verdict(_ spoil: @escaping (SimulatedMember) -> Void) throws -> [String] {
      let random = try RandomCall(seed: 1)
      let anna = random.call.members[0]
      random.call.at(.seconds(19)) { spoil(anna) }
      let story = random.story.count + 1
      let lines = (random.verdict() ?? "").split(separator: "\n").map(String.init)
      return Array(lines.dropFirst(story))
    }
    #expect(try verdict { _ in } == [])
    let unseen = try verdict { $0.camera(isOn: false) }
    #expect(!unseen.isEmpty)
    #expect(unseen.allSatisfy { $0.hasSuffix("sees nothing of Anna at the end") }, "\(unseen)")
    let unheard = try verdict { $0.microphone(isOn: false) }
    #expect(!unheard.isEmpty)
    #expect(unheard.allSatisfy { $0.hasSuffix("hears nothing of Anna at the end") }, "\(unheard)")
    let gone = try verdict { $0.leave() }
    #expect(gone.contains("Anna ended with 0"), "\(gone)")
  }

  @Test func `a run that draws from outside its seed has another trace`() throws {
    let honest = try run(nil)
    let unseeded = try run(.unseeded)
    #expect(honest.world.trace.value != unseeded.world.trace.value)
  }
}
