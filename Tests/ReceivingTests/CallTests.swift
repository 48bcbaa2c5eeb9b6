import Receiving
import Sending
import Testing
import Units

@Suite struct CallTests {
  @Test func `on a clean path every frame is given out, at once and in order`() {
    var call = VirtualCall(seed: 1)
    call.run(for: .seconds(10))
    #expect(call.problems == [])
    #expect(call.skipped == 0)
    #expect(call.shown.count >= call.encoded - 1)
    #expect(call.keyFrames == 1)
    let delays = call.shown.map { $0.decodedAt - $0.capturedAt }
    #expect(delays.percentile(0.5) <= .milliseconds(26), "25 ms of them are the path's")
    #expect(delays.percentile(0.99) <= .milliseconds(40))
  }

  /// p99 beside 7 ms of encoding and decoding; pictures and repair in kbit/s.
  @Test(
    arguments: [(0.05, 58.0, 1_600.0, 620.0), (0.1, 80, 1_350, 900), (0.2, 95, 1_000, 1_220)])
  func `at random loss parity brings nearly every frame without a round trip`(
    loss: Double, p99: Double, pictures: Double, repair: Double
  ) {
    var delays: [Interval] = []
    var encoded = 0.0
    for seed in [UInt64(2), 3, 4, 5] {
      var call = VirtualCall(seed: seed) { $0.loss = loss }
      call.run(for: .seconds(2))
      _ = call.sender.takeStatistics(at: call.now)
      call.run(for: .seconds(10))
      #expect(call.problems == [])
      // Of 5 % loss BENCHMARKS asks for 99.5 %, of 20 % for 98; the last may still be on their way.
      let asked = loss > 0.05 ? 0.99 : 0.995
      #expect(Double(call.shown.count + 1) >= Double(call.encoded) * asked)
      #expect(call.keyFrames == 1)
      delays += call.shown.dropFirst(30).map { $0.decodedAt - $0.capturedAt }
      encoded += Double(call.encodedBytes.bytes) * 8 / 12_000
      let statistics = call.receiver.takeStatistics(at: call.now + call.clockOffset)
      #expect(abs(statistics.lossPercent - loss * 100) < 2)
      #expect(statistics.freezes == 0)
      #expect(call.sender.target >= .kilobits(2_300), "random loss is not congestion")
      let sent = call.sender.takeStatistics(at: call.now).repair.kilobitsPerSecond
      #expect(sent > repair / 3)
      #expect(sent < repair)
    }
    #expect(delays.percentile(0.95) <= .milliseconds(36), "25 ms of them are the path's")
    #expect(delays.percentile(0.99).milliseconds <= p99)
    #expect(encoded / 4 >= pictures)
  }

  @Test func `where a repeated packet is in time, or nothing is lost, no parity is sent`() {
    for (loss, delay) in [(0.1, Interval.milliseconds(9)), (0, .milliseconds(50))] {
      var call = VirtualCall(seed: 12) {
        $0.loss = loss
        $0.delay = delay
      }
      call.run(for: .seconds(3))
      _ = call.sender.takeStatistics(at: call.now)
      call.run(for: .seconds(5))
      #expect(call.problems == [])
      let repair = call.sender.takeStatistics(at: call.now).repair.kilobitsPerSecond
      #expect(repair <= 2_500 * loss * 1.4, "what was lost, and nothing else")
    }
  }

  @Test func `losses of a queue that overflows get no parity`() {
    var call = VirtualCall(seed: 13) { $0.rate = .kilobits(2_500) }
    call.run(for: .seconds(4))
    call.forward.rate = .kilobits(500)
    call.run(for: .seconds(2))
    _ = call.sender.takeStatistics(at: call.now)
    call.run(for: .seconds(4))
    #expect(call.sender.takeStatistics(at: call.now).repair < .kilobits(10))
  }

  @Test func `after a burst that repair cannot mend a key frame is asked for`() {
    var call = VirtualCall(seed: 4)
    call.run(for: .seconds(3))
    // Longer than packets are kept to be sent again, shorter than an outage, on one direction.
    call.forward.loss = 1
    call.run(for: .milliseconds(400))
    call.forward.loss = 0
    call.run(for: .seconds(3))
    #expect(call.problems == [])
    #expect(call.shown.last.map { $0.number >= call.encoded - 2 } == true)
    let last = call.shown.suffix(60).map { $0.decodedAt - $0.capturedAt }
    #expect(last.percentile(1) <= .milliseconds(60))
  }

