import CLinux

/// Why a file or directory cannot be used: one sentence for the user that ends with what to do.
package struct FileProblem: Error, Hashable, CustomStringConvertible, Sendable {
  package let description: String

  package init(_ sentence: String) { description = sentence }

  /// A system call on `path` has just failed.
  static func last(_ doing: String, _ path: String) -> FileProblem {
    FileProblem(doing, path, code: clinux_get_errno())
  }

  init(_ doing: String, _ path: String, code: Int32) {
    let remedy =
      switch code {
      case ENOSPC, EDQUOT: "free some space on that disk"
      case EROFS: "choose a place that can be written to"
      case EACCES, EPERM: "check its owner and permissions"
      case ENOENT, ENOTDIR: "check the path"
      case ELOOP: "replace the symbolic link by the file itself"
      default: "check the disk"
      }
    description = "cannot \(doing) \(path): \(String(cString: strerror(code))); \(remedy)"
  }
}

/// Repeats a call that a signal interrupted.
func uninterrupted<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result >= 0 || clinux_get_errno() != EINTR { return result }
  }
}

/// The one owner of a file descriptor, closed when it goes.
struct FileDescriptor: ~Copyable {
  let number: Int32
  init(owning number: Int32) { self.number = number }
  deinit { close(number) }
}
