import CFFmpeg
import CLinux
import Glibc
import Media

/// `p2pcall-media`: reads a media file with FFmpeg, out of reach of the keys and links of the
/// program that starts it, and writes what it finds as `ClipRecord`s to standard output, over and
/// over, as fast as they are taken.
func runMediaHelper() -> Never {
  av_log_set_level(AV_LOG_QUIET)
  let output = RecordWriter()
  guard let request = ClipRequest(arguments: Array(CommandLine.arguments.dropFirst())) else {
    let usage = ClipRequest.usage + "\n"
    write(2, usage, usage.utf8.count)
    exit(2)
  }
  do throws(MediaError) {
    var loop = ClipLoop(request, output)
    try loop.run()
  } catch {
    output.write(.problem, at: 0, error.record)
    exit(1)
  }
}

/// What the command line asks for.
struct ClipRequest {
  static let usage = """
    usage: p2pcall-media play [--size WxH] [--fps N] [--no-picture] [--no-sound] FILE
    Reads FILE for p2pcall: pictures and 48 kHz sound on standard output, in a loop.
    """

  var path = ""
  /// Pictures larger than this are scaled down.
  var limit = PictureSize(width: 1_280, height: 720)
  /// Pictures beyond this rate are left out.
  var framesPerSecond = 30.0
  var wantsPicture = true
  var wantsSound = true

  init?(arguments: [String]) {
    guard arguments.first == "play" else { return nil }
    var rest = arguments.dropFirst()
    while let word = rest.popFirst() {
      switch word {
      case "--no-picture": wantsPicture = false
      case "--no-sound": wantsSound = false
      case "--fps":
        guard let text = rest.popFirst(), let rate = Double(text), (1...240).contains(rate) else {
          return nil
        }
        framesPerSecond = rate
      case "--size":
        let sides = rest.popFirst()?.split(separator: "x").map { Int($0) } ?? []
        guard sides.count == 2, let width = sides[0], let height = sides[1] else { return nil }
        limit = PictureSize(width: width, height: height)
        guard limit.isValid else { return nil }
      default:
        path = word
        guard rest.isEmpty else { return nil }
      }
    }
    guard !path.isEmpty else { return nil }
  }
}

/// Writes records to standard output; ends the process when nobody reads any more.
struct RecordWriter {
  func write(_ kind: ClipRecord.Kind, at microseconds: Int64, _ bytes: [UInt8]) {
    bytes.withUnsafeBytes { write(kind, at: microseconds, $0) }
  }

  func write(_ kind: ClipRecord.Kind, at microseconds: Int64, _ bytes: UnsafeRawBufferPointer) {
    let header = ClipRecord.Header(kind: kind, length: bytes.count, microseconds: microseconds)
    header.bytes.withUnsafeBytes(writeAll)
    writeAll(bytes)
  }

  private func writeAll(_ bytes: UnsafeRawBufferPointer) {
    var left = bytes
    while !left.isEmpty {
      let count = CLinux.write(1, left.baseAddress, left.count)
      guard count > 0 || clinux_get_errno() == EINTR else { exit(0) }
      left = UnsafeRawBufferPointer(rebasing: left[max(0, count)...])
    }
  }
}
