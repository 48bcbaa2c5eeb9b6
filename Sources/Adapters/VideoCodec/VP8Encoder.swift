import CVPX
import Glibc
package import Media
import Units

/// VP8 by libvpx in real time: constant bitrate, error resilient, key frames only when asked for.
///
/// Pictures of another size than the settings' are scaled first. A change of size makes a new
/// libvpx encoder (changing it live is where CVE-2023-5217 was); rates change live. Of a scene that stands
/// still most pictures are dropped (`StillScene`). One owner.
package final class VP8Encoder: VideoEncoder {
  private let threads: Int
  private var codec: VP8EncoderContext?
  private var speed = EncoderSpeed()
  private var givenSpeed: Int?
  private var still = StillScene()

  /// `processors` is how many cores the machine has. libvpx's threads spin while they wait: with
  /// fewer than four cores a second thread makes a frame slower, not faster.
  package init(processors: Int) { threads = processors < 4 ? 1 : 2 }

  /// From now on `cpu-used` is this, whatever the machine does: to be compared with a call.
  package func hold(cpuUsed: Int) throws(MediaError) {
    givenSpeed = cpuUsed
    try codec?.set(cpuUsed: cpuUsed)
  }

  private var cpuUsed: Int { givenSpeed ?? speed.cpuUsed }

  package func prepare(_ settings: VideoEncoderSettings) throws(MediaError) {
    _ = try codec(for: settings)
  }

  package func encode(
    _ frame: VideoFrame, settings: VideoEncoderSettings, forceKeyFrame: Bool
  ) throws(MediaError) -> EncodedVideoFrame? {
    let codec = try codec(for: settings)
    let step = still.next(
      frame.picture, at: frame.capturedAt, rate: settings.bitrate, isKeyFrame: forceKeyFrame)
    guard step != .pass else {
      codec.pass(capturedAt: frame.capturedAt)
      return nil
    }
    let picture =
      frame.picture.size == settings.size
      ? frame.picture : PictureScaler.scale(frame.picture, to: settings.size)
    let started = (nanoseconds(CLOCK_MONOTONIC), nanoseconds(CLOCK_THREAD_CPUTIME_ID))
    var encoded = try codec.encode(
      picture, at: frame.capturedAt, forceKeyFrame: forceKeyFrame, step: step)
    encoded?.speed = cpuUsed
    // How quickly next to nothing is encoded tells nothing about what moves.
    guard step != .refresh else { return encoded }
    still.encoded(
      ByteCount(encoded?.bytes.count ?? 0), quantizer: try codec.lastQuantizer(),
      at: frame.capturedAt, rate: settings.bitrate)
    let isChanged = speed.note(
      encodeTime: Interval(nanoseconds: nanoseconds(CLOCK_MONOTONIC) - started.0),
      processorTime: Interval(nanoseconds: nanoseconds(CLOCK_THREAD_CPUTIME_ID) - started.1),
      frameInterval: codec.frameInterval * settings.timeShare)
    if isChanged { try codec.set(cpuUsed: cpuUsed) }
    return encoded
  }

  private func codec(for settings: VideoEncoderSettings) throws(MediaError) -> VP8EncoderContext {
    guard settings.size.isValid else {
      throw MediaError(
        .unsupported, "a picture of \(settings.size) cannot be encoded",
        remedy: "use even sides between 16 and 4096")
    }
    if let codec, codec.size == settings.size {
      try codec.apply(settings)
      return codec
    }
    codec = nil
    still = StillScene()
    let fresh = try VP8EncoderContext(settings, threads: threads, cpuUsed: cpuUsed)
    codec = fresh
    return fresh
  }
}

private func nanoseconds(_ clock: clockid_t) -> Int64 {
  var time = timespec()
  clock_gettime(clock, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
