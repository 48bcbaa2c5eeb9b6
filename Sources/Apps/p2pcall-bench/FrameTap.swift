import CLinux
import Judging
import Media
import Runtime
import Units

/// Reads YUV4MPEG2 from a FIFO and notes each picture's painted clock and the time at which its
/// last byte came; keeps every n-th picture.
final class FrameTap: Sendable {
  struct Kept: Sendable {
    var clock: PaintedClock
    var picture: Picture
  }
  private struct Findings: Sendable {
    var seen: [SeenFrame] = []
    var kept: [Kept] = []
  }

  private let findings = Guarded(Findings())
  private let path: String
  private let thread: Thread

  /// `keepEvery` 0 keeps none.
  init(_ path: String, keepEvery: Int) throws(BenchError) {
    self.path = path
    let findings = findings
    do {
      thread = try Thread.start("view") {
        readPictures(path) { picture, at in
          let clock = PaintedClock.read(picture)
          findings.change { findings in
            findings.seen.append(SeenFrame(clock: clock, at: at, size: picture.size))
            if let clock, keepEvery > 0, clock.number % UInt32(keepEvery) == 0 {
              findings.kept.append(Kept(clock: clock, picture: picture))
            }
          }
        }
      }
    } catch { throw BenchError("\(error)") }
  }

  var seen: [SeenFrame] { findings.value.seen }
  var kept: [Kept] { findings.value.kept }

  /// Waits until the writer is gone; a writer that never came is not waited for.
  func finish() {
    releaseReader(path)
    thread.join()
  }
}

/// Reads s16le from a FIFO and notes when its parts came.
final class SoundTap: Sendable {
  private let sound = Guarded(SoundLog())
  private let path: String
  private let thread: Thread

  init(_ path: String) throws(BenchError) {
    self.path = path
    let sound = sound
    do {
      thread = try Thread.start("hear") {
        readSound(path) { samples, at in sound.change { $0.append(samples, at: at) } }
      }
    } catch { throw BenchError("\(error)") }
  }

  var log: SoundLog { sound.value }

  func finish() {
    releaseReader(path)
    thread.join()
  }
}

/// Lets a thread that waits for a FIFO's writer see its end.
private func releaseReader(_ path: String) {
  let descriptor = clinux_open(path, O_WRONLY | O_NONBLOCK, 0)
  if descriptor >= 0 { close(descriptor) }
}

private func readPictures(_ path: String, _ take: (Picture, Instant) -> Void) {
  let descriptor = clinux_open(path, O_RDONLY, 0)
  guard descriptor >= 0 else { return }
  defer { close(descriptor) }
  _ = clinux_set_pipe_size(descriptor, 1 << 20)
  guard let header = readLine(descriptor), let size = pictureSize(header) else { return }
  while let line = readLine(descriptor), line.hasPrefix("FRAME") {
    var isWhole = false
    let picture = Picture(size: size) { isWhole = readAll(descriptor, into: $0) }
    guard isWhole else { return }
    take(picture, Clock.now)
  }
}

/// `YUV4MPEG2 W640 H480 …`
private func pictureSize(_ header: String) -> PictureSize? {
  let words = header.split(separator: " ")
  guard words.first == "YUV4MPEG2",
    let width = words.first(where: { $0.hasPrefix("W") }).flatMap({ Int($0.dropFirst()) }),
    let height = words.first(where: { $0.hasPrefix("H") }).flatMap({ Int($0.dropFirst()) })
  else { return nil }
  let size = PictureSize(width: width, height: height)
  return size.isValid ? size : nil
}

/// A line of at most 200 bytes, without its end.
private func readLine(_ descriptor: Int32) -> String? {
  var line: [UInt8] = []
  var byte: UInt8 = 0
  while line.count < 200 {
    let isRead = withUnsafeMutableBytes(of: &byte) { readAll(descriptor, into: $0) }
    guard isRead else { return nil }
    if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
    line.append(byte)
  }
  return nil
}

private func readSound(_ path: String, _ take: ([Int16], Instant) -> Void) {
  let descriptor = clinux_open(path, O_RDONLY, 0)
  guard descriptor >= 0 else { return }
  defer { close(descriptor) }
  var chunk = [UInt8](repeating: 0, count: 3840)
  var odd: [UInt8] = []
  while true {
    let count = read(descriptor, &chunk, chunk.count)
    let now = Clock.now
    if count < 0, clinux_get_errno() == EINTR { continue }
    guard count > 0 else { return }
    let bytes = odd + chunk[..<count]
    odd = bytes.count % 2 == 1 ? [bytes[bytes.count - 1]] : []
    take(
      (0..<bytes.count / 2).map {
        Int16(truncatingIfNeeded: Int(bytes[2 * $0]) | Int(bytes[2 * $0 + 1]) << 8)
      }, now)
  }
}
