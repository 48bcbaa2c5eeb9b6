package import Media

/// The first line of a YUV4MPEG2 stream: size and rate of 4:2:0 pictures, 8 bits a sample.
package struct Y4MHeader: Hashable, Sendable {
  /// As in the stream: sides may be odd.
  package var width: Int
  package var height: Int
  package var framesPerSecond: Double
  /// Samples from 0 to 255 instead of 16 to 235 (240 for colour): `XCOLORRANGE=FULL`.
  package var isFullRange = false

  package init(width: Int, height: Int, framesPerSecond: Double) {
    self.width = width
    self.height = height
    self.framesPerSecond = framesPerSecond
  }

  /// Longer lines are no header.
  package static let lineLimit = 1_024

  /// Reads the line, without its newline; what it says in error is in `Problem`'s words.
  package init(line: String) throws(Problem) {
    let words = line.split(separator: " ")
    guard words.first == "YUV4MPEG2" else { throw .notY4M }
    var width: Int?
    var height: Int?
    framesPerSecond = 30
    for word in words.dropFirst() {
      let value = word.dropFirst()
      switch word.first {
      case "W": width = Int(value)
      case "H": height = Int(value)
      case "F": framesPerSecond = try Self.rate(value)
      case "C":
        guard ["420", "420jpeg", "420mpeg2", "420paldv"].contains(value) else {
          throw .colour(String(value.prefix(16)))
        }
      case "X": if value == "COLORRANGE=FULL" { isFullRange = true }
      // Interlacing and pixel aspect: shown as they are.
      default: break
      }
    }
    guard let width, let height else { throw .noSize }
    guard PictureSize.limit.contains(width), PictureSize.limit.contains(height) else {
      throw .size(width, height)
    }
    self.width = width
    self.height = height
  }

  /// `30000:1001`; `0:0` is unknown.
  private static func rate(_ text: Substring) throws(Problem) -> Double {
    let parts = text.split(separator: ":").map { Int($0) }
    guard parts.count == 2, let above = parts[0], let below = parts[1], above >= 0, below >= 0
    else { throw .rate(String(text.prefix(16))) }
    guard above > 0, below > 0 else { return 30 }
    return min(max(Double(above) / Double(below), 1), 240)
  }

  /// The line to write, with its newline. The rate is rounded to thousandths.
  package var line: String {
    let thousandths = Int((framesPerSecond * 1_000).rounded())
    let rate = thousandths % 1_000 == 0 ? "\(thousandths / 1_000):1" : "\(thousandths):1000"
    return "YUV4MPEG2 W\(width) H\(height) F\(rate) Ip A1:1 C420jpeg\n"
  }

  /// Bytes of one picture, chroma sides rounded up.
  package var pictureBytes: Int { width * height + 2 * ((width + 1) / 2 * ((height + 1) / 2)) }

  /// The size that its pictures get: odd sides are made even by repeating the last row or column.
  package var pictureSize: PictureSize {
    PictureSize(width: (width + 1) & ~1, height: (height + 1) & ~1)
  }

  package enum Problem: Error, Hashable, Sendable {
    case notY4M
    case noSize
    case size(Int, Int)
    case rate(String)
    case colour(String)

    /// For the user, about a source called `name`.
    func error(of name: String) -> MediaError {
      switch self {
      case .notY4M:
        MediaError(
          .malformed, "\(name) is not a YUV4MPEG2 stream",
          remedy: "make one with ffmpeg -pix_fmt yuv420p -f yuv4mpegpipe")
      case .noSize:
        MediaError(
          .malformed, "\(name) does not say how large its pictures are",
          remedy: "its first line needs W and H")
      case .size(let width, let height):
        MediaError(
          .unsupported, "\(name) has pictures of \(width)x\(height)",
          remedy: "sides from 16 to 4096 can be sent")
      case .rate(let found):
        MediaError(
          .malformed, "\(name) has a frame rate of \(found)", remedy: "write it as F30:1")
      case .colour(let found):
        MediaError(
          .unsupported, "\(name) has pictures of the colour format \(found)",
          remedy: "make them 4:2:0 with 8 bits, as with ffmpeg -pix_fmt yuv420p")
      }
    }
  }
}
