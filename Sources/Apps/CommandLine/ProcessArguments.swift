import Glibc

/// The program's own arguments.
package enum ProcessArguments {
  /// Copies the arguments (without the program's name) and overwrites the originals, so that a room
  /// id is not seen in `ps` or /proc/self/cmdline. Called once, before any thread starts.
  package static func takeAndHide() -> [String] {
    let count = Int(Swift.CommandLine.argc)
    let pointers = Swift.CommandLine.unsafeArgv
    var arguments: [String] = []
    for index in 1..<max(1, count) {
      guard let pointer = pointers[index] else { continue }
      arguments.append(String(cString: pointer))
      memset(pointer, 0, strlen(pointer))
    }
    return arguments
  }
}
