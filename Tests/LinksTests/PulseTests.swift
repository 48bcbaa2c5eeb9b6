import Testing
import Units
import Wire

@testable import Links

@Suite struct PulseTests {
  private let start = Instant.zero + .seconds(100)

  /// Pings that are due until `end`, each with when it left.
  private func ping(_ pulse: inout Pulse, from: Instant, until end: Instant) -> [Ping] {
    var pings: [Ping] = []
    var now = from
    while now < end {
      if let ping = pulse.nextPing(at: now) { pings.append(ping) }
      now += .milliseconds(20)
    }
    return pings
  }

  /// Heard and answered in 50 ms for a second.
  private func livelyPulse() -> Pulse {
    var pulse = Pulse(at: start)
    for step in 0..<50 {
      let now = start + .milliseconds(Int64(step) * 20)
      if let ping = pulse.nextPing(at: now) {
        pulse.hear(at: now + .milliseconds(50))
        pulse.take(Pong(number: ping.number), at: now + .milliseconds(50))
      }
    }
    return pulse
  }

  @Test func `an answer that a silence held up does not count as a round trip`() throws {
    var pulse = livelyPulse()
    let usual = try #require(pulse.roundTrip)
    #expect(usual == .milliseconds(50))
    let silent = ping(&pulse, from: start + .seconds(1), until: start + .seconds(11))
    let back = start + .seconds(11)
    pulse.hear(at: back)
    for ping in silent { pulse.take(Pong(number: ping.number), at: back) }
    #expect(pulse.roundTrip == usual)

    let ping = pulse.nextPing(at: back)
    let fresh = try #require(ping)
    pulse.take(Pong(number: fresh.number), at: back + .milliseconds(130))
    #expect(pulse.roundTrip == .milliseconds(60), "an eighth of the way")
  }

  @Test func `a link that is heard again counts as alive until it can have answered`() {
    var pulse = livelyPulse()
    _ = ping(&pulse, from: start + .seconds(1), until: start + .seconds(11))
    let back = start + .seconds(11)
    #expect(!pulse.isAlive(at: back))
    pulse.hear(at: back)
    #expect(pulse.isAlive(at: back + .milliseconds(500)))
    #expect(!pulse.isSteady(at: back + .milliseconds(500)), "it is only just back")
    let asked = pulse.nextPing(at: back)
    #expect(asked != nil, "it is asked at once")
    // Heard all the time and never answered: what is sent to it is lost.
    for step in 1...100 { pulse.hear(at: back + .milliseconds(Int64(step) * 50)) }
    #expect(!pulse.isAlive(at: back + .seconds(5)))
  }

  @Test
  func `a silent datagram link is asked ten times a second, a stream that loses nothing twice`() {
    var datagram = livelyPulse()
    var stream = Pulse(at: start + .seconds(1), isOrdered: true)
    let (from, until) = (start + .seconds(2), start + .seconds(5))
    #expect((25...31).contains(ping(&datagram, from: from, until: until).count))
    #expect((5...7).contains(ping(&stream, from: from, until: until).count))
  }

  @Test func `what is heard, an answer and a round trip count at once`() throws {
    var pulse = livelyPulse()
    var asked: [Ping] = []
    for step in 1...23 {
      let now = start + .seconds(1) + .milliseconds(Int64(step) * 100)
      asked += ping(&pulse, from: now, until: now + .milliseconds(20))
      pulse.hear(at: now)
    }
    let now = start + .milliseconds(3_300)
    // Heard just now, but the last answer came 550 ms after the start.
    #expect(pulse.isAlive(at: now + .milliseconds(200)))
    #expect(!pulse.isAlive(at: now + .milliseconds(400)))
    pulse.take(Pong(number: try #require(asked.last).number), at: now)
    #expect(pulse.isAlive(at: now + .milliseconds(1_400)))
    #expect(!pulse.isAlive(at: now + .milliseconds(1_500)))

    var stream = Pulse(at: start, isOrdered: true)
    stream.measure(.milliseconds(1_000))
    #expect(stream.isAlive(at: start + .milliseconds(2_400)))
    #expect(!stream.isAlive(at: start + .milliseconds(2_500)))
  }
}
