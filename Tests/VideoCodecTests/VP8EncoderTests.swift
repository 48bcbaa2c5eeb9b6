import Fixtures
import Glibc
import Media
import Testing
import Units

@testable import VideoCodec

struct VP8EncoderTests {
  private let size = PictureSize(width: 320, height: 240)

  private static let pattern = PatternPicture(size: PictureSize(width: 320, height: 240))

  private func frame(_ number: Int) -> VideoFrame {
    let at = Instant(nanoseconds: Int64(number) * 33_333_333)
    let picture = Self.pattern.picture(number: UInt32(number), at: at)
    return VideoFrame(picture: picture, capturedAt: at)
  }

  private func settings(_ kilobits: Int64, size: PictureSize? = nil) -> VideoEncoderSettings {
    VideoEncoderSettings(
      size: size ?? self.size, framesPerSecond: 30, bitrate: .kilobits(kilobits))
  }

  @Test func `what is encoded decodes to nearly the same picture`() throws {
    let encoder = VP8Encoder(processors: 2)
    let decoder = try VP8Decoder()
    for number in 0..<30 {
      let original = frame(number)
      let encoded = try #require(
        try encoder.encode(original, settings: settings(3_000), forceKeyFrame: false))
      #expect(encoded.isKeyFrame == (number == 0))
      #expect(encoded.size == size)
      #expect(encoded.capturedAt == original.capturedAt)
      let decoded = try #require(try decoder.decode(encoded.bytes))
      if number > 10 { #expect(psnr(original.picture, decoded) > 30) }
    }
  }

  @Test func `a key frame comes exactly where it is asked for`() throws {
    let encoder = VP8Encoder(processors: 2)
    let keys = try (0..<40).filter {
      try encoder.encode(
        frame($0), settings: settings(2_000), forceKeyFrame: $0 == 7 || $0 == 29)?.isKeyFrame
        ?? false
    }
    #expect(keys == [0, 7, 29])
  }

  @Test func `neither a key frame nor the frames after it are a burst`() throws {
    let encoder = VP8Encoder(processors: 2)
    let sizes = try (0..<120).map {
      try encoder.encode(frame($0), settings: settings(600), forceKeyFrame: $0 == 90)?.bytes.count
        ?? 0
    }
    let share = 600_000 / 8 / 30
    #expect(sizes[90] <= 6 * share, "\(sizes)")
    #expect(sizes[91..<100].allSatisfy { $0 <= 2 * share }, "\(sizes[90..<100])")
  }

