import CLinux
import Media

/// An open FIFO, file or standard stream, closed with this object.
final class PipeEnd: Sendable {
  let number: Int32
  /// A regular file: always ready, so it does not pace whoever reads it.
  let isRegular: Bool

  private init(number: Int32, isRegular: Bool) {
    self.number = number
    self.isRegular = isRegular
  }

  /// Takes a pipe's reading end over.
  init(readingFrom pipe: Int32) {
    number = pipe
    isRegular = false
  }

  deinit { close(number) }

  /// Opens for reading; `-` is standard input. A FIFO opens at once, even before its writer does.
  static func reading(_ path: String) throws(MediaError) -> PipeEnd {
    let number =
      path == "-" ? clinux_duplicate(0) : clinux_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0)
    guard number >= 0 else { throw failure(path, clinux_get_errno(), "read") }
    return try end(number, path)
  }

  /// Opens for writing, or creates a file; `-` is standard output. `nil` while a FIFO has no reader.
  static func writing(_ path: String) throws(MediaError) -> PipeEnd? {
    if path == "-" { return try end(clinux_duplicate(1), path) }
    let flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CREAT | O_TRUNC
    let number = clinux_open(path, flags, 0o666)
    guard number >= 0 else {
      let code = clinux_get_errno()
      if code == ENXIO { return nil }
      throw failure(path, code, "write")
    }
    return try end(number, path)
  }

  private static func end(_ number: Int32, _ path: String) throws(MediaError) -> PipeEnd {
    var status = stat()
    guard number >= 0, fstat(number, &status) == 0 else {
      throw failure(path, clinux_get_errno(), "open")
    }
    let end = PipeEnd(number: number, isRegular: clinux_is_regular(status.st_mode) != 0)
    guard clinux_is_directory(status.st_mode) == 0 else { throw failure(path, EISDIR, "read") }
    return end
  }

  private static func failure(_ path: String, _ code: Int32, _ verb: String) -> MediaError {
    switch code {
    case ENOENT:
      MediaError(.absent, "there is no \(path)", remedy: "check the name, or make it with mkfifo")
    case EACCES, EPERM, EROFS:
      MediaError(
        .denied, "\(path) may not be \(verb == "write" ? "written" : "read")",
        remedy: "check its permissions")
    case EISDIR:
      MediaError(.unsupported, "\(path) is a directory", remedy: "name a FIFO or a file")
    default:
      MediaError(
        .failed, "\(path) could not be opened (\(String(cString: strerror(code))))",
        remedy: "name another file")
    }
  }

  /// Reads 1…`count` bytes once there are any; 0 when the writer is gone, `nil` when stopped.
  func read(
    into target: UnsafeMutableRawPointer, count: Int, unless stop: StopSignal
  ) throws(MediaError) -> Int? {
    while true {
      guard stop.wait(for: number, events: POLLIN) == .ready else { return nil }
      let got = CLinux.read(number, target, count)
      if got >= 0 { return got }
      let code = clinux_get_errno()
      guard code == EAGAIN || code == EINTR else {
        throw MediaError(
          .failed, "reading failed (\(String(cString: strerror(code))))", remedy: "try again")
      }
    }
  }

  /// What a write came to.
  enum Written {
    case bytes(Int)
    /// No room now.
    case full
    /// The reader is gone.
    case gone
    case failed(String)
  }

  /// Writes what there is room for, without waiting and without SIGPIPE.
  func write(_ bytes: UnsafeRawBufferPointer) -> Written {
    // Blocked for this thread, the signal of a broken pipe stays pending and does no harm.
    var broken = sigset_t()
    sigemptyset(&broken)
    sigaddset(&broken, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &broken, nil)
    let count = CLinux.write(number, bytes.baseAddress, bytes.count)
    if count >= 0 { return .bytes(count) }
    switch clinux_get_errno() {
    case EAGAIN, EINTR: return .full
    case EPIPE: return .gone
    case let code: return .failed(String(cString: strerror(code)))
    }
  }
}
