import Media
import Testing
import Units

@testable import Files

struct TestSourcesTests {
  @Test func `the pattern's pictures are numbered and stamped with their time`() throws {
    let size = PictureSize(width: 160, height: 120)
    let source = try PatternSource(size: size, framesPerSecond: 100)
    var last = Instant.now - .milliseconds(1)
    for number in 0..<10 {
      let frame = try #require(try source.nextFrame())
      let picture = frame.picture
      let clock = try #require(PaintedClock.read(picture))
      #expect(clock.number == UInt32(number))
      #expect(clock.microseconds == UInt64(frame.capturedAt.nanoseconds / 1_000))
      #expect(frame.capturedAt > last)
      #expect(frame.capturedAt <= .now)
      last = frame.capturedAt
    }
    source.stop()
    #expect(try source.nextFrame() == nil)
  }

  @Test func `the tone's blocks follow each other and none comes before it sounded`() throws {
    let source = try ToneSource()
    var next: Instant?
    for _ in 0..<10 {
      let block = try #require(try source.nextBlock())
      #expect(block.samples == ToneSignal().samples(from: block.capturedAt, count: 480))
      #expect(block.capturedAt + .milliseconds(10) <= .now)
      if let next { #expect(block.capturedAt >= next) }
      next = block.capturedAt + .milliseconds(10)
    }
    source.stop()
    #expect(try source.nextBlock() == nil)
  }

  @Test func `a pattern of a size that no picture has is refused`() {
    #expect(throws: MediaError.self) {
      _ = try PatternSource(size: PictureSize(width: 641, height: 480), framesPerSecond: 30)
    }
  }
}
