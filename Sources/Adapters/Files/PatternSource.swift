package import Media
import Units

/// The test pattern at a steady rate, each picture stamped at the moment when it is made.
package final class PatternSource: VideoSource {
  package let size: PictureSize
  package let framesPerSecond: Double
  private let pattern: PatternPicture
  private let stopping: StopSignal
  /// Touched by the one thread that takes pictures.
  private nonisolated(unsafe) var number: UInt32 = 0
  private nonisolated(unsafe) var due: Instant?

  /// `framesPerSecond` is held to 1…240.
  package init(size: PictureSize, framesPerSecond: Double) throws(MediaError) {
    guard size.isValid else {
      throw MediaError(
        .unsupported, "a pattern of \(size) cannot be drawn",
        remedy: "use even sides between 16 and 4096")
    }
    self.size = size
    self.framesPerSecond = min(max(framesPerSecond, 1), 240)
    pattern = PatternPicture(size: size)
    stopping = try StopSignal()
  }

  package func nextFrame() throws(MediaError) -> VideoFrame? {
    let interval = Interval.seconds(1 / framesPerSecond)
    var next = due ?? .now
    guard stopping.sleep(until: next) else { return nil }
    let now = Instant.now
    // Whoever was late goes on from now: there is no crowd of old pictures.
    if now - next > interval { next = now }
    due = next + interval
    defer { number &+= 1 }
    return VideoFrame(picture: pattern.picture(number: number, at: now), capturedAt: now)
  }

  package func stop() { stopping.raise() }
}
