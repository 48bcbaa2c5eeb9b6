import CLinux
import Media
import Units

@testable import Files

/// A folder of its own for one test, removed with this object.
final class TemporaryFolder: Sendable {
  let path: String

  init() {
    var template = Array((base + "/p2pcall-test-XXXXXX").utf8CString)
    path = mkdtemp(&template).map { String(cString: $0) } ?? "/nonexistent"
  }

  deinit { _ = output(of: "rm -rf '\(path)'") }

  func file(_ name: String, _ bytes: [UInt8] = []) -> String {
    let file = path + "/" + name
    if let stream = fopen(file, "wb") {
      fwrite(bytes, 1, bytes.count, stream)
      fclose(stream)
    }
    return file
  }

  func fifo(_ name: String) -> String {
    let file = path + "/" + name
    mkfifo(file, 0o600)
    return file
  }
}

private var base: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }

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

/// What a command prints; `nil` when it fails or is absent.
func output(of command: String) -> String? {
  guard let pipe = popen(command + " 2>/dev/null", "r") else { return nil }
  let bytes = rest(of: pipe)
  return pclose(pipe) == 0 ? String(decoding: bytes, as: UTF8.self) : nil
}

private func rest(of file: UnsafeMutablePointer<FILE>) -> [UInt8] {
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = fread(&buffer, 1, buffer.count, file)
    if count == 0 { return bytes }
    bytes += buffer[..<count]
  }
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
