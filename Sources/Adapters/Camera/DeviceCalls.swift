import CV4L

/// The system calls that a camera needs, so that tests can be a camera themselves.
package protocol DeviceCalls: Sendable {
  /// A descriptor, or −errno.
  func open(_ path: String) -> Int32
  /// 0 or more, or −errno.
  func control(_ descriptor: Int32, _ request: UInt, _ argument: UnsafeMutableRawPointer) -> Int32
  func map(_ descriptor: Int32, length: Int, offset: UInt32) -> UnsafeMutableRawPointer?
  func unmap(_ start: UnsafeMutableRawPointer, length: Int)
  /// 1 when a frame waits, 0 when the time is over, negative when the device failed.
  func wait(_ descriptor: Int32, milliseconds: Int32) -> Int32
  func close(_ descriptor: Int32)
}

/// The kernel.
package struct KernelCalls: DeviceCalls {
  package init() {}

  package func open(_ path: String) -> Int32 {
    let descriptor = cv4l_open(path)
    return descriptor < 0 ? -cv4l_errno() : descriptor
  }
  package func control(
    _ descriptor: Int32, _ request: UInt, _ argument: UnsafeMutableRawPointer
  ) -> Int32 {
    let code = cv4l_ioctl(descriptor, request, argument)
    return code < 0 ? -cv4l_errno() : code
  }
  package func map(
    _ descriptor: Int32, length: Int, offset: UInt32
  ) -> UnsafeMutableRawPointer? {
    cv4l_map(descriptor, length, offset)
  }
  package func unmap(_ start: UnsafeMutableRawPointer, length: Int) { munmap(start, length) }
  package func wait(_ descriptor: Int32, milliseconds: Int32) -> Int32 {
    cv4l_wait(descriptor, milliseconds)
  }
  package func close(_ descriptor: Int32) { _ = CV4L.close(descriptor) }
}
