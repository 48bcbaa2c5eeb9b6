import CFFmpeg
import Fixtures
import Glibc
import Media

func contents(of path: String) -> [UInt8]? {
  guard let file = fopen(path, "rb") else { return nil }
  defer { fclose(file) }
  return rest(of: file)
}

func write(_ bytes: [UInt8], to path: String) -> Bool {
  guard let file = fopen(path, "wb") else { return false }
  defer { fclose(file) }
  return fwrite(bytes, 1, bytes.count, file) == bytes.count
}

/// MD5 by libavutil, in hexadecimal digits.
func md5(_ bytes: [UInt8]) -> String {
  var sum = [UInt8](repeating: 0, count: 16)
  av_md5_sum(&sum, bytes, bytes.count)
  return sum.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// The header of an IVF file with VP8 at 30 frames a second.
func ivfHeader(_ size: PictureSize) -> [UInt8] {
  Array("DKIF".utf8) + little(0, 2) + little(32, 2) + Array("VP80".utf8) + little(size.width, 2)
    + little(size.height, 2) + little(30, 4) + little(1, 4) + little(0, 8)
}

func ivfFrame(_ bytes: [UInt8], number: Int) -> [UInt8] {
  little(bytes.count, 4) + little(number, 8) + bytes
}

/// The frames of an IVF file: a header whose length is at offset 6, then u32 size, u64 time, bytes.
func ivfFrames(_ file: [UInt8]) -> [[UInt8]] {
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

private func little(_ value: Int, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}
