package import Media
import Synchronization
import Units

/// Decoded pictures as YUV4MPEG2 into FIFOs or files: each picture once, when it is shown, all of a
/// stream in one size, smaller ones scaled up to it. It never waits for a reader.
///
/// `{peer}` in the path stands for the session id, and each peer gets a stream of its own. Without
/// it there is one stream, which shows one peer at a time: the first, and once that left, the next.
package final class Y4MPipeSink: VideoSink {
  private let path: String
  private let streams: Mutex<[Stream]>

  private struct Stream {
    /// Whose pictures it takes; `nil` while it waits for the next peer.
    var peer: String?
    var writer: Y4MWriter
  }
  private static let peerMark = "{peer}"

  /// Without `{peer}` the path is opened, and a file made or replaced, at once.
  package init(path: String) throws(MediaError) {
    self.path = path
    if path.contains(Self.peerMark) {
      streams = Mutex([])
    } else {
      let writer = try Y4MWriter(path, end: try PipeEnd.writing(path), announced: nil)
      streams = Mutex([Stream(peer: nil, writer: writer)])
    }
  }

  deinit { close() }

  package func announce(_ size: PictureSize, framesPerSecond: Double, of peer: String) {
    let header = Y4MHeader(
      width: size.width, height: size.height, framesPerSecond: framesPerSecond)
    do throws(MediaError) {
      try writer(of: peer, announced: header)?.announce(header)
    } catch {
      // `show` meets the same error and throws it.
    }
  }

  /// Throws `.ended` once the reader of this peer's stream went away.
  package func show(_ frame: VideoFrame, of peer: String) throws(MediaError) {
    try writer(of: peer, announced: nil)?.write(frame.picture)
  }

  package func remove(peer: String) {
    streams.withLock { streams in
      guard let index = streams.firstIndex(where: { $0.peer == peer }) else { return }
      if path.contains(Self.peerMark) {
        streams.remove(at: index).writer.finish()
      } else {
        streams[index].peer = nil
      }
    }
  }

  /// Writes what waits, for at most a second, and closes all streams; later pictures are ignored.
  package func close() {
    let writers = streams.withLock { streams in
      defer { streams = [] }
      return streams.map(\.writer)
    }
    let deadline = Instant.now + .seconds(1)
    for writer in writers { writer.close(within: max(.zero, deadline - .now)) }
  }

  /// Pictures that readers were too slow for.
  package var lostPictures: Int {
    streams.withLock { $0.reduce(0) { $0 + $1.writer.lost } }
  }

  /// `nil` for a peer that has no stream now.
  private func writer(of peer: String, announced: Y4MHeader?) throws(MediaError) -> Y4MWriter? {
    let found = streams.withLock { streams -> Result<Y4MWriter?, MediaError> in
      if let stream = streams.first(where: { $0.peer == peer }) { return .success(stream.writer) }
      guard path.contains(Self.peerMark) else {
        guard let free = streams.firstIndex(where: { $0.peer == nil }) else { return .success(nil) }
        streams[free].peer = peer
        return .success(streams[free].writer)
      }
      do throws(MediaError) {
        let own = self.path(of: peer)
        let writer = try Y4MWriter(own, end: try PipeEnd.writing(own), announced: announced)
        streams.append(Stream(peer: peer, writer: writer))
        return .success(writer)
      } catch {
        return .failure(error)
      }
    }
    return try found.get()
  }

  /// Nothing but letters, digits, `-` and `_` of a peer's id gets into a path.
  private func path(of peer: String) -> String {
    let name = String(
      peer.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? $0 : "_" })
    return path.split(separator: Self.peerMark, omittingEmptySubsequences: false)
      .joined(separator: name)
  }
}
