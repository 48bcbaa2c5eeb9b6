import CLinux

/// The calls by which bytes reach a disk, so that tests can let them fail.
package struct FileCalls: Sendable {
  /// As write(2): may take fewer bytes than given.
  package var write: @Sendable (Int32, UnsafeRawBufferPointer) -> Int
  package var synchronize: @Sendable (Int32) -> Int32

  package init(
    write: @escaping @Sendable (Int32, UnsafeRawBufferPointer) -> Int,
    synchronize: @escaping @Sendable (Int32) -> Int32
  ) {
    self.write = write
    self.synchronize = synchronize
  }

  package static let kernel = FileCalls(
    write: { CLinux.write($0, $1.baseAddress, $1.count) }, synchronize: { fsync($0) })

  /// Writes all of it; an errno, or 0.
  func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    bytes.withUnsafeBytes { buffer in
      var start = 0
      while start < buffer.count {
        let rest = UnsafeRawBufferPointer(rebasing: buffer[start...])
        let count = uninterrupted { write(descriptor, rest) }
        if count < 0 { return clinux_get_errno() }
        // A device that takes nothing and reports nothing would be asked for ever.
        if count == 0 { return ENOSPC }
        start += count
      }
      return 0
    }
  }
}
