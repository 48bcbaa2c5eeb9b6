import CLinux
import Judging
import Media
import Runtime
import Units

/// The numbered originals: pictures that one party sends over and over, each time with the next
/// number and the time painted in.
final class FrameBook: Sendable {
  let size: PictureSize
  let framesPerSecond: Int
  let firstNumber: UInt32
  private let pictures: [Picture]

  init(_ pictures: [Picture], framesPerSecond: Int, firstNumber: UInt32) {
    self.pictures = pictures
    size = pictures[0].size
    self.framesPerSecond = framesPerSecond
    self.firstNumber = firstNumber
  }

  /// The same pictures under other numbers.
  func numbered(from first: UInt32) -> FrameBook {
    FrameBook(pictures, framesPerSecond: framesPerSecond, firstNumber: first)
  }

  func picture(_ number: UInt32) -> Picture {
    pictures[Int(number - firstNumber) % pictures.count]
  }
  /// The original of a picture that was seen with this clock.
  func original(_ clock: PaintedClock) -> Picture { clock.stamp(onto: picture(clock.number)) }

  /// The test pattern, `seconds` of it.
  static func pattern(_ size: PictureSize, seconds: Int, framesPerSecond: Int = 30) -> FrameBook {
    let pattern = PatternPicture(size: size)
    // Half a second: outside the flash.
    let pictures = (0..<seconds * framesPerSecond).map {
      pattern.picture(number: UInt32($0), at: .zero + .milliseconds(500))
    }
    return FrameBook(pictures, framesPerSecond: framesPerSecond, firstNumber: 0)
  }

  /// A clip's pictures, decoded by ffmpeg, at most 20 s of them.
  static func clip(
    _ path: String, size: PictureSize, framesPerSecond: Int = 30
  ) throws(BenchError) -> FrameBook {
    let filter =
      "fps=\(framesPerSecond),scale=\(size.width):\(size.height):"
      + "force_original_aspect_ratio=decrease,pad=\(size.width):\(size.height):-1:-1"
    let pictures = try decode(
      path, ["-t", "20", "-an", "-vf", filter, "-pix_fmt", "yuv420p", "-f", "rawvideo", "-"]
    ) { descriptor in
      var pictures: [Picture] = []
      var isWhole = true
      while isWhole {
        let picture = Picture(size: size) { isWhole = readAll(descriptor, into: $0) }
        if isWhole { pictures.append(picture) }
      }
      return pictures
    }
    guard !pictures.isEmpty else { throw BenchError("\(path) holds no picture that ffmpeg reads") }
    return FrameBook(pictures, framesPerSecond: framesPerSecond, firstNumber: 0)
  }
}

/// A clip's sound, 48 kHz mono, at a quarter of its loudness, so that chirps stand out; silence for
/// a clip without sound.
func clipSound(_ path: String) throws(BenchError) -> [Int16] {
  let bytes = try decode(
    path, ["-t", "20", "-vn", "-ac", "1", "-ar", "48000", "-f", "s16le", "-"]
  ) { descriptor in
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      guard count > 0 else { return bytes }
      bytes += chunk[..<count]
    }
  }
  guard bytes.count >= 960 else { return [Int16](repeating: 0, count: 48_000) }
  return (0..<bytes.count / 2).map {
    Int16(truncatingIfNeeded: Int(bytes[2 * $0]) | Int(bytes[2 * $0 + 1]) << 8) / 4
  }
}

private func decode<Result>(
  _ path: String, _ arguments: [String], _ take: (Int32) -> Result
) throws(BenchError) -> Result {
  guard access(path, R_OK) == 0 else {
    throw BenchError("the clip \(path) cannot be read; name another with --clip")
  }
  guard let ffmpeg = programInPath("ffmpeg") else {
    throw BenchError("ffmpeg is not installed; run tools/setup --tests")
  }
  do {
    let process = try ChildProcess(
      ffmpeg, ["-nostdin", "-v", "error", "-i", path] + arguments, output: .pipe)
    let result = take(process.output ?? -1)
    process.closeOutput()
    _ = process.wait()
    return result
  } catch { throw BenchError("\(error)") }
}
