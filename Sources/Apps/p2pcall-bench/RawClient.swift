import CLinux
import Judging
import Runtime
import Units

/// A TCP connection that says what it likes: what a server must survive.
final class RawClient {
  private let descriptor: Int32

  /// To 127.0.0.1.
  init(port: UInt16) throws(BenchError) {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let code = withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard descriptor >= 0, code == 0 else { throw BenchError("no connection to port \(port)") }
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) { _ = writeAll(descriptor, bytes) }

  /// Whether the server ends the connection within that time; what it says is passed over.
  func isClosed(within timeout: Interval) -> Bool {
    let end = Clock.now + timeout
    var chunk = [UInt8](repeating: 0, count: 4096)
    while Clock.now < end {
      var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let left = max(1, Int32(clamping: Int64((end - Clock.now).milliseconds)))
      guard poll(&waiting, 1, left) > 0 else { continue }
      if read(descriptor, &chunk, chunk.count) <= 0 { return true }
    }
    return false
  }
}
