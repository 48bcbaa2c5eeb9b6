import Glibc
import Media
import Testing
import Units

@testable import VideoCodec

/// A picture that stands still costs next to nothing, and what follows it comes at once.
@Suite struct StillSceneTests {
  private let large = PictureSize(width: 1_280, height: 720)

  private func settings(_ kilobits: Int64) -> VideoEncoderSettings {
    VideoEncoderSettings(size: large, framesPerSecond: 30, bitrate: .kilobits(kilobits))
  }

  private func at(_ number: Int) -> Instant {
    Instant(nanoseconds: Int64(number) * 33_333_333)
  }

  /// Another object each time, as a pipe gives them.
  private func copy(_ picture: Picture) -> Picture {
    Picture(size: picture.size) { $0.copyMemory(from: picture.bytes) }
  }

  /// As from a camera: each value off by up to `amount`.
  private func noisy(_ picture: Picture, _ amount: Int, _ random: inout SeededRandom) -> Picture {
    var state = random.next() | 1
    return Picture(size: picture.size) {
      $0.copyMemory(from: picture.bytes)
      for index in 0..<picture.size.pixels {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        let value = Int($0[index]) + Int(state >> 33) % (2 * amount + 1) - amount
        $0[index] = UInt8(min(max(value, 16), 235))
      }
    }
  }

  private func encoder() throws -> VP8Encoder {
    let encoder = VP8Encoder(processors: 2)
    try encoder.hold(cpuUsed: -10)
    return encoder
  }

  @Test(arguments: [2_500, 600])
  func `after a few seconds a still picture costs 30 kbit per second, and ten encodings`(
    kilobits: Int64
  ) throws {
    let encoder = try encoder()
    let decoder = try VP8Decoder()
    let picture = PatternPicture(size: large).picture(number: 1, at: at(0))
    var bytes = 0
    var times: [Int] = []
    for number in 0..<360 {
      let frame = VideoFrame(picture: copy(picture), capturedAt: at(number))
      let encoded = try encoder.encode(frame, settings: settings(kilobits), forceKeyFrame: false)
      guard let encoded else { continue }
      let decoded = try #require(try decoder.decode(encoded.bytes))
      if number >= 210 {
        bytes += encoded.bytes.count
        times.append(number)
        // What it has become stays.
        #expect(psnr(picture, decoded) > 44)
      }
    }
    #expect(bytes * 8 / 5 <= 30_000, "\(bytes * 8 / 5)")
    #expect((49...51).contains(times.count), "\(times)")
    // Less than what counts as a freeze, by far.
    #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 <= 3 }, "\(times)")
  }

