import CLinux
import Media

/// The running `p2pcall-media`: killed and reaped with this object.
final class ClipHelper {
  let output: PipeEnd
  let process: Int32

  /// Starts it; `arguments` come after its name.
  init(_ arguments: [String]) throws(MediaError) {
    let program = Self.path
    guard access(program, X_OK) == 0 else {
      throw MediaError(
        .absent, "p2pcall-media, which reads media files, is not at \(program)",
        remedy: "install it beside p2pcall, or name it in P2PCALL_MEDIA")
    }
    var ends: [Int32] = [-1, -1]
    let null = clinux_open("/dev/null", O_RDWR, 0)
    let input = clinux_duplicate(null)
    close(null)
    guard clinux_pipe(&ends) == 0, input >= 0 else {
      close(input)
      throw MediaError(
        .failed, "this process has too many files open", remedy: "raise the limit (ulimit -n)")
    }
    let child = clinux_duplicate(ends[1])
    close(ends[1])
    output = PipeEnd(readingFrom: ends[0])
    // A helper that can write a whole picture sleeps once instead of a dozen times.
    _ = clinux_set_pipe_size(ends[0], 1 << 20)
    var started: Int32 = 0
    var words = ([program] + arguments).map { strdup($0) } + [nil]
    let code = clinux_spawn(
      &started, program, &words, clinux_environment(), input, child, input)
    for word in words { free(word) }
    close(child)
    close(input)
    guard code == 0 else {
      throw MediaError(
        .failed, "\(program) could not be started (\(String(cString: strerror(code))))",
        remedy: "check that it is this computer's program")
    }
    process = started
  }

  deinit {
    kill(process, SIGKILL)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, clinux_get_errno() == EINTR {}
  }

  /// `P2PCALL_MEDIA`, or beside the running program.
  private static var path: String {
    if let named = getenv("P2PCALL_MEDIA") { return String(cString: named) }
    var buffer = [UInt8](repeating: 0, count: 4_096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    let own = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    return own.prefix(through: own.lastIndex(of: "/") ?? own.startIndex) + "p2pcall-media"
  }
}
