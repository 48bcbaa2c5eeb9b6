import Links
import Testing
import Units

@Suite struct PulseTests {
  private let start = Instant(nanoseconds: 1_000_000_000)

  /// How long a link with this round trip is silent before it is suspected.
  private func patience(isOrdered: Bool, roundTrip: Interval?) -> Interval {
    var pulse = Pulse(at: start, isOrdered: isOrdered)
    if let roundTrip { pulse.measure(roundTrip) }
    return pulse.aliveUntil - start
  }

  @Test func `a stream over a long way has the time to repeat what was lost`() {
    #expect(patience(isOrdered: true, roundTrip: .milliseconds(1_200)) == .seconds(3))
    #expect(patience(isOrdered: true, roundTrip: .milliseconds(100)) == Liveness.suspicion)
    #expect(patience(isOrdered: true, roundTrip: nil) == Liveness.suspicion)
  }

  @Test func `a stream is suspected by the time that the user hears of its silence`() {
    #expect(patience(isOrdered: true, roundTrip: .seconds(6)) == Liveness.silence)
  }

  @Test func `datagrams need no repetition, however long their way`() {
    #expect(patience(isOrdered: false, roundTrip: .milliseconds(1_200)) == Liveness.suspicion)
  }
}
