import CLinux

/// A system call that failed: what was tried, and errno.
package struct SystemError: Error, Hashable, CustomStringConvertible {
  /// What was tried, such as `listen on 0.0.0.0:7443`; never a secret.
  package var operation: String
  package var code: Int32

  package init(_ operation: String, code: Int32) {
    self.operation = operation
    self.code = code
  }

  /// errno of the call that has just failed.
  static func last(_ operation: String) -> SystemError {
    SystemError(operation, code: clinux_get_errno())
  }

  package var reason: String { String(cString: strerror(code)) }
  package var description: String { "\(operation): \(reason)" }

  /// This computer has no such address family, or no address of it.
  package var isMissingFamily: Bool { [EAFNOSUPPORT, EADDRNOTAVAIL].contains(code) }
  package var isAddressInUse: Bool { code == EADDRINUSE }
  /// No descriptors or kernel memory left: trying again later may help.
  package var isExhaustion: Bool { [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code) }
}

/// Repeats a call that a signal interrupted.
func uninterrupted<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result >= 0 || clinux_get_errno() != EINTR { return result }
  }
}