  @Test func `after an outage the first fresh picture comes within a few round trips`() {
    var call = VirtualCall(seed: 5)
    call.run(for: .seconds(5))
    let end = call.now + .seconds(4)
    call.forward.blockedUntil = end
    call.backward.blockedUntil = end
    call.run(for: .seconds(4))
    let shownBefore = call.shown.count
    #expect(call.skipped > 60, "a dead path is not fed")
    call.run(for: .seconds(2))
    #expect(call.problems == [])
    let fresh = call.shown.dropFirst(shownBefore).first { $0.capturedAt >= end }
    #expect(fresh.map { $0.decodedAt - end <= .milliseconds(300) } == true)
    #expect(call.keyFrames <= 3)
    #expect(call.sender.target >= .kilobits(2_000), "an outage is not congestion")
  }

  @Test func `reordered and doubled packets change nothing`() {
    var call = VirtualCall(seed: 6) {
      $0.reordering = 0.05
      $0.duplication = 0.05
    }
    call.run(for: .seconds(10))
    #expect(call.problems == [])
    #expect(call.shown.count >= call.encoded - 2)
    #expect(Set(call.audioArrivals).count == call.audioArrivals.count)
    #expect(call.keyFrames == 1)
    let statistics = call.sender.takeStatistics(at: call.now)
    #expect(statistics.repair < .kilobits(100), "waiting a little spares repair")
  }

  @Test func `a first picture that comes by a slower way than the next ones is shown`() {
    // As when a call begins over TCP and goes on over UDP, and nothing can be asked for.
    var call = VirtualCall(seed: 10) {
      $0.reordering = 1
      $0.reorderDelay = .milliseconds(300)
    }
    call.backward.loss = 1
    call.run(for: .milliseconds(60))
    call.forward.reordering = 0
    call.run(for: .milliseconds(440))
    #expect(call.problems == [])
    #expect(call.shown.first.map { $0.isKeyFrame && $0.number == 0 } == true)
    #expect(call.shown.count >= 10)
  }

  @Test func `a first picture that is lost whole is repaired within two round trips`() {
    var call = VirtualCall(seed: 11) { $0.loss = 1 }
    call.run(for: .milliseconds(30))
    call.forward.loss = 0
    call.backward.loss = 0
    call.run(for: .milliseconds(200))
    #expect(call.problems == [])
    #expect(call.shown.first.map { $0.number == 0 } == true)
    #expect(call.keyFrames == 1)
  }

  @Test func `every counter may wrap in mid-call`() {
    var configuration = SendingConfiguration()
    configuration.firstSequence = 65_300
    configuration.firstTimestamp = .max - 100_000
    var call = VirtualCall(seed: 7, configuration: configuration) { $0.loss = 0.03 }
    call.run(for: .seconds(8))
    #expect(call.problems == [])
    #expect(call.shown.count >= call.encoded - 4)
    #expect(call.keyFrames == 1)
    let ordered = zip(call.audioArrivals, call.audioArrivals.dropFirst()).allSatisfy { $0 < $1 }
    #expect(ordered)
    #expect(call.skews.suffix(60).percentile(0.5).magnitude <= .milliseconds(20))
  }

  @Test func `a refused frame is answered with a key frame, and nothing broken comes before it`() {
    var call = VirtualCall(seed: 8)
    call.refusedFrames = [60]
    call.run(for: .seconds(4))
    let after = call.shown.first { $0.number > 60 }
    #expect(after?.isKeyFrame == true)
    #expect(after.map { $0.number < 66 } == true)
    #expect(call.problems == [])
  }

  @Test func `the same seed gives the same call and another seed another`() {
    func trace(_ seed: UInt64) -> [VirtualCall.ShownFrame] {
      var call = VirtualCall(seed: seed) {
        $0.loss = 0.05
        $0.rate = .kilobits(900)
      }
      call.run(for: .seconds(3))
      return call.shown
    }
    #expect(trace(9) == trace(9))
    #expect(trace(9) != trace(10))
  }
}
