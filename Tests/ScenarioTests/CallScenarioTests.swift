import Call
import Links
import Simulation
import Testing
import Units

/// Whole calls: real conferences and a real server, with every checker watching.
@Suite struct CallScenarioTests {
  @Test(arguments: [AccessLine.cable, .wifi, .mobile])
  func `two people see, hear and read each other`(line: AccessLine) throws {
    var limits = SimulatedCall.Limits()
    if line.up.loss > 0 { limits.skew = .milliseconds(200) }
    let call = try SimulatedCall(seed: 1, limits: limits)
    let anna = call.add("Anna", line: line)
    let ben = call.add("Ben", line: line, after: .seconds(1))
    call.at(.seconds(3)) { call.chatter(every: .milliseconds(700), until: .zero + .seconds(12)) }
    call.run(for: .seconds(15))
    call.finish()
    for (seen, viewer) in [(anna, ben), (ben, anna)] {
      let figures = call.figures(of: seen, at: viewer)
      let first = try #require(figures.firstShownAt)
      #expect(first - (.zero + .seconds(1)) < .milliseconds(line.name == "mobile" ? 1_600 : 600))
      #expect(figures.shown > 360)
      #expect(figures.playedPackets > 600)
      #expect(viewer.path(to: seen) == .udpDirect)
    }
    #expect(call.chatLinesHeard == call.chatLinesSaid && call.chatLinesSaid > 20)
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `a call over TCP alone works as well`() throws {
    var options = SimulatedMember.Options()
    options.transport = .tcp
    let call = try SimulatedCall(seed: 2)
    let anna = call.add("Anna", options: options)
    let ben = call.add("Ben", options: options, after: .seconds(1))
    call.at(.seconds(3)) { call.chatter(every: .milliseconds(700), until: .zero + .seconds(12)) }
    call.run(for: .seconds(15))
    call.finish()
    #expect(call.figures(of: anna, at: ben).shown > 370)
    #expect(call.figures(of: ben, at: anna).shown > 370)
    #expect(ben.path(to: anna) == .tcpDirect)
    #expect(call.chatLinesHeard == call.chatLinesSaid)
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `a narrow line's queue stays short over TCP too`() throws {
    let narrow = AccessLine(
      name: "1 Mbit/s with 300 ms of queue",
      up: LinkConditions(
        rate: .kilobits(1_000), queue: .milliseconds(300), delay: .milliseconds(20)),
      down: LinkConditions(delay: .milliseconds(20)))
    var options = SimulatedMember.Options()
    options.transport = .tcp
    let call = try SimulatedCall(seed: 2)
    let anna = call.add("Anna", line: narrow, options: options)
    let ben = call.add("Ben", options: options, after: .milliseconds(300))
    call.at(.seconds(5)) { anna.host.beginMeasurement() }
    call.run(for: .seconds(20))
    call.finish()
    let figures = call.figures(of: anna, at: ben)
    #expect(figures.shown > 400)
    #expect(figures.delays.percentile(0.95) < .milliseconds(600))
    #expect(anna.host.upCounters.utilisation(at: call.world.now) > 0.5)
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `three people are in one call and one who leaves disturbs nobody`() throws {
    let call = try SimulatedCall(seed: 3)
    let anna = call.add("Anna")
    let ben = call.add("Ben", after: .seconds(1))
    let cleo = call.add("Cleo", after: .seconds(2))
    call.at(.seconds(4)) { call.chatter(every: .milliseconds(900), until: .zero + .seconds(9)) }
    call.at(.seconds(10)) { cleo.leave() }
    call.run(for: .seconds(16))
    call.finish()
    #expect(cleo.exitCode == 0)
    for (seen, viewer) in [(anna, ben), (ben, anna)] {
      let figures = call.figures(of: seen, at: viewer)
      #expect(figures.shown > 400)
      #expect(figures.longestGap < .milliseconds(500))
      #expect(viewer.departures == [cleo.peer: "left"])
    }
    for other in [anna, ben] {
      #expect(call.figures(of: cleo, at: other).shown > 200)
      #expect(call.figures(of: other, at: cleo).shown > 200)
    }
    #expect(call.chatLinesHeard == 2 * call.chatLinesSaid)
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `who stays gets the share of the rate of who has left`() throws {
    var options = SimulatedMember.Options()
    options.bitrateLimit = .kilobits(1_000)
    let call = try SimulatedCall(seed: 12)
    let anna = call.add("Anna", options: options)
    let ben = call.add("Ben", options: options)
    let cleo = call.add("Cleo", options: options)
    call.run(for: .seconds(8))
    let shared = try #require(anna.statistics[ben.peer]?.send.target)
    #expect(shared <= .kilobits(500))
    cleo.leave()
    call.run(for: .seconds(8))
    let whole = try #require(anna.statistics[ben.peer]?.send.target)
    #expect(whole > .kilobits(800))
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }

  @Test func `the others are told when a camera or microphone is gone`() throws {
    let call = try SimulatedCall(seed: 13)
    let anna = call.add("Anna")
    let ben = call.add("Ben")
    call.run(for: .seconds(3))
    func sources() -> [Bool]? {
      ben.roster.first { $0.label.peer == anna.peer }.map { [$0.sendsAudio, $0.sendsVideo] }
    }
    #expect(sources() == [true, true])
    anna.lose(.camera)
    call.run(for: .seconds(1))
    #expect(sources() == [true, false])
    anna.lose(.microphone)
    call.run(for: .seconds(1))
    #expect(sources() == [false, false])
  }

  @Test func `the same seed gives the same trace of a whole call and another seed another`() throws
  {
    func trace(_ seed: UInt64) throws -> (UInt64, Int) {
      let call = try SimulatedCall(seed: seed)
      call.add("Anna", line: .wifi)
      call.add("Ben", line: .mobile, after: .milliseconds(300))
      call.run(for: .seconds(4))
      #expect(call.findings.isEmpty, "\(call.findings.summary)")
      return (call.world.trace.value, call.world.trace.count)
    }
    let first = try trace(7)
    #expect(first.1 > 1_000)
    #expect(try trace(7) == first)
    #expect(try trace(8) != first)
  }
}
