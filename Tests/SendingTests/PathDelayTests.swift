import Testing
import Units

@testable import Sending

@Suite struct PathDelayTests {
  private struct Path {
    var delay = PathDelay()
    var now = Instant(nanoseconds: 1_000_000_000)

    /// Packets that all take so long, one each 10 ms; returns how long the queue was said to stand.
    mutating func carry(_ each: Interval, for duration: Interval) -> [Interval] {
      let end = now + duration
      var standing: [Interval] = []
      while now < end {
        now += .milliseconds(10)
        delay.append(each, at: now)
        standing.append(delay.standing(at: now))
      }
      return standing
    }
  }

  @Test func `a queue that stands is told of until it has drained`() {
    var path = Path()
    #expect(path.carry(.milliseconds(50), for: .milliseconds(500)).allSatisfy { $0 == .zero })
    let standing = path.carry(.milliseconds(80), for: .milliseconds(500))
    #expect(standing.last == .milliseconds(30))
    #expect(path.carry(.milliseconds(50), for: .milliseconds(200)).last == .zero)
  }

  @Test func `what does not drain in two and a half seconds is the length of the way`() {
    var path = Path()
    _ = path.carry(.milliseconds(50), for: .milliseconds(500))
    #expect(path.carry(.milliseconds(80), for: .milliseconds(2_400)).last == .milliseconds(30))
    #expect(path.carry(.milliseconds(80), for: .milliseconds(400)).last == .zero)
  }

  @Test func `a queue that was full before the first packet is seen once it is revealed`() {
    var path = Path()
    #expect(path.carry(.milliseconds(250), for: .milliseconds(500)).last == .zero)
    path.delay.reveal(.milliseconds(180), at: path.now)
    let standing = path.carry(.milliseconds(250), for: .milliseconds(500))
    #expect(standing.allSatisfy { $0 == .milliseconds(180) })
    // It drains, further than was said: from here on what stands is measured.
    #expect(path.carry(.milliseconds(50), for: .milliseconds(200)).last == .zero)
    #expect(path.carry(.milliseconds(80), for: .milliseconds(500)).last == .milliseconds(30))
  }

  @Test func `a queue that can be seen is not revealed`() {
    var path = Path()
    _ = path.carry(.milliseconds(50), for: .milliseconds(500))
    _ = path.carry(.milliseconds(150), for: .milliseconds(500))
    path.delay.reveal(.milliseconds(180), at: path.now)
    #expect(path.carry(.milliseconds(150), for: .milliseconds(200)).last == .milliseconds(100))
  }

  @Test func `what was revealed and does not drain in two and a half seconds is believed no more`()
  {
    var path = Path()
    _ = path.carry(.milliseconds(250), for: .milliseconds(500))
    path.delay.reveal(.milliseconds(180), at: path.now)
    #expect(path.carry(.milliseconds(250), for: .milliseconds(2_400)).last == .milliseconds(180))
    #expect(path.carry(.milliseconds(250), for: .milliseconds(400)).last == .zero)
    path.delay.reveal(.milliseconds(180), at: path.now)
    #expect(path.carry(.milliseconds(250), for: .milliseconds(500)).last == .zero)
  }
}
