import Media
import Testing
import Units

struct PatternPictureTests {
  private let size = PictureSize(width: 320, height: 240)

  @Test func `the same frame is always the same picture`() {
    let at = Instant(nanoseconds: 5_250_000_000)
    let one = PatternPicture(size: size).picture(number: 77, at: at)
    let other = PatternPicture(size: size).picture(number: 77, at: at)
    #expect(one.bytes.elementsEqual(other.bytes))
    #expect(PaintedClock.read(one) == PaintedClock(number: 77, at: at))
  }

  @Test(arguments: [
    PictureSize(width: 16, height: 16), PictureSize(width: 4_096, height: 16),
    PictureSize(width: 16, height: 1_024), PictureSize(width: 1_280, height: 720),
  ])
  func `every valid size can be drawn`(_ size: PictureSize) {
    let pattern = PatternPicture(size: size)
    for number in [0, 1, 97, UInt32.max] {
      #expect(pattern.picture(number: number, at: .zero).size == size)
    }
  }

  @Test func `it moves from frame to frame, and stays within video levels`() {
    let pattern = PatternPicture(size: size)
    let pictures = (0..<4).map { pattern.picture(number: $0 * 9, at: .zero) }
    for (one, next) in zip(pictures, pictures.dropFirst()) {
      let changed = zip(one.luma, next.luma).count { $0 != $1 }
      #expect(changed > size.pixels / 4)
    }
    #expect(pictures[0].luma.allSatisfy { (16...235).contains($0) })
  }

  @Test func `it flashes at the start of every second of the clock`() {
    let pattern = PatternPicture(size: size)
    let corner = { (milliseconds: Int64) -> UInt8 in
      let picture = pattern.picture(number: 3, at: .zero + .milliseconds(milliseconds))
      return picture.luma[size.width - 1]
    }
    #expect(corner(4_000) == 235)
    #expect(corner(4_099) == 235)
    #expect(corner(4_100) < 235)
    #expect(corner(4_999) < 235)
  }
}
