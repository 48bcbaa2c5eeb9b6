import CLinux
package import Media
import Synchronization
import Units

/// Pictures from a V4L2 camera, in the mode that comes nearest to the wanted size and rate.
package final class V4L2Camera: VideoSource, @unchecked Sendable {
  /// Released, and the camera's light off, after the last frame.
  private var device: CameraDevice?
  private let converter: PictureConverter
  package let size: PictureSize
  package let framesPerSecond: Double
  /// The format that was negotiated, for the log.
  package let format: PixelFormat
  private let isStopped = Atomic(false)

  /// How long a wait may last before `stop` is looked at.
  private static let waitMilliseconds: Int32 = 100
  /// A camera that gives nothing readable for this many waits has failed.
  private static let patience = 50
  /// No driver holds more finished frames: beyond them it is giving the same ones again.
  private static let mostWaiting = 32

  /// `device` is a path, or `nil` for the first camera that works.
  package convenience init(
    device path: String?, wanted: PictureSize, framesPerSecond: Double,
    calls: any DeviceCalls = KernelCalls()
  ) throws(MediaError) {
    if let path {
      try self.init(
        CameraDevice(path, calls: calls), wanted: wanted, framesPerSecond: framesPerSecond)
    } else {
      try self.init(
        anyOf: Cameras.look(calls: calls), wanted: wanted, framesPerSecond: framesPerSecond,
        calls: calls)
    }
  }

  private convenience init(
    anyOf found: (cameras: [CameraEntry], refused: [MediaError]), wanted: PictureSize,
    framesPerSecond: Double, calls: any DeviceCalls
  ) throws(MediaError) {
    var failure: MediaError?
    var started: Started?
    for camera in found.cameras where started == nil {
      do {
        started = try Started(
          CameraDevice(camera.path, calls: calls), wanted: wanted, framesPerSecond: framesPerSecond)
      } catch { failure = failure ?? error }
    }
    guard let started else {
      throw failure ?? found.refused.first
        ?? MediaError(
          .absent, "this computer has no camera",
          remedy: "plug one in, or join with --video file:PATH, pattern or none")
    }
    self.init(started)
  }

  private convenience init(
    _ device: CameraDevice, wanted: PictureSize, framesPerSecond: Double
  ) throws(MediaError) {
    self.init(try Started(device, wanted: wanted, framesPerSecond: framesPerSecond))
  }

  private init(_ started: Started) {
    device = started.device
    size = started.mode.size
    framesPerSecond = started.mode.framesPerSecond
    format = started.mode.format
    converter = PictureConverter(
      from: started.mode.format, size: started.mode.size, stride: started.stride)
  }

  /// A device that streams, and what its driver granted.
  private struct Started {
    let device: CameraDevice
    let mode: CaptureMode
    let stride: Int

    init(
      _ device: CameraDevice, wanted: PictureSize, framesPerSecond: Double
    ) throws(MediaError) {
      guard device.captureName() != nil,
        let best = device.modes(wanted: wanted).best(for: wanted, framesPerSecond: framesPerSecond)
      else {
        throw MediaError(
          .unsupported, "\(device.path) is not a camera that p2pcall can use",
          remedy: "choose one that p2pcall devices lists, with --video camera:DEVICE",
          device: device.path)
      }
      self.device = device
      (mode, stride) = try device.start(best, framesPerSecond: framesPerSecond)
    }
  }

  /// After `nil` or an error the camera is free for others.
  package func nextFrame() throws(MediaError) -> VideoFrame? {
    guard let device else { return nil }
    do {
      if let frame = try nextFrame(of: device) { return frame }
    } catch {
      self.device = nil
      throw error
    }
    self.device = nil
    return nil
  }

  private func nextFrame(of device: CameraDevice) throws(MediaError) -> VideoFrame? {
    for _ in 0..<Self.patience {
      if isStopped.load(ordering: .acquiring) { return nil }
      if let frame = try newestFrame(of: device) { return frame }
    }
    throw MediaError(
      .failed, "the camera \(device.path) gives no pictures",
      remedy: "unplug it, plug it in again and write /camera on, or choose another with "
        + "--video camera:DEVICE", device: device.path)
  }

  /// The newest of the frames that wait: late is never queued behind late.
  private func newestFrame(of device: CameraDevice) throws(MediaError) -> VideoFrame? {
    var frame: VideoFrame?
    for number in 0..<Self.mostWaiting {
      let milliseconds = number == 0 ? Self.waitMilliseconds : 0
      let wasThere = try device.nextFrame(milliseconds: milliseconds) { bytes, time in
        guard let picture = converter.picture(of: bytes) else { return }
        let now = clinux_now()
        // A driver's stamp that cannot be is not believed.
        let isSane = time > 0 && time <= now && now - time < 1_000_000_000
        frame = VideoFrame(
          picture: picture, capturedAt: Instant(nanoseconds: isSane ? time : now))
      }
      if !wasThere { break }
    }
    return frame
  }

  package func stop() { isStopped.store(true, ordering: .releasing) }
}
