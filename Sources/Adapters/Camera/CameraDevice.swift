import CV4L
import Media

/// An open V4L2 device: what it is, what it offers, and its streaming buffers. Everything is
/// released when it goes.
final class CameraDevice {
  private let calls: any DeviceCalls
  private let descriptor: Int32
  let path: String
  private var buffers: [(start: UnsafeMutableRawPointer, length: Int)] = []
  private var isStreaming = false

  private static let bufferCount: UInt32 = 4
  /// No camera names more; a broken one could name modes for ever.
  private static let listLimit: UInt32 = 256

  init(_ path: String, calls: any DeviceCalls) throws(MediaError) {
    self.calls = calls
    self.path = path
    descriptor = calls.open(path)
    guard descriptor >= 0 else { throw CameraDevice.error(-descriptor, path) }
  }

  deinit {
    if isStreaming {
      var type = Int32(bitPattern: cv4l_CAPTURE)
      _ = calls.control(descriptor, cv4l_STREAMOFF, &type)
    }
    for buffer in buffers { calls.unmap(buffer.start, length: buffer.length) }
    if descriptor >= 0 { calls.close(descriptor) }
  }

  /// The card's name; `nil` for a node that captures no video (metadata and output nodes).
  func captureName() -> String? {
    var capability = v4l2_capability()
    guard control(cv4l_QUERYCAP, &capability) >= 0 else { return nil }
    let needed = cv4l_CAP_CAPTURE | cv4l_CAP_STREAMING
    guard cv4l_abilities(&capability) & needed == needed else { return nil }
    var name = [CChar](repeating: 0, count: 33)
    cv4l_card(&capability, &name)
    let text = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return String(decoding: text, as: UTF8.self)
  }

  /// All modes whose format is understood. Of sizes in a range those that cameras usually have, and
  /// the one that is wanted.
  func modes(wanted: PictureSize? = nil) -> [CaptureMode] {
    var found: [CaptureMode] = []
    for index in 0..<Self.listLimit {
      var description = v4l2_fmtdesc()
      description.index = index
      description.type = cv4l_CAPTURE
      guard control(cv4l_ENUM_FMT, &description) >= 0 else { break }
      guard let format = PixelFormat(fourCC: description.pixelformat) else { continue }
      found += modes(of: format, fourCC: description.pixelformat, wanted: wanted)
    }
    return found
  }

  private func modes(
    of format: PixelFormat, fourCC: UInt32, wanted: PictureSize?
  ) -> [CaptureMode] {
    var found: [CaptureMode] = []
    for index in 0..<Self.listLimit {
      var entry = v4l2_frmsizeenum()
      entry.index = index
      entry.pixel_format = fourCC
      guard control(cv4l_ENUM_FRAMESIZES, &entry) >= 0 else { break }
      if entry.type == cv4l_DISCRETE_SIZE {
        let size = PictureSize(
          width: Int(cv4l_size_width(&entry)), height: Int(cv4l_size_height(&entry)))
        if size.isValid { found += rates(of: format, fourCC: fourCC, size: size) }
      } else {
        let width = Int(cv4l_range_width(&entry))
        let height = Int(cv4l_range_height(&entry))
        let sizes = Self.usualSizes + (wanted.map { [$0] } ?? [])
        for size in sizes where size.width <= width && size.height <= height {
          found += rates(of: format, fourCC: fourCC, size: size)
        }
        break
      }
    }
    return found
  }

  private static let usualSizes = [
    PictureSize(width: 320, height: 240), PictureSize(width: 640, height: 360),
    PictureSize(width: 640, height: 480), PictureSize(width: 960, height: 540),
    PictureSize(width: 1280, height: 720), PictureSize(width: 1920, height: 1080),
  ]

  private func rates(of format: PixelFormat, fourCC: UInt32, size: PictureSize) -> [CaptureMode] {
    var best = 0.0
    for index in 0..<Self.listLimit {
      var entry = v4l2_frmivalenum()
      entry.index = index
      entry.pixel_format = fourCC
      entry.width = UInt32(size.width)
      entry.height = UInt32(size.height)
      guard control(cv4l_ENUM_FRAMEINTERVALS, &entry) >= 0 else { break }
      best = max(best, cv4l_rate(&entry))
      if entry.type != cv4l_DISCRETE_RATE { break }
    }
    // A driver that names no rates (v4l2loopback) gives what its writer gives.
    return [CaptureMode(format: format, size: size, framesPerSecond: best > 0 ? best : 30)]
  }

