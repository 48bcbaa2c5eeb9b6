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
    // TCP's slow start fills the queue once before anything is known of the path.
    call.run(for: .seconds(5))
    let early = call.figures(of: anna, at: ben)
    call.run(for: .seconds(35))
    call.finish()
    #expect(ben.path(to: anna) == .tcpDirect)
    let figures = call.figures(of: anna, at: ben)
    print("TCP", seed, figures.delays.percentile(0.95), "early", early.freezes, early.longestGap, early.longestSoundGap, early.concealedSamples, early.silentSamples, "all", figures.freezes, figures.longestGap, figures.longestSoundGap, figures.concealedSamples, figures.silentSamples)
    #expect(figures.delays.percentile(0.95) <= .milliseconds(350))
    #expect(figures.freezes == early.freezes)
    #expect(figures.concealedSamples == early.concealedSamples)
    #expect(figures.silentSamples == early.silentSamples)
    #expect(call.findings.isEmpty, "\(call.findings.summary)")
  }
}
