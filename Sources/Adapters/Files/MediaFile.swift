package import Media
import Synchronization
import Units

/// A media file of any format that FFmpeg reads, as a source of pictures and of sound. Both come
/// from one reading of the file, looped, in real time and in step.
///
/// It begins to play when either is first asked for a frame.
package final class MediaFile: Sendable {
  /// The pictures; `nil` when the file has none, or none were wanted.
  package let video: (any VideoSource)?
  /// The sound; `nil` when the file has none, or none was wanted.
  package let audio: (any AudioSource)?

  /// Pictures above `limit` are scaled down, those beyond `framesPerSecond` left out. Throws when
  /// the file is absent, unreadable, or has nothing of what is wanted.
  package init(
    path: String, limit: PictureSize, framesPerSecond: Double, wantsPicture: Bool = true,
    wantsSound: Bool = true
  ) throws(MediaError) {
    var arguments = ["play", "--size", limit.description, "--fps", "\(framesPerSecond)"]
    if !wantsPicture { arguments.append("--no-picture") }
    if !wantsSound { arguments.append("--no-sound") }
    // No name is taken for an option.
    let file = path.hasPrefix("-") ? "./" + path : path
    let reading = try ClipReading(file, arguments)
    if let size = reading.description.pictureSize {
      video = try ClipVideo(reading, size)
    } else {
      video = nil
    }
    audio = reading.description.hasSound ? try ClipAudio(reading) : nil
  }
}

private final class ClipVideo: VideoSource {
  let size: PictureSize
  let framesPerSecond: Double
  private let reading: ClipReading
  private let stopping: StopSignal
  private let isStopped = Atomic(false)

  init(_ reading: ClipReading, _ size: PictureSize) throws(MediaError) {
    self.reading = reading
    self.size = size
    framesPerSecond = reading.description.framesPerSecond
    stopping = try StopSignal()
  }

  deinit { stop() }

  func nextFrame() throws(MediaError) -> VideoFrame? {
    reading.begin()
    while let picture = try reading.pictures.take() {
      let due = reading.due(picture.offset)
      guard stopping.sleep(until: due) else { return nil }
      // Late is never queued behind late.
      if Instant.now - due > .seconds(1 / framesPerSecond), !reading.pictures.isEmpty { continue }
      return VideoFrame(picture: picture.value, capturedAt: due)
    }
    return nil
  }

  func stop() {
    stopping.raise()
    reading.pictures.stop()
    if !isStopped.exchange(true, ordering: .relaxed) { reading.leave() }
  }
}

private final class ClipAudio: AudioSource {
  private let reading: ClipReading
  private let stopping: StopSignal
  private let isStopped = Atomic(false)

  init(_ reading: ClipReading) throws(MediaError) {
    self.reading = reading
    stopping = try StopSignal()
  }

  deinit { stop() }

  /// A block is given once it is over, as by a microphone.
  func nextBlock() throws(MediaError) -> AudioBlock? {
    reading.begin()
    guard let block = try reading.sound.take() else { return nil }
    let due = reading.due(block.offset)
    guard stopping.sleep(until: due + AudioFormat.blockDuration) else { return nil }
    return AudioBlock(samples: block.value, capturedAt: due)
  }

  func stop() {
    stopping.raise()
    reading.sound.stop()
    if !isStopped.exchange(true, ordering: .relaxed) { reading.leave() }
  }
}