  /// Sets the mode and starts streaming; returns what the driver granted.
  func start(
    _ mode: CaptureMode, framesPerSecond: Double
  ) throws(MediaError) -> (mode: CaptureMode, stride: Int) {
    var format = v4l2_format()
    cv4l_set_format(
      &format, UInt32(mode.size.width), UInt32(mode.size.height), mode.format.fourCC)
    try check(control(cv4l_S_FMT, &format))
    let granted = cv4l_granted_format(&format)
    let size = PictureSize(width: Int(granted.width), height: Int(granted.height))
    guard let pixels = PixelFormat(fourCC: granted.pixelformat), size.isValid else {
      throw MediaError(
        .unsupported, "the camera \(path) gives no picture format that p2pcall reads",
        remedy: "choose another camera that p2pcall devices lists", device: path)
    }
    var parameters = v4l2_streamparm()
    cv4l_set_rate(&parameters, 1_000, UInt32(min(framesPerSecond, mode.framesPerSecond) * 1_000))
    // Drivers without a choice of rates refuse; then theirs stands.
    let isRateSet = control(cv4l_S_PARM, &parameters) >= 0
    let rate = isRateSet ? cv4l_granted_rate(&parameters) : 0
    try startStreaming()
    return (
      CaptureMode(
        format: pixels, size: size, framesPerSecond: rate > 0 ? rate : mode.framesPerSecond),
      Int(granted.bytesperline)
    )
  }

  private func startStreaming() throws(MediaError) {
    var request = v4l2_requestbuffers()
    request.count = Self.bufferCount
    request.type = cv4l_CAPTURE
    request.memory = cv4l_MMAP
    try check(control(cv4l_REQBUFS, &request))
    for index in 0..<min(request.count, 32) {
      var buffer = description(of: index)
      try check(control(cv4l_QUERYBUF, &buffer))
      let length = Int(buffer.length)
      guard let start = calls.map(descriptor, length: length, offset: cv4l_offset(&buffer)) else {
        throw CameraDevice.error(ENOMEM, path)
      }
      buffers.append((start, length))
      try check(control(cv4l_QBUF, &buffer))
    }
    var type = Int32(bitPattern: cv4l_CAPTURE)
    try check(control(cv4l_STREAMON, &type))
    isStreaming = true
  }

  /// Waits for a frame and hands over its bytes and its driver's monotonic time in nanoseconds
  /// (0: unknown); false when the time is over.
  func nextFrame(
    milliseconds: Int32, _ body: (UnsafeMutableRawBufferPointer, Int64) -> Void
  ) throws(MediaError) -> Bool {
    let ready = calls.wait(descriptor, milliseconds: milliseconds)
    if ready == 0 { return false }
    guard ready > 0 else { throw CameraDevice.error(ENODEV, path) }
    var buffer = description(of: 0)
    let code = control(cv4l_DQBUF, &buffer)
    if code == -EAGAIN { return false }
    try check(code)
    let index = Int(buffer.index)
    guard buffers.indices.contains(index) else { throw CameraDevice.error(EIO, path) }
    // A frame that the driver itself marks as damaged is not shown.
    let isDamaged = buffer.flags & cv4l_BUFFER_ERROR != 0
    if !isDamaged {
      let count = min(Int(buffer.bytesused), buffers[index].length)
      body(
        UnsafeMutableRawBufferPointer(start: buffers[index].start, count: count),
        cv4l_timestamp(&buffer))
    }
    try check(control(cv4l_QBUF, &buffer))
    return !isDamaged
  }

  private func description(of index: UInt32) -> v4l2_buffer {
    var buffer = v4l2_buffer()
    buffer.index = index
    buffer.type = cv4l_CAPTURE
    buffer.memory = cv4l_MMAP
    return buffer
  }

  private func control<Argument>(_ request: UInt, _ argument: inout Argument) -> Int32 {
    withUnsafeMutableBytes(of: &argument) {
      guard let base = $0.baseAddress else { return -EINVAL }
      return calls.control(descriptor, request, base)
    }
  }

  private func check(_ code: Int32) throws(MediaError) {
    if code < 0 { throw CameraDevice.error(-code, path) }
  }

  private static func error(_ code: Int32, _ path: String) -> MediaError {
    let other = "choose another with --video camera:DEVICE"
    let (kind, message, remedy): (MediaError.Kind, String, String) =
      switch code {
      case ENOENT, ENXIO:
        (
          .absent, "there is no camera \(path)",
          "choose one that p2pcall devices lists, with --video camera:DEVICE"
        )
      case EBUSY:
        (.busy, "another program uses the camera \(path)", "end that program, or \(other)")
      case EACCES, EPERM:
        (
          .denied, "the camera \(path) may not be opened",
          "add yourself to the group video, then log in again"
        )
      case ENODEV:
        (.ended, "the camera \(path) was unplugged", "plug it in again and write /camera on")
      case ENOTTY, EINVAL:
        (
          .unsupported, "\(path) is not a camera that p2pcall can use",
          "choose one that p2pcall devices lists, with --video camera:DEVICE"
        )
      default:
        (
          .failed, "the camera \(path) failed: \(String(cString: strerror(code)))",
          "unplug it, plug it in again and write /camera on, or \(other)"
        )
      }
    return MediaError(kind, message, remedy: remedy, device: path)
  }
}
