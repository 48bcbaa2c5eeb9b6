import CLinux
import Camera
import Foundation
import Media
import Testing

/// libswscale, through the ffmpeg program, judges what the converter makes of each format.
@Suite struct PictureConverterTests {
  private static let size = PictureSize(width: 64, height: 48)
  /// As 640x360 and 1920x1080: its height is no multiple of JPEG's blocks.
  private static let uneven = PictureSize(width: 64, height: 36)

  @Test(arguments: [
    (PixelFormat.i420, ["-pix_fmt", "yuv420p", "-f", "rawvideo"], 0, size),
    (.nv12, ["-pix_fmt", "nv12", "-f", "rawvideo"], 0, size),
    (.yuyv, ["-pix_fmt", "yuyv422", "-f", "rawvideo"], 3, size),
    // Two JPEG decoders and two range conversions round differently.
    (.mjpeg, ["-pix_fmt", "yuvj420p", "-q:v", "2", "-f", "mjpeg"], 4, size),
    (.mjpeg, ["-pix_fmt", "yuvj420p", "-q:v", "2", "-f", "mjpeg"], 4, uneven),
    (.mjpeg, ["-pix_fmt", "yuvj422p", "-q:v", "2", "-f", "mjpeg"], 4, size),
    (.mjpeg, ["-pix_fmt", "yuvj422p", "-q:v", "2", "-f", "mjpeg"], 4, uneven),
    (.mjpeg, ["-pix_fmt", "yuvj444p", "-q:v", "2", "-f", "mjpeg"], 4, uneven),
  ])
  func `each format becomes the picture that libswscale makes of it`(
    format: PixelFormat, arguments: [String], tolerance: Int, size: PictureSize
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
    let input = ["-f", "lavfi", "-i", "testsrc2=size=\(size):rate=1:duration=1"]
    try ffmpeg.run(input + ["-frames:v", "1"] + arguments + [native])
    let decode =
      format == .mjpeg
      ? ["-f", "mjpeg", "-i", native]
      : ["-s", "\(size)"] + arguments.prefix(4) + ["-i", native]
    try ffmpeg.run(
      decode + ["-frames:v", "1", "-vf", "scale=in_range=auto:out_range=tv"]
        + ["-pix_fmt", "yuv420p", "-f", "rawvideo", wanted])

    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: native)))
    let judge = [UInt8](try Data(contentsOf: URL(fileURLWithPath: wanted)))
    let converter = PictureConverter(from: format, size: size, stride: 0)
    let made = try #require(bytes.withUnsafeMutableBytes { converter.picture(of: $0) })
    try #require(judge.count == made.bytes.count)
    let differences = zip(made.bytes, judge).map { abs(Int($0) - Int($1)) }
    let mean = Double(differences.reduce(0, +)) / Double(differences.count)
    #expect(mean <= Double(tolerance) / 2)
    // Chroma subsampling filters differ at hard edges; broad agreement is what counts there.
    let far = differences.filter { $0 > max(1, tolerance) * 4 }.count
    #expect(Double(far) <= 0.02 * Double(differences.count))
  }

  @Test func `a JPEG picture without Huffman tables decodes, a cut or other one does not`() throws {
    guard let ffmpeg = FFmpeg() else {
      print("not tested: JPEG pictures as webcams send them, because ffmpeg is not installed")
      return
    }
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("p2pcall-\(UUID().uuidString).jpg").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try ffmpeg.run([
      "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=1:duration=1", "-frames:v", "1", "-pix_fmt",
      "yuvj422p", "-huffman", "default", "-f", "mjpeg", path,
    ])
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    func picture(_ bytes: [UInt8], size: PictureSize = Self.size) -> [UInt8]? {
      var bytes = bytes
      let picture = bytes.withUnsafeMutableBytes {
        PictureConverter(from: .mjpeg, size: size, stride: 0).picture(of: $0)
      }
      return picture.map { picture in withExtendedLifetime(picture) { Array($0.bytes) } }
    }
    let made = try #require(picture(whole))
    // Most webcams leave out the tables that Motion JPEG presupposes.
    let table = try #require(
      whole.indices.dropLast().first { whole[$0] == 0xFF && whole[$0 + 1] == 0xC4 })
    let count = Int(whole[table + 2]) << 8 | Int(whole[table + 3])
    let bare = Array(whole[..<table] + whole[(table + 2 + count)...])
    #expect(picture(bare) == made)
    #expect(picture(whole.dropLast(2)) == made)
    #expect(picture(Array(whole.prefix(whole.count / 2))) == nil)
    #expect(picture(whole, size: Self.uneven) == nil)
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
