import CLinux
package import Media
import Synchronization
import Units

/// Pictures from a V4L2 camera, in the mode that comes nearest to the wanted size and rate.
package final class V4L2Camera: VideoSource, @unchecked Sendable {
  private let device: CameraDevice
  private let converter: PictureConverter
  package let size: PictureSize
  package let framesPerSecond: Double
  /// The format that was negotiated, for the log.
  package let format: PixelFormat
  private let isStopped = Atomic(false)

  /// How long a wait may last before `stop` is looked at.
  private static let waitMilliseconds: Int32 = 100
  /// A camera that gives nothing for this long has failed.
  private static let patience = 50

  /// `device` is a path, or `nil` for the first camera that can be opened.
  package init(
    device path: String?, wanted: PictureSize, framesPerSecond: Double,
    calls: any DeviceCalls = KernelCalls()
  ) throws(MediaError) {
    let camera = try V4L2Camera.open(path, calls: calls)
    guard camera.captureName() != nil,
      let mode = camera.modes().best(for: wanted, framesPerSecond: framesPerSecond)
    else {
      throw MediaError(
        .unsupported, "\(camera.path) is not a camera that p2pcall can use",
        remedy: "choose one that p2pcall devices lists, with --video camera:DEVICE")
    }
    let granted = try camera.start(mode, framesPerSecond: framesPerSecond)
    device = camera
    size = granted.mode.size
    self.framesPerSecond = granted.mode.framesPerSecond
    format = granted.mode.format
    converter = PictureConverter(from: format, size: size, stride: granted.stride)
  }

  private static func open(
    _ path: String?, calls: any DeviceCalls
  ) throws(MediaError) -> CameraDevice {
    if let path { return try CameraDevice(path, calls: calls) }
    var failure: MediaError?
    for camera in Cameras.list(calls: calls) {
      do { return try CameraDevice(camera.path, calls: calls) } catch { failure = error }
    }
    throw failure
      ?? MediaError(
        .absent, "this computer has no camera",
        remedy: "plug one in, or join with --video file:PATH, pattern or none")
  }

  package func nextFrame() throws(MediaError) -> VideoFrame? {
    var silent = 0
    while !isStopped.load(ordering: .acquiring) {
      var frame: VideoFrame?
      // The newest of the frames that wait: late is never queued behind late.
      while try device.nextFrame(
        milliseconds: frame == nil ? Self.waitMilliseconds : 0,
        { bytes, time in
          guard let picture = converter.picture(of: bytes) else { return }
          let now = clinux_now()
          // A driver's stamp that cannot be is not believed.
          let isSane = time > 0 && time <= now && now - time < 1_000_000_000
          frame = VideoFrame(
            picture: picture, capturedAt: Instant(nanoseconds: isSane ? time : now))
        })
      {}
      if let frame { return frame }
      silent += 1
      if silent >= Self.patience {
        throw MediaError(
          .failed, "the camera \(device.path) gives no pictures",
          remedy: "unplug it and plug it in again, or choose another with --video camera:DEVICE")
      }
    }
    return nil
  }

  package func stop() { isStopped.store(true, ordering: .releasing) }
}
