import Testing
import Units

@testable import Links

/// What is tried when a datagram link falls silent, and when.
@Suite struct RevivalTests {
  /// Heard every `gap` for so long, and then no more: the steps that follow, by when they come.
  private func steps(
    after gaps: [(gap: Interval, time: Interval)], for time: Interval = .seconds(3),
    isChanging: Bool = false
  ) -> [(at: Interval, step: Revival.Step)] {
    var revival = Revival()
    var generation: UInt32 = 0
    var now = Instant.zero + .seconds(1)
    for (gap, time) in gaps {
      let end = now + time
      while now + gap <= end {
        now += gap
        while revival.nextStep(pathAnsweredAt: nil, at: now) != nil {}
        if isChanging, gap > .milliseconds(20) { generation += 1 }
        revival.observe(heardAt: now, on: Revival.Way(path: nil, generation: generation))
      }
    }
    let heardAt = now
    var found: [(Interval, Revival.Step)] = []
    while let due = revival.nextDeadline, due.at <= heardAt + time {
      now = max(now, due.at)
      while let step = revival.nextStep(pathAnsweredAt: nil, at: now) {
        found.append((now - heardAt, step))
      }
    }
    return found
  }

  private func probe(after gaps: [(gap: Interval, time: Interval)]) -> Interval? {
    steps(after: gaps).first { $0.step == .probe }?.at
  }

  @Test func `with media every 20 ms the path is probed after 300, once, then all is reconsidered`()
  {
    let found = steps(after: [(.milliseconds(20), .seconds(5))], for: .milliseconds(1_600))
    #expect(found.map(\.step) == [.probe, .reconsider])
    #expect(found.map(\.at) == [.milliseconds(300), .milliseconds(1_500)])
  }

  @Test func `where longer gaps are usual, only a longer one means something`() {
    #expect(probe(after: [(.milliseconds(400), .seconds(5))]) == .milliseconds(600))
    // No later than all is tried anyway, and then not beside it.
    #expect(probe(after: [(.seconds(1), .seconds(5))]) == nil)
  }

  @Test func `outages that come every four seconds do not make each other longer`() throws {
    var gaps: [(gap: Interval, time: Interval)] = [(.milliseconds(20), .seconds(5))]
    for _ in 0..<50 {
      let outage = try #require(probe(after: gaps)) + .milliseconds(150)
      gaps = gaps.suffix(3) + [(outage, outage), (.milliseconds(20), .seconds(4))]
    }
    #expect(probe(after: gaps) == .milliseconds(300))
  }

  @Test func `an outage that another way has ended is not taken for usual`() {
    let gaps: [(gap: Interval, time: Interval)] = [
      (.milliseconds(20), .seconds(1)), (.seconds(1), .seconds(1)),
    ]
    let found = steps(after: gaps, isChanging: true)
    #expect(found.first { $0.step == .probe }?.at == .milliseconds(300))
    #expect(probe(after: gaps) == nil)
  }

  @Test func `what was usual is forgotten in a while`() throws {
    let bad = (gap: Interval.milliseconds(600), time: Interval.seconds(3))
    let short = try #require(
      probe(after: [bad, (.milliseconds(20), .seconds(2))]))
    #expect(short > .milliseconds(500) && short < .milliseconds(550))
    #expect(
      probe(after: [bad, (.milliseconds(20), .seconds(10))]) == .milliseconds(300))
  }
}