  @Test func `the first picture that differs is encoded at once, whatever moves in it`() throws {
    let encoder = try encoder()
    let decoder = try VP8Decoder()
    let picture = PatternPicture(size: large).picture(number: 1, at: at(0))
    for number in 0..<200 {
      _ = try encoder.encode(
        VideoFrame(picture: picture, capturedAt: at(number)), settings: settings(2_500),
        forceKeyFrame: false
      ).map { try decoder.decode($0.bytes) }
    }
    // A pointer of 12x18 pixels, somewhere else in each picture.
    for number in 200..<210 {
      let moved = Picture(size: large) {
        $0.copyMemory(from: picture.bytes)
        for row in 300..<318 {
          for column in 0..<12 { $0[row * 1_280 + 40 * (number - 190) + column] = 16 }
        }
      }
      let encoded = try #require(
        try encoder.encode(
          VideoFrame(picture: moved, capturedAt: at(number)), settings: settings(2_500),
          forceKeyFrame: false))
      let decoded = try #require(try decoder.decode(encoded.bytes))
      // It is no other scene: nothing else becomes coarser for it.
      #expect(psnr(moved, decoded) > 40)
      #expect(decoded.luma[308 * 1_280 + 40 * (number - 190) + 6] < 60)
    }
  }

  @Test(arguments: [2_500, 600])
  func `another scene after a still one is no burst`(kilobits: Int64) throws {
    let encoder = try encoder()
    let pattern = PatternPicture(size: large)
    let picture = pattern.picture(number: 1, at: at(0))
    var sizes: [Int] = []
    for number in 0..<330 {
      let shown = number < 300 ? picture : pattern.picture(number: UInt32(number), at: at(number))
      let encoded = try encoder.encode(
        VideoFrame(picture: shown, capturedAt: at(number)), settings: settings(kilobits),
        forceKeyFrame: false)
      if number >= 300 { sizes.append(try #require(encoded).bytes.count) }
    }
    let share = Int(kilobits) * 1_000 / 8 / 30
    #expect(sizes[0] <= 4 * share, "\(sizes), a share is \(share)")
    #expect(sizes[1..<10].allSatisfy { $0 <= 3 * share }, "\(sizes), a share is \(share)")
  }

  @Test func `a key frame that is asked for comes at once, and quality after it`() throws {
    let encoder = try encoder()
    let decoder = try VP8Decoder()
    let picture = PatternPicture(size: large).picture(number: 1, at: at(0))
    var encodings = 0
    for number in 0..<300 {
      let encoded = try encoder.encode(
        VideoFrame(picture: picture, capturedAt: at(number)), settings: settings(2_500),
        forceKeyFrame: number == 200)
      if number == 200 { #expect(encoded?.isKeyFrame == true) }
      guard let encoded else { continue }
      if (200..<220).contains(number) { encodings += 1 }
      let decoded = try #require(try decoder.decode(encoded.bytes))
      if number > 280 { #expect(psnr(picture, decoded) > 44) }
    }
    #expect(encodings == 20)
  }

  @Test func `a scene with a camera's noise is encoded in full`() throws {
    let encoder = try encoder()
    let picture = PatternPicture(size: large).picture(number: 1, at: at(0))
    var random = SeededRandom(seed: 1)
    var encodings = 0
    for number in 0..<90 {
      let frame = VideoFrame(picture: noisy(picture, 1, &random), capturedAt: at(number))
      let encoded = try encoder.encode(frame, settings: settings(2_500), forceKeyFrame: false)
      if encoded != nil { encodings += 1 }
    }
    #expect(encodings == 90)
  }

  // MARK: The rule alone

  private func small(_ value: UInt8) -> Picture {
    Picture(size: PictureSize(width: 64, height: 64)) {
      for index in $0.indices { $0[index] = value }
    }
  }

  /// Steps of one picture, thirty times a second, coded with these quantisers in so many bytes.
  private func steps(_ still: inout StillScene, _ quantizers: [UInt32], bytes: Int) -> [StillScene
    .Step]
  {
    let rate = Bitrate.kilobits(240)
    return quantizers.enumerated().map { number, quantizer in
      let step = still.next(small(100), at: at(number), rate: rate, isKeyFrame: false)
      if step == .encode {
        still.encoded(ByteCount(bytes), quantizer: quantizer, at: at(number), rate: rate)
      }
      return step
    }
  }

  @Test func `what still becomes finer, or is coarse and uses its rate, is not at rest`() {
    var still = StillScene()
    let finer = (0..<60).map { UInt32(63 - $0) }
    #expect(steps(&still, finer, bytes: 1_000).allSatisfy { $0 == .encode })
    still = StillScene()
    let coarse = [UInt32](repeating: 50, count: 200)
    #expect(steps(&still, coarse, bytes: 1_000).allSatisfy { $0 == .encode })
    still = StillScene()
    #expect(steps(&still, coarse, bytes: 400).contains(.pass))
    still = StillScene()
    #expect(steps(&still, [UInt32](repeating: 6, count: 200), bytes: 1_000).contains(.pass))
  }

  @Test func `a higher rate gets another try, a lower one does not`() {
    for (kilobits, step) in [(320, .encode), (100, .pass)] as [(Int64, StillScene.Step)] {
      var still = StillScene()
      _ = steps(&still, [UInt32](repeating: 30, count: 100), bytes: 100)
      _ = still.next(small(100), at: at(100), rate: .kilobits(240), isKeyFrame: false)
      let next = still.next(
        small(100), at: at(100) + .milliseconds(20), rate: .kilobits(kilobits), isKeyFrame: false)
      #expect(next == step)
    }
  }
}
