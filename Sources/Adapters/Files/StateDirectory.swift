import CLinux

/// A directory of this user's own: keys, pinned peers, accepted servers. Files in it are 0600,
/// read and written whole, and replaced atomically under a lock that all processes share.
package struct StateDirectory: Sendable {
  package let path: String
  private let calls: FileCalls

  package enum Purpose: Sendable {
    /// XDG_CONFIG_HOME/p2pcall: what the user would take along to another computer.
    case configuration
    /// XDG_STATE_HOME/p2pcall: what grows by use.
    case state
  }

  /// The standard place, by the XDG base directory specification; made where it is missing.
  /// `environment` looks a variable up.
  package static func standard(
    _ purpose: Purpose, environment: (String) -> String? = environmentVariable
  ) throws(FileProblem) -> StateDirectory {
    let (variable, fallback) =
      switch purpose {
      case .configuration: ("XDG_CONFIG_HOME", ".config")
      case .state: ("XDG_STATE_HOME", ".local/state")
      }
    // The specification wants relative paths ignored.
    if let base = environment(variable), base.hasPrefix("/") {
      return try StateDirectory("\(base)/p2pcall")
    }
    guard let home = environment("HOME"), home.hasPrefix("/") else {
      throw FileProblem(
        "there is no home directory to keep keys in; set HOME, or \(variable), to one of yours")
    }
    return try StateDirectory("\(home)/\(fallback)/p2pcall")
  }

  /// Made with mode 0700 where it is missing, its parents too. Refused when it is not this
  /// user's, or when others may write to it.
  package init(_ path: String, calls: FileCalls = .kernel) throws(FileProblem) {
    self.path = path
    self.calls = calls
    try Self.makeDirectories(path)
    let directory = try open()
    var status = stat()
    guard fstat(directory.number, &status) == 0 else { throw .last("look at", path) }
    guard status.st_uid == geteuid() else {
      throw FileProblem("\(path) belongs to another user; choose a directory of your own")
    }
    guard status.st_mode & 0o022 == 0 else {
      throw FileProblem("others may write to \(path); run chmod go-w \(path)")
    }
  }

  private static func makeDirectories(_ path: String) throws(FileProblem) {
    if mkdir(path, 0o700) == 0 {
      // The mode of mkdir is narrowed by the umask only; this makes it exact.
      _ = chmod(path, 0o700)
      return
    }
    switch clinux_get_errno() {
    case EEXIST: return
    case ENOENT:
      guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
        throw .last("make the directory", path)
      }
      try makeDirectories(String(path[..<slash]))
      guard mkdir(path, 0o700) == 0 || clinux_get_errno() == EEXIST else {
        throw .last("make the directory", path)
      }
    default: throw .last("make the directory", path)
    }
  }

  private func open() throws(FileProblem) -> FileDescriptor {
    let number = clinux_open(path, O_RDONLY | O_DIRECTORY, 0)
    guard number >= 0 else { throw .last("open", path) }
    return FileDescriptor(owning: number)
  }

  package func path(of name: String) -> String { "\(path)/\(name)" }

  // MARK: Reading

  /// A file's bytes, or `nil` when there is none. At most `limit` bytes: longer is refused.
  package func read(_ name: String, limit: Int = 16 << 20) throws(FileProblem) -> [UInt8]? {
    try read(name, limit: limit, isSecret: false)
  }

  /// The same for keys: refused when it is a symbolic link, not this user's, or when others may
  /// read it.
  package func readSecret(
    _ name: String, limit: Int = 1 << 20
  ) throws(FileProblem) -> [UInt8]? {
    try read(name, limit: limit, isSecret: true)
  }

  private func read(
    _ name: String, limit: Int, isSecret: Bool
  ) throws(FileProblem) -> [UInt8]? {
    let directory = try open()
    let shown = path(of: name)
    // Not blocking, since a FIFO in its place would wait for a writer.
    let flags = O_RDONLY | O_NONBLOCK | (isSecret ? O_NOFOLLOW : 0)
    let number = clinux_open_at(directory.number, name, flags, 0)
    if number < 0, clinux_get_errno() == ENOENT { return nil }
    guard number >= 0 else { throw .last("read", shown) }
    let file = FileDescriptor(owning: number)
    return try readAll(file, shown, limit: limit, isSecret: isSecret)
  }

  // MARK: Writing

  /// Replaces the file, or leaves it as it was: written beside it, forced to the disk, renamed.
  package func write(_ name: String, _ bytes: [UInt8]) throws(FileProblem) {
    let directory = try open()
    let lock = try lock(directory)
    defer { lock.release() }
    try replace(name, bytes, in: directory)
  }

  /// Reads, changes and replaces a file with no other process in between. `change` gets the
  /// bytes or `nil`, and returns what to write, or `nil` for no change.
  package func update(
    _ name: String, _ change: ([UInt8]?) throws(FileProblem) -> [UInt8]?
  ) throws(FileProblem) {
    let directory = try open()
    let lock = try lock(directory)
    defer { lock.release() }
    guard let changed = try change(try read(name)) else { return }
    try replace(name, changed, in: directory)
  }

  /// Makes the file unless another process was first; returns what it then holds.
  package func readSecret(
    _ name: String, orMake make: () -> [UInt8]
  ) throws(FileProblem) -> [UInt8] {
    let directory = try open()
    let lock = try lock(directory)
    defer { lock.release() }
    if let found = try readSecret(name) { return found }
    let made = make()
    try replace(name, made, in: directory)
    return made
  }

  private struct Lock {
    let descriptor: Int32
    func release() { close(descriptor) }
  }

  /// Waits for other processes; the kernel lets go when a holder dies.
  private func lock(_ directory: borrowing FileDescriptor) throws(FileProblem) -> Lock {
    let number = clinux_open_at(
      directory.number, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
    guard number >= 0 else { throw .last("lock", path) }
    guard uninterrupted({ flock(number, LOCK_EX) }) == 0 else {
      defer { close(number) }
      throw .last("lock", path)
    }
    return Lock(descriptor: number)
  }

  private func replace(
    _ name: String, _ bytes: [UInt8], in directory: borrowing FileDescriptor
  ) throws(FileProblem) {
    let shown = path(of: name)
    // Under the lock there is one writer: a file of this name was left by one who died.
    let beside = ".\(name).new"
    _ = unlinkat(directory.number, beside, 0)
    let number = clinux_open_at(
      directory.number, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    guard number >= 0 else { throw .last("write", shown) }
    let file = FileDescriptor(owning: number)
    var code = fchmod(file.number, 0o600) == 0 ? 0 : clinux_get_errno()
    if code == 0 { code = calls.writeAll(bytes, to: file.number) }
    if code == 0, calls.synchronize(file.number) != 0 { code = clinux_get_errno() }
    if code == 0, renameat(directory.number, beside, directory.number, name) != 0 {
      code = clinux_get_errno()
    }
    guard code == 0 else {
      _ = unlinkat(directory.number, beside, 0)
      throw FileProblem("write", shown, code: code)
    }
    // The name itself; where that is impossible the old file may come back, whole.
    _ = calls.synchronize(directory.number)
  }
}

/// A variable of this process's environment.
package func environmentVariable(_ name: String) -> String? {
  getenv(name).map { String(cString: $0) }
}
