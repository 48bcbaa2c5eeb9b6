import CLinux
import Judging
import Runtime
import Units

/// A screen of its own (Xvfb), with a camera and a keyboard.
final class Screen {
  let display: String
  private let server: ChildProcess

  init() throws(BenchError) {
    guard let xvfb = programInPath("Xvfb") else {
      throw BenchError("Xvfb is not installed; run tools/setup --tests")
    }
    do {
      // Writes the number of a free display to its output.
      server = try ChildProcess(
        xvfb, ["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"],
        output: .pipe, errors: .nothing)
    } catch { throw BenchError("\(error)") }
    var chunk = [UInt8](repeating: 0, count: 16)
    let count = read(server.output ?? -1, &chunk, chunk.count)
    let number = String(decoding: chunk[..<max(0, count)], as: UTF8.self)
      .prefix { ("0"..."9").contains($0) }
    guard !number.isEmpty else { throw BenchError("Xvfb did not start") }
    display = ":\(number)"
  }

  deinit {
    server.send()
    _ = server.wait()
  }

  /// What is on the screen.
  func shot(_ path: String) throws(BenchError) -> Shot {
    guard run("import", ["-window", "root", "-depth", "8", path]),
      let shot = Shot(portablePixmap: fileBytes(path))
    else { throw BenchError("the screen cannot be taken; is imagemagick installed?") }
    return shot
  }

  /// Presses a key in the middle of the screen; false when it cannot.
  func key(_ name: String) -> Bool {
    run("xdotool", ["mousemove", "640", "400", "key", name])
  }

  private func run(_ name: String, _ arguments: [String]) -> Bool {
    guard let program = programInPath(name),
      let process = try? ChildProcess(
        program, arguments,
        environment: environment(without: { $0 == "DISPLAY" }) + ["DISPLAY=\(display)"],
        output: .nothing)
    else { return false }
    return process.wait() == .code(0)
  }
}

/// A screenshot: 3 bytes a pixel.
struct Shot {
  private let pixels: [UInt8]

  /// A binary PPM (P6) of depth 8.
  init?(portablePixmap bytes: [UInt8]) {
    var fields: [Int] = []
    var position = 2
    guard bytes.starts(with: Array("P6".utf8)) else { return nil }
    while fields.count < 3, position < bytes.count {
      while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
      var number = 0
      while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
        number = number * 10 + Int(bytes[position] - 0x30)
        position += 1
      }
      fields.append(number)
    }
    position += 1
    guard fields.count == 3, fields[2] == 255, bytes.count - position >= fields[0] * fields[1] * 3
    else { return nil }
    pixels = Array(bytes[position..<position + fields[0] * fields[1] * 3])
  }

  /// Different colours on it.
  var colours: Int {
    var found: Set<UInt32> = []
    for index in stride(from: 0, to: pixels.count, by: 3) {
      found.insert(
        UInt32(pixels[index]) << 16 | UInt32(pixels[index + 1]) << 8 | UInt32(pixels[index + 2]))
    }
    return found.count
  }

  /// Pixels that differ by more than noise.
  func differencePercent(_ other: Shot) -> Double {
    guard pixels.count == other.pixels.count, !pixels.isEmpty else { return 100 }
    var different = 0
    for index in stride(from: 0, to: pixels.count, by: 3) {
      let distance = (0..<3).map {
        (Int(pixels[index + $0]) - Int(other.pixels[index + $0])).magnitude
      }
      if distance.reduce(0, +) > 24 { different += 1 }
    }
    return 100 * Double(different) / Double(pixels.count / 3)
  }
}
