import CV4L
import Camera
import Media
import Synchronization

/// A V4L2 device at the level of system calls: it offers modes, grants formats, and fills the
/// mapped buffers with the frames that the test gives it.
final class FakeCamera: DeviceCalls, @unchecked Sendable {
  struct Mode {
    var format: PixelFormat
    var size: PictureSize
    var framesPerSecond: UInt32
  }

  var modes: [Mode]
  /// −errno of `open`; 0 opens.
  var openFailure: Int32 = 0
  /// The same for one node; nodes beyond `nodeCount` are not there.
  var openFailures: [String: Int32] = [:]
  var nodeCount = 1
  /// Nodes whose buffers another program holds.
  var busyNodes: Set<String> = []
  /// A driver that always has another frame ready, the last one again.
  var repeatsLast = false
  /// Bytes of the frames to deliver, in order; afterwards `endFailure`.
  var frames: [[UInt8]] = []
  /// Driver's mark that the frame of this number is damaged.
  var damaged: Set<Int> = []
  var endFailure: Int32 = -ENODEV
  private(set) var granted: (format: PixelFormat, size: PictureSize)?
  private(set) var requestedRate: UInt32?
  private(set) var openCount = 0
  private(set) var mappedCount = 0
  private var queued: [UInt32] = []
  private var buffers: [UnsafeMutableRawPointer] = []
  private var delivered = 0
  private let bufferLength = 4 << 20

  init(_ modes: [Mode]) { self.modes = modes }

  func open(_ path: String) -> Int32 {
    if openFailure < 0 { return openFailure }
    if let failure = openFailures[path] { return failure }
    guard let number = Int32(path.dropFirst("/dev/video".count)), number < nodeCount else {
      return -ENOENT
    }
    openCount += 1
    return 77 + number
  }

  func close(_ descriptor: Int32) { openCount -= 1 }

  func map(_ descriptor: Int32, length: Int, offset: UInt32) -> UnsafeMutableRawPointer? {
    mappedCount += 1
    let start = UnsafeMutableRawPointer.allocate(byteCount: length, alignment: 16)
    buffers.append(start)
    return start
  }

  func unmap(_ start: UnsafeMutableRawPointer, length: Int) {
    mappedCount -= 1
    start.deallocate()
  }

  func wait(_ descriptor: Int32, milliseconds: Int32) -> Int32 {
    // One frame at a time, as a camera would: nothing more waits behind it.
    if milliseconds == 0 { return repeatsLast ? 1 : 0 }
    return delivered < frames.count || endFailure < 0 ? 1 : 0
  }

  func control(_ descriptor: Int32, _ request: UInt, _ argument: UnsafeMutableRawPointer) -> Int32 {
    switch request {
    case cv4l_QUERYCAP:
      let capability = argument.assumingMemoryBound(to: v4l2_capability.self)
      capability.pointee.capabilities = cv4l_CAP_CAPTURE | cv4l_CAP_STREAMING
      withUnsafeMutableBytes(of: &capability.pointee.card) { $0.copyBytes(from: "Fake".utf8) }
      return 0
    case cv4l_ENUM_FMT:
      let description = argument.assumingMemoryBound(to: v4l2_fmtdesc.self)
      let formats = PixelFormat.allCases.filter { one in modes.contains { $0.format == one } }
      let index = Int(description.pointee.index)
      guard index < formats.count else { return -EINVAL }
      description.pointee.pixelformat = formats[index].fourCC
      return 0
    case cv4l_ENUM_FRAMESIZES:
      let entry = argument.assumingMemoryBound(to: v4l2_frmsizeenum.self)
      let sizes = modes.filter { $0.format.fourCC == entry.pointee.pixel_format }.map(\.size)
      let index = Int(entry.pointee.index)
      guard index < sizes.count else { return -EINVAL }
      entry.pointee.type = cv4l_DISCRETE_SIZE
      entry.pointee.discrete.width = UInt32(sizes[index].width)
      entry.pointee.discrete.height = UInt32(sizes[index].height)
      return 0
    case cv4l_ENUM_FRAMEINTERVALS:
      let entry = argument.assumingMemoryBound(to: v4l2_frmivalenum.self)
      let mode = modes.first {
        $0.format.fourCC == entry.pointee.pixel_format
          && $0.size.width == Int(entry.pointee.width)
          && $0.size.height == Int(entry.pointee.height)
      }
      guard entry.pointee.index == 0, let mode else { return -EINVAL }
      entry.pointee.type = cv4l_DISCRETE_RATE
      entry.pointee.discrete.numerator = 1
      entry.pointee.discrete.denominator = mode.framesPerSecond
      return 0
    case cv4l_S_FMT: return setFormat(argument.assumingMemoryBound(to: v4l2_format.self))
    case cv4l_S_PARM:
      let parameters = argument.assumingMemoryBound(to: v4l2_streamparm.self)
      requestedRate = parameters.pointee.parm.capture.timeperframe.denominator / 1_000
      return 0
    case cv4l_REQBUFS: return busyNodes.contains("/dev/video\(descriptor - 77)") ? -EBUSY : 0
    case cv4l_QUERYBUF:
      let buffer = argument.assumingMemoryBound(to: v4l2_buffer.self)
      buffer.pointee.length = UInt32(bufferLength)
      return 0
    case cv4l_QBUF:
      queued.append(argument.assumingMemoryBound(to: v4l2_buffer.self).pointee.index)
      return 0
    case cv4l_DQBUF: return dequeue(argument.assumingMemoryBound(to: v4l2_buffer.self))
    default: return 0
    }
  }

  private func setFormat(_ format: UnsafeMutablePointer<v4l2_format>) -> Int32 {
    let wanted = cv4l_granted_format(format)
    guard let pixels = PixelFormat(fourCC: wanted.pixelformat) else { return -EINVAL }
    granted = (pixels, PictureSize(width: Int(wanted.width), height: Int(wanted.height)))
    cv4l_grant_format(format, pixels == .yuyv ? wanted.width * 2 : wanted.width, 0)
    return 0
  }

  private func dequeue(_ buffer: UnsafeMutablePointer<v4l2_buffer>) -> Int32 {
    if repeatsLast, delivered == frames.count { delivered -= 1 }
    guard delivered < frames.count else { return endFailure }
    guard !queued.isEmpty else { return -EAGAIN }
    let index = queued.removeFirst()
    let frame = frames[delivered]
    buffers[Int(index)].copyMemory(from: frame, byteCount: frame.count)
    buffer.pointee.index = index
    buffer.pointee.bytesused = UInt32(frame.count)
    buffer.pointee.flags = damaged.contains(delivered) ? cv4l_BUFFER_ERROR : 0
    delivered += 1
    return 0
  }
}
