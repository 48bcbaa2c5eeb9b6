import CLinux
import Camera
import Foundation
import Media
import Testing

/// libswscale, through the ffmpeg program, judges what the converter makes of each format.
@Suite struct PictureConverterTests {
  private static let size = PictureSize(width: 64, height: 48)

  @Test(arguments: [
    (PixelFormat.i420, ["-pix_fmt", "yuv420p", "-f", "rawvideo"], 0),
    (.nv12, ["-pix_fmt", "nv12", "-f", "rawvideo"], 0),
    (.yuyv, ["-pix_fmt", "yuyv422", "-f", "rawvideo"], 3),
    // Two JPEG decoders and two range conversions round differently.
    (.mjpeg, ["-pix_fmt", "yuvj420p", "-q:v", "2", "-f", "mjpeg"], 4),
  ])
  func `each format becomes the picture that libswscale makes of it`(
    format: PixelFormat, arguments: [String], tolerance: Int
  ) throws {
    guard let ffmpeg = FFmpeg() else {
      print("not tested: \(format) against libswscale, because ffmpeg is not installed")
      return
    }
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("p2pcall-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let native = folder.appendingPathComponent("native").path
    let wanted = folder.appendingPathComponent("wanted").path
    let input = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=1:duration=1"]
    try ffmpeg.run(input + ["-frames:v", "1"] + arguments + [native])
    let decode =
      format == .mjpeg
      ? ["-f", "mjpeg", "-i", native]
      : ["-s", "64x48"] + arguments.prefix(4) + ["-i", native]
    try ffmpeg.run(
      decode + ["-frames:v", "1", "-vf", "scale=in_range=auto:out_range=tv"]
        + ["-pix_fmt", "yuv420p", "-f", "rawvideo", wanted])

    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: native)))
    let judge = [UInt8](try Data(contentsOf: URL(fileURLWithPath: wanted)))
    let converter = PictureConverter(from: format, size: Self.size, stride: 0)
    let made = try #require(bytes.withUnsafeMutableBytes { converter.picture(of: $0) })
    try #require(judge.count == made.bytes.count)
    let differences = zip(made.bytes, judge).map { abs(Int($0) - Int($1)) }
    let mean = Double(differences.reduce(0, +)) / Double(differences.count)
    #expect(mean <= Double(tolerance) / 2)
    // Chroma subsampling filters differ at hard edges; broad agreement is what counts there.
    let far = differences.filter { $0 > max(1, tolerance) * 4 }.count
    #expect(Double(far) <= 0.02 * Double(differences.count))
  }

  @Test(arguments: PixelFormat.allCases)
  func `no prefix of a frame traps`(format: PixelFormat) {
    let converter = PictureConverter(from: format, size: Self.size, stride: 0)
    for count in stride(from: 0, to: 64 * 48 * 2, by: 97) {
      var bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      let picture = bytes.withUnsafeMutableBytes { converter.picture(of: $0) }
      if format == .mjpeg { #expect(picture == nil) }
    }
  }
}

private struct FFmpeg {
  private let path: String

  init?() {
    guard
      let found = ["/usr/bin/ffmpeg", "/usr/local/bin/ffmpeg"].first(where: {
        FileManager.default.isExecutableFile(atPath: $0)
      })
    else { return nil }
    path = found
  }

  func run(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = ["-hide_banner", "-loglevel", "error", "-y"] + arguments
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
  }
}
