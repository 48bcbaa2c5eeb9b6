import CFFmpeg
import Glibc
import Testing

/// One of the VP8 test vectors: an IVF file and the MD5 of each frame's I420 bytes.
struct VP8Vector: CustomTestStringConvertible {
  let name: String
  let frames: [[UInt8]]
  let sums: [String]

  var testDescription: String { name }

  /// All vectors of the folder `P2PCALL_SHARED`, or of `../shared` beside the repository; empty,
  /// with a notice, where they are absent.
  static let all: [VP8Vector] = {
    let folder = "\(sharedFolder)/vectors/vp8"
    let found = (1...18).compactMap { number in
      let digits = number < 10 ? "00\(number)" : "0\(number)"
      let path = "\(folder)/vp80-00-comprehensive-\(digits).ivf"
      guard let file = contents(of: path), let sums = contents(of: path + ".md5") else {
        return nil as VP8Vector?
      }
      // Each line: the sum, two blanks, a name.
      let lines = String(decoding: sums, as: UTF8.self).split(separator: "\n")
      return VP8Vector(
        name: "vector \(number)", frames: ivfFrames(file), sums: lines.map { String($0.prefix(32)) }
      )
    }
    if found.count < 18 { print("notice: \(18 - found.count) VP8 vectors absent in \(folder)") }
    return found
  }()

  private static var sharedFolder: String {
    if let folder = getenv("P2PCALL_SHARED") { return String(cString: folder) }
    let repository = #filePath.split(separator: "/").dropLast(3)
    return "/" + repository.dropLast().joined(separator: "/") + "/shared"
  }
}

/// IVF: a file header whose length is at offset 6, then frames of u32 size, u64 time and bytes.
private func ivfFrames(_ file: [UInt8]) -> [[UInt8]] {
  func number(_ offset: Int, _ count: Int) -> Int {
    (0..<count).reduce(0) { $0 | Int(file[offset + $1]) << (8 * $1) }
  }
  var frames: [[UInt8]] = []
  var position = number(6, 2)
  while position + 12 <= file.count {
    let size = number(position, 4)
    frames.append(Array(file[position + 12..<position + 12 + size]))
    position += 12 + size
  }
  return frames
}

func contents(of path: String) -> [UInt8]? {
  guard let file = fopen(path, "rb") else { return nil }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = fread(&buffer, 1, buffer.count, file)
    if count == 0 { return bytes }
    bytes += buffer[..<count]
  }
}

/// MD5 by libavutil, in hexadecimal digits.
func md5(_ bytes: [UInt8]) -> String {
  var sum = [UInt8](repeating: 0, count: 16)
  av_md5_sum(&sum, bytes, bytes.count)
  return sum.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
