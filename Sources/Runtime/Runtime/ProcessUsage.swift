import CLinux
package import Units

/// What this process and all its descendants use, from /proc.
package struct ProcessUsage: Hashable, Sendable {
  /// Processor time, user and system, of those that live, and of the children they have reaped.
  package var processorTime: Interval
  package var residentMemory: ByteCount

  package init(processorTime: Interval, residentMemory: ByteCount) {
    self.processorTime = processorTime
    self.residentMemory = residentMemory
  }

  package static func current() -> ProcessUsage { tree(from: getpid()) }

  /// Of a process and its descendants; zero for one that does not exist.
  package static func tree(from root: Int32) -> ProcessUsage {
    var usage = ProcessUsage(processorTime: .zero, residentMemory: .zero)
    var pending = [root]
    while let process = pending.popLast() {
      usage.add(process)
      pending += children(of: process)
    }
    return usage
  }

  private mutating func add(_ process: Int32) {
    // The name in parentheses may hold anything: fields are counted from the last one (proc(5)).
    guard let line = readSmallFile("/proc/\(process)/stat"),
      let close = line.lastIndex(of: UInt8(ascii: ")"))
    else { return }
    let fields = line[line.index(after: close)...].split(separator: UInt8(ascii: " "))
    guard fields.count > 21 else { return }
    // Field 3, the state, is the first here: utime 14, stime 15, cutime 16, cstime 17, rss 24.
    let ticks = (11...14).reduce(Int64(0)) { $0 + (Int64(ascii: fields[$1]) ?? 0) }
    processorTime =
      processorTime + .nanoseconds(ticks * (1_000_000_000 / Int64(sysconf(Int32(_SC_CLK_TCK)))))
    residentMemory += ByteCount(
      Int(Int64(ascii: fields[21]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)))
  }

  private static func children(of process: Int32) -> [Int32] {
    guard let tasks = opendir("/proc/\(process)/task") else { return [] }
    defer { closedir(tasks) }
    var found: [Int32] = []
    while let entry = readdir(tasks) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard let task = Int32(name),
        let list = readSmallFile("/proc/\(process)/task/\(task)/children")
      else { continue }
      found += list.split(separator: UInt8(ascii: " ")).compactMap {
        Int64(ascii: $0).map { Int32(truncatingIfNeeded: $0) }
      }
    }
    return found
  }
}

/// At most 64 KiB of a file of /proc.
private func readSmallFile(_ path: String) -> [UInt8]? {
  let number = clinux_open(path, O_RDONLY, 0)
  guard number >= 0 else { return nil }
  let descriptor = Descriptor(owning: number)
  let bytes = [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, count in
    count = max(0, uninterrupted { read(descriptor.number, buffer.baseAddress, buffer.count) })
  }
  return bytes
}

extension Int64 {
  fileprivate init?(ascii bytes: ArraySlice<UInt8>) {
    self.init(String(decoding: bytes, as: UTF8.self))
  }
}
