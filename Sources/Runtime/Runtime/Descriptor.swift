import CLinux

/// The one owner of a file descriptor, closed when it goes.
package struct Descriptor: ~Copyable, Sendable {
  package let number: Int32

  package init(owning number: Int32) { self.number = number }

  deinit { close(number) }

  /// Takes the result of a call that returns a descriptor or -1.
  static func checked(
    _ operation: String, _ number: Int32
  ) throws(SystemError) -> Descriptor {
    guard number >= 0 else { throw .last(operation) }
    return Descriptor(owning: number)
  }

  /// Lets go of the descriptor without closing it.
  package consuming func release() -> Int32 {
    let released = number
    discard self
    return released
  }
}
