import Call
import Links
import Media
import Simulation
import Testing
import Units

/// Chat and control over lines that do all that lines can do (THREATS R13).
@Suite struct HardLineTests {
  struct Hardship: Sendable, CustomStringConvertible {
    var description: String
    var conditions: LinkConditions

    init(_ description: String, _ edit: (inout LinkConditions) -> Void) {
      self.description = description
      conditions = LinkConditions(rate: .kilobits(5_000), delay: .milliseconds(15))
      edit(&conditions)
    }
  }

  private static let matrix = [
    Hardship("corruption") { $0.corruption = 0.01 },
    Hardship("loss") { $0.loss = 0.2 },
    Hardship("reordering") { $0.reordering = 0.25 },
    Hardship("duplicates") { $0.duplication = 0.1 },
    Hardship("jitter") { $0.jitter = .milliseconds(100) },
    Hardship("jitter that reorders") {
      $0.jitter = .milliseconds(100)
      $0.jitterReorders = true
    },
    Hardship("all of it") { $0 = AccessLine.worst.up },
  ]

  @Test(arguments: matrix)
  func `chat comes exactly once and in order`(hardship: Hardship) throws {
    try chat(over: hardship, .auto)
  }

  @Test func `chat comes exactly once and in order over TCP through all of it`() throws {
    try chat(over: Self.matrix[6], .tcp)
  }

  private func chat(over hardship: Hardship, _ transport: Transport) throws {
    var limits = SimulatedCall.Limits()
    limits.oldest = .seconds(4)
    limits.skew = .seconds(1)
    var options = SimulatedMember.Options()
    options.transport = transport
    options.size = PictureSize(width: 320, height: 180)
    options.framesPerSecond = 15
    options.bitrateLimit = .kilobits(150)
    let call = try SimulatedCall(seed: 13, limits: limits)
    let line = AccessLine(name: hardship.description, both: hardship.conditions)
    let anna = call.add("Anna", line: .cable, options: options)
    let ben = call.add("Ben", line: line, options: options, after: .milliseconds(500))
    call.at(.seconds(2)) {
      call.chatter(every: .milliseconds(250), until: .zero + .seconds(10))
    }
    call.run(for: .seconds(24))
    call.finish()
    #expect(call.chatLinesSaid > 50)
    #expect(call.chatLinesHeard == call.chatLinesSaid)
    #expect(anna.departures.isEmpty && ben.departures.isEmpty)
    #expect(call.figures(of: anna, at: ben).playedPackets > 0)
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }
}
