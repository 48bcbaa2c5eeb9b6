import CLinux
import Media

/// Reads lines and blocks from a pipe's end. One thread uses it.
final class PipeReader {
  private let end: PipeEnd
  private let stopping: StopSignal
  /// What was read beyond a line's end.
  private var buffer = [UInt8](repeating: 0, count: 4_096)
  private var unread = 0..<0

  init(_ end: PipeEnd, stopping: StopSignal) {
    self.end = end
    self.stopping = stopping
  }

  enum Outcome<Value> {
    case value(Value)
    /// The writer is gone; `isClean` says that not a byte of the value had come.
    case over(isClean: Bool)
    case stopped
  }

  /// A line without its newline; one longer than `limit` is cut there.
  func line(limit: Int) throws(MediaError) -> Outcome<String> {
    var line: [UInt8] = []
    while line.count < limit {
      if unread.isEmpty {
        guard let got = try refill() else { return .stopped }
        if got == 0 { return .over(isClean: line.isEmpty) }
      }
      let byte = buffer[unread.lowerBound]
      unread = unread.lowerBound + 1..<unread.upperBound
      if byte == UInt8(ascii: "\n") { break }
      line.append(byte)
    }
    return .value(String(decoding: line, as: UTF8.self))
  }

  /// Fills `target`.
  func fill(_ target: UnsafeMutableRawBufferPointer) throws(MediaError) -> Outcome<Void> {
    guard let base = target.baseAddress else { return .value(()) }
    var filled = min(unread.count, target.count)
    buffer.withUnsafeBytes { bytes in
      target.copyMemory(
        from: UnsafeRawBufferPointer(
          rebasing: bytes[unread.lowerBound..<unread.lowerBound + filled]))
    }
    unread = unread.lowerBound + filled..<unread.upperBound
    while filled < target.count {
      guard
        let got = try end.read(
          into: base + filled, count: target.count - filled, unless: stopping)
      else { return .stopped }
      if got == 0 { return .over(isClean: filled == 0) }
      filled += got
    }
    return .value(())
  }

  private func refill() throws(MediaError) -> Int? {
    let target = UnsafeMutableRawPointer.allocate(byteCount: buffer.count, alignment: 1)
    defer { target.deallocate() }
    guard let got = try end.read(into: target, count: buffer.count, unless: stopping) else {
      return nil
    }
    buffer.withUnsafeMutableBytes {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: target, count: got))
    }
    unread = 0..<got
    return got
  }
}
