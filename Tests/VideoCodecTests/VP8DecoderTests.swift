import Media
import Testing
import Units

@testable import VideoCodec

struct VP8DecoderTests {
  @Test(arguments: VP8Vector.all)
  func `every frame of a vector has its checksum`(_ vector: VP8Vector) throws {
    let decoder = try VP8Decoder()
    let sums = try vector.frames.compactMap { try decoder.decodePlanes($0).map(md5) }
    #expect(sums == vector.sums)
  }

  @Test(arguments: VP8Vector.all)
  func `a vector of any size becomes pictures of even size`(_ vector: VP8Vector) throws {
    let planes = try VP8Decoder()
    let pictures = try VP8Decoder()
    for frame in vector.frames.prefix(3) {
      guard let plane = try planes.decodePlanes(frame) else {
        #expect(try pictures.decode(frame) == nil)
        continue
      }
      let picture = try #require(try pictures.decode(frame))
      #expect(picture.size.isValid)
      #expect(picture.bytes.count >= plane.count)
      #expect(picture.luma[0] == plane[0])
      // Odd or even, the chroma planes are the same.
      #expect(Array(picture.chromaV) == Array(plane.suffix(picture.size.pixels / 4)))
    }
  }

  @Test(.enabled(if: !VP8Vector.all.isEmpty, "the VP8 vectors are absent"))
  func `ten thousand damaged frames never trap`() throws {
    var random = SeededRandom(seed: 20)
    let vectors = VP8Vector.all
    var refused = 0
    var fed = 0
    while fed < 10_000 {
      let vector = vectors[Int.random(in: 0..<vectors.count, using: &random)]
      let decoder = try VP8Decoder()
      for frame in vector.frames.prefix(40) {
        fed += 1
        do {
          _ = try decoder.decode(damaged(frame, &random))
        } catch {
          refused += 1
        }
      }
    }
    #expect(refused > 100)
  }

  /// Bits flipped, bytes overwritten, the end cut off, or noise: in half of all frames.
  private func damaged(_ frame: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    var bytes = frame
    switch Int.random(in: 0..<8, using: &random) {
    case 0:
      for _ in 0..<Int.random(in: 1...20, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] ^=
          1 << UInt8.random(in: 0..<8, using: &random)
      }
    case 1: bytes = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)))
    case 2:
      let start = Int.random(in: 0..<min(bytes.count, 40), using: &random)
      for index in start..<min(bytes.count, start + 8) {
        bytes[index] = UInt8.random(in: 0...255, using: &random)
      }
    case 3: bytes = random.bytes(Int.random(in: 0...200, using: &random))
    default: break
    }
    return bytes
  }

  @Test(arguments: [(16_383, 16_383), (8, 8), (0, 0), (4_097, 16)])
  func `an absurd size is refused before it is allocated`(_ width: Int, _ height: Int) throws {
    let frame: [UInt8] = [
      0x10, 0x02, 0x00, 0x9D, 0x01, 0x2A, UInt8(width & 255), UInt8(width >> 8),
      UInt8(height & 255), UInt8(height >> 8), 0, 0, 0, 0,
    ]
    let decoder = try VP8Decoder()
    #expect {
      _ = try decoder.decode(frame)
    } throws: {
      ($0 as? MediaError)?.message == "the peer sent a picture of \(width)x\(height)"
    }
  }

  @Test(arguments: [[], [0x10], [0x11, 0, 0, 1, 2, 3], [0x10, 0, 0]] as [[UInt8]])
  func `too little, or a frame that refers to nothing, is refused`(_ frame: [UInt8]) throws {
    let decoder = try VP8Decoder()
    #expect(throws: MediaError.self) { _ = try decoder.decode(frame) }
  }
}
