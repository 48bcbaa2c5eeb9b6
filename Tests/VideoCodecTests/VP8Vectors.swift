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
