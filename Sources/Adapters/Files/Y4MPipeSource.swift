import CLinux
package import Media
import Synchronization
import Units

/// Pictures as YUV4MPEG2 from a FIFO or standard input (`-`), paced by their writer, or from a
/// file, at the rate that it states.
///
/// A thread takes each picture as it comes, and the newest one wins: an encoder that is late never
/// gets a late picture. A FIFO may be opened before its writer comes.
package final class Y4MPipeSource: VideoSource {
  private let stream: Y4MStream

  /// Refuses what cannot be opened; what the stream holds is known later.
  package init(path: String) throws(MediaError) {
    let stream = try Y4MStream(path)
    self.stream = stream
    try startThread("y4m-in") { stream.run() }
  }

  deinit { stream.stop() }

  /// 640x480 until the stream's first line came.
  package var size: PictureSize {
    stream.header?.pictureSize ?? PictureSize(width: 640, height: 480)
  }
  package var framesPerSecond: Double { stream.header?.framesPerSecond ?? 30 }

  /// False once the stream has ended, though a picture may wait.
  var isReading: Bool { !stream.newest.isFinished }

  package func nextFrame() throws(MediaError) -> VideoFrame? { try stream.newest.take() }
  package func stop() { stream.stop() }
}

/// What the reading thread and the source share.
private final class Y4MStream: Sendable {
  let newest = Handover<VideoFrame, MediaError>(room: 1)
  private let name: String
  private let end: PipeEnd
  private let stopping: StopSignal
  private let found = Mutex<Y4MHeader?>(nil)

  init(_ path: String) throws(MediaError) {
    name = sourceName(path)
    end = try PipeEnd.reading(path)
    stopping = try StopSignal()
    // Room for whole pictures saves switches between the writer and this thread.
    _ = clinux_set_pipe_size(end.number, 1 << 20)
  }

  var header: Y4MHeader? { found.withLock { $0 } }

  func stop() {
    stopping.raise()
    newest.stop()
  }

  func run() {
    do throws(MediaError) {
      try read(PipeReader(end, stopping: stopping))
    } catch {
      newest.finish(error)
    }
  }

  /// Returns when stopped.
  private func read(_ reader: PipeReader) throws(MediaError) {
    let header: Y4MHeader
    switch try reader.line(limit: Y4MHeader.lineLimit) {
    case .value(let line): header = try parse(line)
    case .over: throw Y4MHeader.Problem.notY4M.error(of: name)
    case .stopped: return
    }
    found.withLock { $0 = header }
    let start = Instant.now
    var number = 0.0
    while let picture = try nextPicture(header, from: reader) {
      if end.isRegular {
        let due = start + .seconds(number / header.framesPerSecond)
        guard stopping.sleep(until: due) else { return }
        number += 1
      }
      newest.put(VideoFrame(picture: picture, capturedAt: .now))
    }
  }

  private func parse(_ line: String) throws(MediaError) -> Y4MHeader {
    do throws(Y4MHeader.Problem) {
      return try Y4MHeader(line: line)
    } catch {
      throw error.error(of: name)
    }
  }

  /// `nil` when stopped.
  private func nextPicture(
    _ header: Y4MHeader, from reader: PipeReader
  ) throws(MediaError) -> Picture? {
    switch try reader.line(limit: 256) {
    case .value(let line):
      // Its parameters do not change what a 4:2:0 picture's bytes are.
      guard line == "FRAME" || line.hasPrefix("FRAME ") else {
        throw MediaError(
          .malformed, "\(name) has something other than a picture where one should begin",
          remedy: "make it with ffmpeg -pix_fmt yuv420p -f yuv4mpegpipe")
      }
    case .over(let isClean): throw over(isClean)
    case .stopped: return nil
    }
    switch try header.picture(filledBy: reader.fill) {
    case .value(let picture): return picture
    case .over: throw over(false)
    case .stopped: return nil
    }
  }

  private func over(_ isClean: Bool) -> MediaError {
    MediaError(
      .ended, "the pictures of \(name) \(isClean ? "are over" : "end in the middle of one")",
      remedy: "nothing is shown for it now")
  }
}
