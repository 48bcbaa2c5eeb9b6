import Testing
import Units

@testable import VideoCodec

struct FrameClockTests {
  private let interval = Interval.milliseconds(33)

  /// Durations of frames captured at these milliseconds.
  private func durations(_ times: [Int64]) -> [Int64] {
    var clock = FrameClock()
    return times.map {
      clock.next(capturedAt: .zero + .milliseconds($0), interval: interval).duration.microseconds
        / 1_000
    }
  }

  @Test func `gaps between frames last no longer than any frame`() {
    var times: [Int64] = [0]
    for number in 1..<100 {
      let gap: Int64 = number == 50 ? 5_000 : number % 5 == 0 ? 99 : 33
      times.append(times[number - 1] + gap)
    }
    #expect(durations(times).allSatisfy { $0 == 33 })
  }

  @Test func `a source at half the stated rate is known after sixteen gaps, and a fast one again`()
  {
    let slow = (0..<30).map { Int64($0 * 66) }
    let quick = (1...20).map { slow[29] + Int64($0 * 33) }
    let seen = durations(slow + quick)
    #expect(seen[..<16].allSatisfy { $0 == 33 })
    #expect(seen[16..<30].allSatisfy { $0 == 66 })
    #expect(seen[30...].allSatisfy { $0 == 33 })
  }

  @Test func `time goes on by each frame's duration, whatever the source's clock says`() {
    var clock = FrameClock()
    let times: [Int64] = [0, 33, 20, 20, 10_000, 9_000]
    let stamps = times.map {
      clock.next(capturedAt: .zero + .milliseconds($0), interval: interval).timestamp
    }
    #expect(stamps == (0..<6).map { interval * Double($0) })
  }

  @Test func `pictures that are passed over make no slow source`() {
    var clock = FrameClock()
    var durations: [Interval] = []
    for number in 0..<120 {
      let capturedAt = Instant.zero + .milliseconds(Int64(33 * number))
      if number % 3 == 0 {
        durations.append(clock.next(capturedAt: capturedAt, interval: interval).duration)
      } else {
        clock.pass(capturedAt: capturedAt)
      }
    }
    #expect(durations == Array(repeating: interval, count: 40))
  }
}
