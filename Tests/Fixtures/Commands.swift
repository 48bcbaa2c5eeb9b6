package import CLinux

package var temporaryFolder: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }

/// What a command prints; `nil` when it fails or is absent.
package func output(of command: String) -> String? {
  guard let pipe = popen(command + " 2>/dev/null", "r") else { return nil }
  let bytes = rest(of: pipe)
  return pclose(pipe) == 0 ? String(decoding: bytes, as: UTF8.self) : nil
}

/// All that is left to read.
package func rest(of file: UnsafeMutablePointer<FILE>) -> [UInt8] {
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = fread(&buffer, 1, buffer.count, file)
    if count == 0 { return bytes }
    bytes += buffer[..<count]
  }
}
