import CLinux
import Media
import Synchronization
import Units

/// One YUV4MPEG2 stream into a FIFO or file, written by a thread of its own.
///
/// All its pictures have one size: the announced one, else the first picture's. Until a FIFO has a
/// reader, only the newest picture waits; a reader that is too slow loses the oldest ones.
final class Y4MWriter: Sendable {
  private let path: String
  /// A quarter of a second.
  private let pictures = Handover<Picture, MediaError>(room: 8)
  private let stopping: StopSignal
  /// Raised by the thread when it is done.
  private let done: StopSignal
  private let state: Mutex<State>

  private struct State {
    var header: Y4MHeader?
    var failure: MediaError?
  }

  /// `end` is an end that was opened already.
  init(_ path: String, end: PipeEnd?, announced: Y4MHeader?) throws(MediaError) {
    self.path = path
    stopping = try StopSignal()
    done = try StopSignal()
    state = Mutex(State(header: announced))
    try startThread("y4m-out") { [self] in run(end) }
  }

  /// Why nothing is written any more.
  var failure: MediaError? { state.withLock { $0.failure } }
  /// Pictures that the reader was too slow for.
  var lost: Int { pictures.lost }

  /// Counts until the first picture is written.
  func announce(_ header: Y4MHeader) { state.withLock { $0.header = $0.header ?? header } }

  func write(_ picture: Picture) throws(MediaError) {
    if let failure { throw failure }
    pictures.put(picture)
  }

  /// Lets the thread write what waits, and end; does not wait for that.
  func finish() { pictures.finish(nil) }

  /// Finishes, and waits until the thread has ended, at most `interval`.
  func close(within interval: Interval) {
    finish()
    if done.sleep(until: .now + interval) {
      pictures.stop()
      stopping.raise()
    }
  }

  private func run(_ opened: PipeEnd?) {
    defer { done.raise() }
    do throws(MediaError) {
      if let opened {
        try writeAll(to: opened)
      } else if let end = try waitForReader() {
        try writeAll(to: end)
      }
    } catch {
      state.withLock { $0.failure = error }
    }
  }

  /// `nil` when stopped.
  private func waitForReader() throws(MediaError) -> PipeEnd? {
    // A FIFO without a reader cannot be waited for by poll.
    while stopping.sleep(until: .now + .milliseconds(20)) {
      if let end = try PipeEnd.writing(path) {
        pictures.keepNewest()
        return end
      }
      pictures.keepNewest()
      if pictures.isFinished { return nil }
    }
    return nil
  }

  private func writeAll(to end: PipeEnd) throws(MediaError) {
    _ = clinux_set_pipe_size(end.number, 1 << 20)
    guard var picture = try pictures.take() else { return }
    let header = state.withLock { state in
      let first = Y4MHeader(
        width: picture.size.width, height: picture.size.height, framesPerSecond: 30)
      let header = state.header ?? first
      state.header = header
      return header
    }
    try write(Array(header.line.utf8), to: end)
    while true {
      let shown = PictureScaler.letterbox(picture, into: header.pictureSize)
      guard try write(Array("FRAME\n".utf8), to: end), try write(shown.bytes, to: end) else {
        return
      }
      withExtendedLifetime(shown) {}
      guard let next = try pictures.take() else { return }
      picture = next
    }
  }

  @discardableResult
  private func write(_ bytes: [UInt8], to end: PipeEnd) throws(MediaError) -> Bool {
    var failure: MediaError?
    let isWhole = bytes.withUnsafeBytes { bytes -> Bool in
      do throws(MediaError) { return try write(bytes, to: end) } catch { failure = error }
      return false
    }
    if let failure { throw failure }
    return isWhole
  }

  /// False when stopped on the way.
  private func write(_ bytes: UnsafeRawBufferPointer, to end: PipeEnd) throws(MediaError) -> Bool {
    var written = 0
    while written < bytes.count {
      switch end.write(UnsafeRawBufferPointer(rebasing: bytes[written...])) {
      case .bytes(let count): written += count
      case .full:
        guard stopping.wait(for: end.number, events: POLLOUT) == .ready else { return false }
      case .gone:
        throw MediaError(
          .ended, "the reader of \(path) went away",
          remedy: "its pictures are no longer written")
      case .failed(let reason):
        throw MediaError(
          .failed, "\(path) could not be written (\(reason))",
          remedy: "check the disk's free space")
      }
    }
    return true
  }
}
