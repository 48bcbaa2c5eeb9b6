import Receiving
import Sending
import Testing
import Units

@Suite struct CongestionTests {
  private struct Measure {
    /// Carried by the bottleneck of what it could carry.
    var utilisation: Double
    var queue: Interval
    var frameDelay: Interval
  }

  /// Over `duration`, after `settling`.
  private func measure(
    _ call: inout VirtualCall, after settling: Interval = .seconds(4),
    for duration: Interval = .seconds(8)
  ) -> Measure {
    call.run(for: settling)
    call.forward.resetMeasures()
    let before = call.shown.count
    call.run(for: duration)
    let rate = call.forward.rate ?? .kilobits(1)
    return Measure(
      utilisation: Bitrate(of: call.forward.carried, in: duration).kilobitsPerSecond
        / rate.kilobitsPerSecond,
      queue: call.forward.queueDelays.percentile(0.95),
      frameDelay: call.shown.dropFirst(before).map { $0.decodedAt - $0.capturedAt }
        .percentile(0.95))
  }

  @Test(arguments: [300, 1_000], [5, 50])
  func `a steady bottleneck is used well and its queue stays short`(rate: Int64, delay: Int64) {
    var call = VirtualCall(seed: 11) {
      $0.rate = .kilobits(rate)
      $0.delay = .milliseconds(delay)
    }
    let measure = measure(&call)
    #expect(call.problems == [])
    #expect(measure.utilisation >= 0.9)
    #expect(measure.queue <= .milliseconds(rate < 1_000 ? 40 : 20))
    #expect(measure.frameDelay <= .milliseconds(delay + 60))
    #expect(call.shown.suffix(300).count { $0.isKeyFrame } == 0)
  }

  @Test func `a start above what the path carries is corrected within two seconds`() {
    var call = VirtualCall(seed: 12) { $0.rate = .kilobits(400) }
    let measure = measure(&call, after: .seconds(2), for: .seconds(8))
    #expect(measure.utilisation >= 0.85)
    #expect(measure.queue <= .milliseconds(60))
    #expect(call.problems == [])
  }

  @Test func `without a bottleneck the limit is reached within a second`() {
    var call = VirtualCall(seed: 13) { $0.delay = .zero }
    call.run(for: .seconds(1))
    #expect(call.sender.target == .kilobits(2_500))
    #expect(call.problems == [])
  }

  @Test func `jitter is not taken for congestion`() {
    var call = VirtualCall(seed: 14) { $0.jitter = .milliseconds(30) }
    call.run(for: .seconds(15))
    #expect(call.sender.target >= .kilobits(1_800))
    #expect(call.problems == [])
    #expect(call.keyFrames == 1)
  }

  @Test func `loss at a bottleneck neither starves the call nor fills the queue`() {
    var call = VirtualCall(seed: 15) {
      $0.rate = .kilobits(1_000)
      $0.loss = 0.05
    }
    let measure = measure(&call)
    #expect(measure.utilisation >= 0.8)
    #expect(measure.queue <= .milliseconds(80))
    #expect(call.problems == [])
  }

  @Test func `a path that collapses to a fifth drains within 700 ms, and is found again at once`() {
    var call = VirtualCall(seed: 16) { $0.rate = .kilobits(2_500) }
    call.run(for: .seconds(6))
    call.forward.rate = .kilobits(500)
    call.run(for: .milliseconds(700))
    call.forward.resetMeasures()
    let low = measure(&call, after: .milliseconds(300), for: .seconds(6))
    #expect(low.utilisation >= 0.8)
    #expect(low.queue <= .milliseconds(100))
    call.forward.rate = .kilobits(2_500)
    call.run(for: .milliseconds(1_500))
    #expect(call.sender.target >= .kilobits(2_100))
    #expect(call.problems == [])
  }

  @Test func `over a stream the sender keeps the socket's queue short`() {
    var call = VirtualCall(seed: 17) {
      $0.rate = .kilobits(1_000)
      $0.queueLimit = .seconds(100)
    }
    call.isStream = true
    let measure = measure(&call)
    #expect(call.problems == [])
    #expect(measure.utilisation >= 0.85)
    #expect(measure.queue <= .milliseconds(50))
    #expect(call.keyFrames <= 2)
  }

  @Test func `content worth little does not make the target forget what the path carries`() {
    var call = VirtualCall(seed: 18) { $0.rate = .kilobits(2_000) }
    call.run(for: .seconds(4))
    call.contentLimit = .kilobits(150)
    call.run(for: .seconds(20))
    #expect(call.sender.target >= .kilobits(1_500))
    call.contentLimit = .kilobits(20_000)
    call.forward.resetMeasures()
    call.run(for: .seconds(5))
    #expect(call.forward.queueDelays.percentile(0.95) <= .milliseconds(40))
    #expect(call.problems == [])
  }

  @Test func `an encoder that cannot skip frames costs no freeze on a narrow path`() {
    var call = VirtualCall(seed: 19) { $0.rate = .kilobits(800) }
    call.skipsFrames = false
    let measure = measure(&call)
    #expect(measure.utilisation >= 0.85)
    #expect(measure.frameDelay <= .milliseconds(120))
    #expect(call.problems == [])
  }
}
