import Testing

@testable import Media

struct PictureScalerTests {
  private func picture(_ size: PictureSize, _ luma: (Int, Int) -> UInt8) -> Picture {
    Picture(size: size) { target in
      for index in target.indices {
        target[index] =
          index < size.pixels ? luma(index % size.width, index / size.width) : 100
      }
    }
  }

  @Test(arguments: [(16, 16), (64, 48), (32, 24), (90, 70), (1_280, 720), (34, 200)])
  func `a flat picture stays flat at every size`(_ width: Int, _ height: Int) {
    let flat = picture(PictureSize(width: 64, height: 48)) { _, _ in 235 }
    let scaled = PictureScaler.scale(flat, to: PictureSize(width: width, height: height))
    #expect(scaled.luma.allSatisfy { $0 == 235 })
    #expect(scaled.chromaU.allSatisfy { $0 == 100 })
    #expect(scaled.chromaV.allSatisfy { $0 == 100 })
    #expect(scaled.bytes.count == width * height * 3 / 2)
  }

  @Test func `half the size is the mean of two by two samples`() {
    let size = PictureSize(width: 64, height: 32)
    let source = picture(size) { x, y in UInt8((x * 7 + y * 13) % 200 + 16) }
    let half = PictureScaler.scale(source, to: PictureSize(width: 32, height: 16))
    for y in 0..<16 {
      for x in 0..<32 {
        let sum = [(0, 0), (1, 0), (0, 1), (1, 1)].reduce(0) {
          $0 + Int(source.luma[(2 * y + $1.1) * 64 + 2 * x + $1.0])
        }
        #expect(Int(half.luma[y * 32 + x]) == (sum + 2) / 4)
      }
    }
  }

  @Test func `enlarging a ramp keeps it a ramp and its ends`() {
    let source = picture(PictureSize(width: 32, height: 16)) { x, _ in UInt8(x * 4) }
    let large = PictureScaler.scale(source, to: PictureSize(width: 64, height: 32))
    let row = Array(large.luma[..<64])
    #expect(row.first == 0)
    #expect(row.last == 124)
    #expect(zip(row, row.dropFirst()).allSatisfy { $0 <= $1 && $1 - $0 <= 2 })
  }

  @Test(arguments: [(7, 3), (720, 360), (16, 4_096), (4_096, 16), (640, 426), (1, 9), (9, 9)])
  func `weights of every target sample add up to one`(_ source: Int, _ target: Int) {
    let axis = ScalingAxis(from: source, to: target)
    #expect(axis.firstTap.count == target + 1)
    for index in 0..<target {
      let taps = axis.firstTap[index]..<axis.firstTap[index + 1]
      #expect(taps.reduce(0) { $0 + axis.weights[$1] } == ScalingAxis.one)
      #expect(taps.allSatisfy { (0..<source).contains(axis.positions[$0]) })
    }
  }

  @Test func `a letterbox keeps the aspect and is black beside the picture`() {
    let tall = picture(PictureSize(width: 48, height: 96)) { _, _ in 200 }
    let boxed = PictureScaler.letterbox(tall, into: PictureSize(width: 128, height: 64))
    #expect(boxed.size == PictureSize(width: 128, height: 64))
    let row = Array(boxed.luma[32 * 128..<33 * 128])
    #expect(row[..<48].allSatisfy { $0 == 16 })
    #expect(row[48..<80].allSatisfy { $0 == 200 })
    #expect(row[80...].allSatisfy { $0 == 16 })
    #expect(boxed.chromaU[0] == 128)
    #expect(boxed.chromaU[16 * 64 + 32] == 100)
  }

  @Test func `sizes are shrunk to even ones of the same aspect`() {
    func shrunk(_ width: Int, _ height: Int) -> String {
      PictureSize(width: width, height: height)
        .shrunk(into: PictureSize(width: 1_280, height: 720)).description
    }
    #expect(shrunk(640, 480) == "640x480")
    #expect(shrunk(175, 143) == "176x144")
    #expect(shrunk(1_920, 1_080) == "1280x720")
    #expect(shrunk(1_080, 1_920) == "406x720")
    #expect(shrunk(4_000, 3) == "1280x16")
    #expect(shrunk(1, 1) == "16x16")
  }

  @Test func `a part of a size has even and valid sides`() {
    func part(_ part: Double, _ width: Int, _ height: Int) -> String {
      PictureSize(width: width, height: height).scaled(by: part).description
    }
    #expect(part(1, 1_280, 720) == "1280x720")
    #expect(part(0.5, 1_280, 720) == "640x360")
    #expect(part(0.75, 854, 480) == "640x360")
    #expect(part(0.5, 854, 482) == "426x240")
    #expect(part(0.1, 320, 18) == "32x16")
    #expect(part(0, 320, 180) == "16x16")
  }
}
