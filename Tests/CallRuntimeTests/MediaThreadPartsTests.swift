import Media
import Testing
import Units

@testable import CallRuntime

@Suite struct FramePaceTests {
  private func frames(_ count: Int, every interval: Interval) -> [VideoFrame] {
    let picture = Picture(size: PictureSize(width: 16, height: 16)) { _ in }
    return (0..<count).map {
      VideoFrame(picture: picture, capturedAt: .zero + interval * Double($0 + 1))
    }
  }

  @Test(arguments: [(60, 30.0), (30, 30.0), (30, 15.0), (50, 30.0)])
  func `as many frames pass as the wanted rate allows`(sourceRate: Int, wanted: Double) {
    var pace = FramePace()
    var passed = 0
    for frame in frames(sourceRate * 4, every: .seconds(1 / Double(sourceRate)))
    where pace.admits(frame, framesPerSecond: wanted) {
      passed += 1
    }
    #expect(Double(passed) <= wanted * 4 + 1)
    #expect(Double(passed) >= wanted * 4 * 0.8)
  }

  @Test func `a source that jitters loses no frame at its own rate`() {
    var pace = FramePace()
    var random = SeededRandom(seed: 4)
    let picture = Picture(size: PictureSize(width: 16, height: 16)) { _ in }
    var passed = 0
    for number in 1...300 {
      let jitter = Interval.milliseconds(Int64.random(in: -4...4, using: &random))
      let frame = VideoFrame(
        picture: picture, capturedAt: .zero + .seconds(Double(number) / 30) + jitter)
      if pace.admits(frame, framesPerSecond: 30) { passed += 1 }
    }
    #expect(passed >= 297)
  }
}

@Suite struct ShowQueueTests {
  @Test func `pictures are shown in order and not before their time`() {
    var queue = ShowQueue()
    let picture = Picture(size: PictureSize(width: 16, height: 16)) { _ in }
    queue.append(picture, showAt: Instant(nanoseconds: 50))
    queue.append(picture, showAt: Instant(nanoseconds: 20))
    let early = queue.next(at: Instant(nanoseconds: 49))
    #expect(early == nil)
    #expect(queue.nextTime == Instant(nanoseconds: 50))
    // The second was due earlier, but never overtakes.
    let shown = (0..<3).map { _ in queue.next(at: Instant(nanoseconds: 50))?.showAt.nanoseconds }
    #expect(shown == [50, 50, nil])
  }

  @Test func `huge pictures that wait do not use up the memory, the newest stay`() {
    var queue = ShowQueue()
    let huge = PictureSize(width: 4_096, height: 4_096)
    for number in 1...6 as ClosedRange<Int64> {
      // Not filled: what is never touched costs nothing here.
      queue.append(Picture(size: huge) { _ in }, showAt: Instant(nanoseconds: number))
    }
    var shown: [Int64] = []
    while let entry = queue.next(at: Instant(nanoseconds: 9)) {
      shown.append(entry.showAt.nanoseconds)
    }
    #expect(shown.count * huge.pixels * 3 / 2 <= ShowQueue.byteLimit || shown.count == 1)
    #expect(shown.last == 6)
  }
}

@Suite struct MixTests {
  @Test func `voices add up and loud ones are limited, not wrapped`() throws {
    var mix = Mix()
    mix.add([Int16](repeating: 30_000, count: AudioFormat.blockSamples)[...])
    mix.add([Int16](repeating: 10_000, count: AudioFormat.blockSamples)[...])
    try mix.withSamples { samples throws(MediaError) in
      #expect(samples.count == AudioFormat.blockSamples)
      #expect(samples.allSatisfy { $0 == .max })
    }
    mix.clear()
    mix.add([Int16](repeating: -5, count: AudioFormat.blockSamples)[...])
    try mix.withSamples { samples throws(MediaError) in
      #expect(samples.allSatisfy { $0 == -5 })
    }
  }
}

private final class BrokenView: VideoSink {
  func show(_ frame: VideoFrame, of peer: String) throws(MediaError) {
    throw MediaError(.ended, "nobody reads", remedy: "start a reader")
  }
  func remove(peer: String) {}
}

@Suite struct SharedSinkTests {
  @Test func `a view that fails is told of once`() {
    let sink = SharedSink(BrokenView())
    let frame = VideoFrame(
      picture: Picture(size: PictureSize(width: 16, height: 16)) { _ in }, capturedAt: .zero)
    let told = (0..<5).map { sink.show(frame, of: $0 % 2 == 0 ? "one" : "two")?.message }
    #expect(told == ["nobody reads", nil, nil, nil, nil])
  }
}
