import Call
import Links
import Media
import Simulation
import Testing
import Units

/// A call over TLS and TCP through a bottleneck that would queue for 300 ms: what is late is dropped
/// before it is given to TCP, so that picture and sound stay fresh.
@Suite struct NarrowStreamTests {
  @Test(arguments: [UInt64(1), 2, 3])
  func `pictures and sound stay fresh over TCP at one megabit`(seed: UInt64) throws {
    var options = SimulatedMember.Options()
    options.transport = .tcp
    let call = try SimulatedCall(seed: seed)
    let narrow = LinkConditions(
      rate: .kilobits(1_000), queue: .milliseconds(300), delay: .milliseconds(25))
    let line = AccessLine(name: "one megabit", both: narrow)
    let anna = call.add("Anna", line: line, options: options)
    let ben = call.add("Ben", line: .local, options: options, after: .milliseconds(500))
    call.run(for: .seconds(40))
    call.finish()
    #expect(ben.path(to: anna) == .tcpDirect)
    let figures = call.figures(of: anna, at: ben)
    #expect(figures.delays.percentile(0.95) <= .milliseconds(350))
    #expect(figures.longestGap <= .milliseconds(500))
    #expect(figures.longestSoundGap <= .milliseconds(60))
    #expect(figures.silentSamples == 0)
    #expect(figures.shown > 1_100)
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }
}
