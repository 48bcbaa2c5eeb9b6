import CLinux
import Fixtures
import Media
import Units

@testable import Files

func contents(of path: String) -> [UInt8] {
  guard let file = fopen(path, "rb") else { return [] }
  defer { fclose(file) }
  return rest(of: file)
}

/// All that is left to read of a descriptor, which is closed.
func contents(of descriptor: Int32) -> [UInt8] {
  guard let file = fdopen(descriptor, "rb") else { return [] }
  defer { fclose(file) }
  return rest(of: file)
}

/// The last word of each line that is not a comment.
func lastWords(_ text: String) -> [String] {
  text.split(separator: "\n").filter { !$0.hasPrefix("#") }
    .compactMap { $0.split(separator: " ").last.map(String.init) }
}

/// Small pictures that differ: one value a plane.
func flatPicture(_ value: UInt8, _ size: PictureSize = PictureSize(width: 64, height: 48))
  -> Picture
{
  Picture(size: size) { $0.initializeMemory(as: UInt8.self, repeating: value) }
}

func flatFrame(_ value: UInt8, _ size: PictureSize = PictureSize(width: 64, height: 48))
  -> VideoFrame
{
  VideoFrame(picture: flatPicture(value, size), capturedAt: .zero)
}

/// A YUV4MPEG2 stream of flat pictures.
func flatStream(_ values: [UInt8], header: String = "YUV4MPEG2 W64 H48 F30:1 Ip A1:1 C420jpeg\n")
  -> [UInt8]
{
  Array(header.utf8)
    + values.flatMap { Array("FRAME\n".utf8) + [UInt8](repeating: $0, count: 64 * 48 * 3 / 2) }
}

/// Runs on a thread of its own and gives its result to whoever waits.
final class Background<Value: Sendable>: Sendable {
  private let handover = Handover<Value, Never>(room: 1)

  init(_ body: @escaping @Sendable () -> Value) {
    let handover = handover
    do { try startThread("test") { handover.put(body()) } } catch { fatalError("\(error)") }
  }

  var value: Value { handover.take()! }
}
