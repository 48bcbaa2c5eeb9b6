import Media
import Testing
import Units

struct PaintedClockTests {
  private static let sizes = [
    PictureSize(width: 160, height: 120), PictureSize(width: 320, height: 180),
    PictureSize(width: 640, height: 480), PictureSize(width: 854, height: 480),
    PictureSize(width: 1_280, height: 720), PictureSize(width: 360, height: 640),
  ]

  @Test(arguments: sizes)
  func `a painted clock is read again`(_ size: PictureSize) {
    var random = SeededRandom(seed: 1)
    for _ in 0..<4 {
      let clock = PaintedClock(
        number: UInt32(truncatingIfNeeded: random.next()), microseconds: random.next())
      #expect(PaintedClock.read(clock.stamp(onto: .black(size))) == clock)
    }
  }

  @Test(arguments: sizes)
  func `it survives scaling by two, down and up`(_ size: PictureSize) {
    let clock = PaintedClock(number: 123_456_789, microseconds: 987_654_321_012)
    let stamped = clock.stamp(onto: .black(size))
    let half = PictureSize(width: size.width / 4 * 2, height: size.height / 4 * 2)
    let small = PictureScaler.scale(stamped, to: half)
    #expect(PaintedClock.read(small) == clock)
    #expect(PaintedClock.read(PictureScaler.scale(small, to: size)) == clock)
  }

  @Test func `pictures without a clock show none`() {
    var random = SeededRandom(seed: 2)
    let size = PictureSize(width: 320, height: 240)
    let white = Picture(size: size) { $0.initializeMemory(as: UInt8.self, repeating: 235) }
    #expect(PaintedClock.read(.black(size)) == nil)
    #expect(PaintedClock.read(white) == nil)
    let found = (0..<50).filter { _ in
      // A random value a cell.
      let cells = (0..<40 * 24).map { _ in random.chance(0.5) ? UInt8(235) : 16 }
      let noise = Picture(size: size) { target in
        for index in 0..<size.pixels {
          target[index] = cells[index / 320 / 10 * 40 + index % 320 / 8]
        }
      }
      return PaintedClock.read(noise) != nil
    }
    #expect(found.isEmpty)
  }

  @Test func `a cell that flips is noticed`() {
    let size = PictureSize(width: 640, height: 480)
    let stamped = PaintedClock(number: 7, microseconds: 40_000_000).stamp(onto: .black(size))
    let damaged = Picture(size: size) { target in
      target.copyMemory(from: stamped.bytes)
      for row in 20..<40 {
        for column in 16..<32 { target[row * 640 + column] ^= 0xFF }
      }
    }
    #expect(PaintedClock.read(damaged) == nil)
  }

  @Test func `the clock is an instant to the microsecond`() {
    let instant = Instant(nanoseconds: 12_345_678_901_234)
    #expect(PaintedClock(number: 0, at: instant).instant.nanoseconds == 12_345_678_901_000)
  }
}