  @Test func `a new size starts with a key frame of that size, scaled from the picture`() throws {
    let encoder = VP8Encoder(processors: 2)
    let decoder = try VP8Decoder()
    let half = PictureSize(width: 160, height: 120)
    _ = try encoder.encode(frame(0), settings: settings(900), forceKeyFrame: false)
    let small = try #require(
      try encoder.encode(
        frame(1), settings: settings(900, size: half), forceKeyFrame: false))
    #expect(small.isKeyFrame)
    let decoded = try #require(try decoder.decode(small.bytes))
    #expect(decoded.size == half)
    #expect(psnr(PictureScaler.scale(frame(1).picture, to: half), decoded) > 26)
  }

  @Test func `it keeps near the rate, through changes that need no key frame`() throws {
    let encoder = VP8Encoder(processors: 2)
    var bytes = [0, 0, 0]
    for number in 0..<270 {
      let part = number / 90
      let encoded = try encoder.encode(
        frame(number), settings: settings([600, 200, 600][part]), forceKeyFrame: false)
      #expect(encoded?.isKeyFrame != true || number == 0)
      // The first second after a change is left out.
      if number % 90 >= 30 { bytes[part] += encoded?.bytes.count ?? 0 }
    }
    let kilobits = bytes.map { $0 * 8 / 2_000 }
    #expect((400...700).contains(kilobits[0]), "\(kilobits)")
    #expect((120...260).contains(kilobits[1]), "\(kilobits)")
    #expect((400...700).contains(kilobits[2]), "\(kilobits)")
  }

  @Test func `frames that were held leave the ones after them as they are`() throws {
    let encoder = VP8Encoder(processors: 2)
    // From the second second on each fifth picture comes 100 ms later than it should.
    let sizes = try (0..<120).map { number in
      var picture = frame(number)
      picture.capturedAt =
        picture.capturedAt + .milliseconds(100) * Double(max(0, number - 55) / 5)
      return try encoder.encode(picture, settings: settings(600), forceKeyFrame: false)?.bytes
        .count ?? 0
    }
    let share = 600_000 / 8 / 30
    let mean = sizes[60...].reduce(0, +) / 60
    #expect((share * 8 / 10...share * 12 / 10).contains(mean), "\(sizes)")
  }

  @Test func `a hard cut drops nothing, and is no burst`() throws {
    let encoder = VP8Encoder(processors: 2)
    try encoder.hold(cpuUsed: -10)
    let sizes = try (0..<240).map { number in
      var picture = frame(number + number / 60 * 1_000)
      picture.capturedAt = Instant(nanoseconds: Int64(number) * 33_333_333)
      return try encoder.encode(picture, settings: settings(400), forceKeyFrame: false)?.bytes
        .count ?? 0
    }
    let share = 400_000 / 8 / 30
    #expect(!sizes.contains(0), "\(sizes)")
    #expect(sizes[30...].allSatisfy { $0 < 4 * share }, "\(sizes)")
    let mean = sizes[30...].reduce(0, +) / sizes[30...].count
    #expect((share * 95 / 100...share * 105 / 100).contains(mean), "\(mean) of \(share)")
  }

  @Test(arguments: [600, 300, 100])
  func `a fall of the rate makes no frame of many shares`(kilobits: Int64) throws {
    let encoder = VP8Encoder(processors: 2)
    try encoder.hold(cpuUsed: -10)
    let sizes = try (0..<100).map { number in
      try encoder.encode(
        frame(number), settings: settings(number < 90 ? 2_400 : kilobits), forceKeyFrame: false)?
        .bytes.count ?? 0
    }
    let share = Int(kilobits) * 1_000 / 8 / 30
    #expect(sizes[90] <= 3 * share, "\(sizes)")
    #expect(sizes[90..<95].reduce(0, +) <= 10 * share, "\(sizes)")
  }

  @Test func `what drained while frames were held is not paid back after a fall of the rate`()
    throws
  {
    let large = PictureSize(width: 1280, height: 720)
    let pattern = PatternPicture(size: large)
    let encoder = VP8Encoder(processors: 2)
    try encoder.hold(cpuUsed: -10)
    // At 40 kbit/s no frame is small enough for a third of a second; then none is encoded for as long.
    let rates = [(90, 2_400), (10, 40), (40, 600)].flatMap {
      Array(repeating: Int64($0.1), count: $0.0)
    }
    let sizes = try rates.enumerated().map { number, rate in
      let at = Instant(nanoseconds: Int64(number) * 33_333_333)
      let picture = pattern.picture(number: UInt32(number), at: at)
      let held = Interval.milliseconds(number < 100 ? 0 : 300)
      return try encoder.encode(
        VideoFrame(picture: picture, capturedAt: at + held), settings: settings(rate, size: large),
        forceKeyFrame: false)?.bytes.count ?? 0
    }
    let share = 600_000 / 8 / 30
    let mean = sizes[110...].reduce(0, +) / sizes[110...].count
    #expect((share * 8 / 10...share * 12 / 10).contains(mean), "\(mean) of \(share): \(sizes)")
  }

  @Test(arguments: [false, true])
  func `the painted clock survives 150 kbit per second, and half the size`(_ half: Bool) throws {
    let encoder = VP8Encoder(processors: 2)
    let decoder = try VP8Decoder()
    let coded = half ? PictureSize(width: 160, height: 120) : size
    var decodedFrames = 0
    for number in 0..<60 {
      let original = frame(number)
      guard
        let encoded = try encoder.encode(
          original, settings: settings(150, size: coded), forceKeyFrame: number == 40)
      else { continue }
      let decoded = try #require(try decoder.decode(encoded.bytes))
      #expect(
        PaintedClock.read(decoded)
          == PaintedClock(number: UInt32(number), at: original.capturedAt))
      decodedFrames += 1
    }
    #expect(decodedFrames >= 20)
  }

  @Test func `ffmpeg decodes what is encoded to the very same pictures`() throws {
    let encoder = VP8Encoder(processors: 2)
    let decoder = try VP8Decoder()
    var file = ivfHeader(size)
    var sums: [String] = []
    for number in 0..<20 {
      guard
        let encoded = try encoder.encode(
          frame(number), settings: settings(800), forceKeyFrame: number == 11)
      else { continue }
      file += ivfFrame(encoded.bytes, number: number)
      let decoded = try #require(try decoder.decode(encoded.bytes))
      sums.append(md5(Array(decoded.bytes)))
    }
    let judged = try ffmpegSums(of: file)
    #expect(judged == nil || judged == sums)
    #expect(sums.count > 15)
  }

  /// MD5 of each picture that ffmpeg makes of an IVF file; `nil` without ffmpeg.
  private func ffmpegSums(of file: [UInt8]) throws -> [String]? {
    let path = "\(temporaryFolder)/p2pcall-encoded-\(getpid())-\(file.count).ivf"
    defer { unlink(path) }
    try #require(write(file, to: path))
    guard
      let lines = output(of: "ffmpeg -v error -i \(path) -fps_mode passthrough -f framemd5 -")
    else {
      print("notice: ffmpeg is absent")
      return nil
    }
    // "0, dts, pts, duration, size, sum" after comments.
    return lines.split(separator: "\n").filter { !$0.hasPrefix("#") }
      .compactMap { $0.split(separator: " ").last.map(String.init) }
  }

  @Test func `the filters follow the bits a pixel, without a key frame and without swaying`() throws
  {
    let encoder = VP8Encoder(processors: 2)
    let decoder = try VP8Decoder()
    // At 320x240 and 30 a second 0.065 and 0.05 bits a pixel are 150 and 115 kbit/s.
    let rates: [Int64] = [100, 140, 160, 130, 100, 140, 600]
    var profiles: [UInt8] = []
    var file = ivfHeader(size)
    var sums: [String] = []
    for number in 0..<rates.count * 20 {
      let original = frame(number)
      guard
        let encoded = try encoder.encode(
          original, settings: settings(rates[number / 20]), forceKeyFrame: false)
      else { continue }
      #expect(encoded.isKeyFrame == (number == 0))
      // RFC 6386 §9.1: three bits of the frame tag.
      if number % 20 >= 10 { profiles.append(encoded.bytes[0] >> 1 & 7) }
      file += ivfFrame(encoded.bytes, number: number)
      let decoded = try #require(try decoder.decode(encoded.bytes))
      sums.append(md5(Array(decoded.bytes)))
      if number > 130 { #expect(psnr(original.picture, decoded) > 30) }
    }
    var changes: [UInt8] = []
    for profile in profiles where profile != changes.last { changes.append(profile) }
    #expect(changes == [0, 1, 0, 1])
    let judged = try ffmpegSums(of: file)
    #expect(judged == nil || judged == sums)
    #expect(sums.count > 100)
  }

  @Test func `a speed that is held is the one that frames are encoded with, at any size`() throws {
    let encoder = VP8Encoder(processors: 2)
    #expect(
      try encoder.encode(frame(0), settings: settings(800), forceKeyFrame: false)?.speed == -6)
    try encoder.hold(cpuUsed: -10)
    #expect(
      try encoder.encode(frame(1), settings: settings(800), forceKeyFrame: false)?.speed == -10)
    let small = PictureSize(width: 160, height: 120)
    let resized = try encoder.encode(
      frame(2), settings: settings(400, size: small), forceKeyFrame: false)
    #expect(resized?.speed == -10)
  }

  @Test(arguments: [(1, 1), (175, 143), (14, 16), (4_097, 16), (4_098, 2_160)])
  func `a size that no picture may have is refused`(width: Int, height: Int) {
    let encoder = VP8Encoder(processors: 2)
    let settings = settings(500, size: PictureSize(width: width, height: height))
    #expect(throws: MediaError.self) { try encoder.prepare(settings) }
    #expect(throws: MediaError.self) {
      _ = try encoder.encode(frame(0), settings: settings, forceKeyFrame: false)
    }
  }

  @Test(arguments: [(16, 16), (4_096, 16), (16, 4_096)])
  func `the smallest and the narrowest pictures are encoded`(width: Int, height: Int) throws {
    let encoder = VP8Encoder(processors: 2)
    let size = PictureSize(width: width, height: height)
    try encoder.prepare(settings(500, size: size))
    let encoded = try #require(
      try encoder.encode(frame(0), settings: settings(500, size: size), forceKeyFrame: true))
    #expect(try VP8Decoder().decode(encoded.bytes)?.size == size)
  }
}

/// Peak signal-to-noise ratio of the luma planes in dB.
func psnr(_ left: Picture, _ right: Picture) -> Double {
  precondition(left.size == right.size)
  let errors = zip(left.luma, right.luma).reduce(0) {
    $0 + (Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1))
  }
  return 10 * log10(255 * 255 * Double(left.size.pixels) / Double(max(errors, 1)))
}
