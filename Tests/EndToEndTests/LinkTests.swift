import CLinux
import Foundation
import Testing

private let isRoot = geteuid() == 0 && access("/dev/net/tun", R_OK | W_OK) == 0

/// The built `p2pcall-link`: real datagrams through real devices. Counted, and compared with delays
/// that may be exceeded but never fallen short of.
@Suite(
  .serialized, .enabled(if: isRoot, "an emulated link needs root and /dev/net/tun; not tried here"))
struct LinkTests {
  private let programs: Programs
  private let link: RunningProgram
  private let left: DatagramSocket
  private let right: DatagramSocket
  private let hub: DatagramSocket

  init() throws {
    programs = try Programs()
    let scenario = """
      { "name": "link test", "seconds": 600,
        "forward": { "changes": [
          { "at": 0, "loss": 1 }
        ] },
        "flows": [ { "kind": "media", "name": "only", "delay": 30 } ] }
      """
    let path = programs.path("scenario.json")
    try Data(scenario.utf8).write(to: URL(fileURLWithPath: path))
    link = try programs.run("p2pcall-link", as: "link", [path])
    let ready = try link.awaitEvent("ready")
    let flow = try #require((ready["flows"] as? [[String: Any]])?.first)
    left = try DatagramSocket(flow["left"])
    right = try DatagramSocket(flow["right"])
    hub = try DatagramSocket(ready["hub"])
  }

  @Test func `datagrams pass with their delay, and none at full loss; the hub is always near`()
    throws
  {
    let began = DispatchTime.now().uptimeNanoseconds
    for number in 0..<100 {
      left.send([UInt8(number)] + [UInt8](repeating: 1, count: 999), to: right)
    }
    let passed = right.receive(100)
    #expect(passed.map { $0.first } == (0..<100).map { UInt8($0) })
    #expect(passed.allSatisfy { $0.count == 1_000 })
    #expect(DispatchTime.now().uptimeNanoseconds - began >= 30_000_000)

    link.say("start")
    try link.awaitEvent("started")
    try link.awaitEvent("sample")
    for number in 0..<100 { left.send([UInt8(number)], to: right) }
    for number in 0..<100 { right.send([UInt8(number)], to: left) }
    #expect(left.receive(100).count == 100)
    left.send([1, 2, 3], to: hub)
    #expect(hub.receive(1) == [[1, 2, 3]])
    link.say("stop")
    let end = try link.awaitEvent("ended")
    #expect(link.awaitExit() == 0)
    let forward = try #require(end["forward"] as? [String: Any])
    #expect(forward["offered"] as? Int == 200)
    #expect(forward["lost"] as? Int == 100)
    #expect(right.receive(1, patience: 0).isEmpty)
  }

  @Test func `it ends when whoever started it goes, and its devices with it`() throws {
    link.closeInput()
    #expect(link.awaitExit() == 0)
    // The socket keeps its network, whose only device was the link's.
    #expect(left.sendError([1], to: right) == ENETUNREACH)
  }
}

/// A socket that stays in a network that a link made.
private final class DatagramSocket {
  private let descriptor: Int32
  private let address: sockaddr_storage

  init(_ place: Any?) throws {
    guard let place = place as? [String: Any], let text = place["address"] as? String,
      let path = place["network"] as? String
    else { throw Missing("address and network of an end") }
    var bytes = in_addr()
    guard inet_pton(AF_INET, text, &bytes) == 1 else { throw Missing("IPv4 address") }
    address = Self.address(bytes)
    let own = clinux_own_network()
    let network = clinux_open(path, O_RDONLY, 0)
    guard own >= 0, network >= 0, clinux_enter_network(network) == 0 else {
      throw Missing("way into \(path)")
    }
    descriptor = clinux_socket(AF_INET, 0)
    // Of this thread only; a socket stays where it was made.
    let isBack = clinux_enter_network(own) == 0
    close(own)
    close(network)
    _ = clinux_set_option(descriptor, SOL_SOCKET, SO_RCVBUF, 1 << 20)
    var bound = address
    guard isBack, clinux_bind(descriptor, &bound, Self.length) == 0 else {
      throw Missing("socket on \(text): \(String(cString: strerror(errno)))")
    }
  }

  deinit { close(descriptor) }

  private static let length = socklen_t(MemoryLayout<sockaddr_in>.size)
  private static func address(_ bytes: in_addr) -> sockaddr_storage {
    var storage = sockaddr_storage()
    withUnsafeMutableBytes(of: &storage) {
      $0.storeBytes(
        of: sockaddr_in(
          sin_family: sa_family_t(AF_INET), sin_port: UInt16(5_000).bigEndian, sin_addr: bytes,
          sin_zero: (0, 0, 0, 0, 0, 0, 0, 0)),
        as: sockaddr_in.self)
    }
    return storage
  }

  func send(_ bytes: [UInt8], to other: DatagramSocket) {
    #expect(sendError(bytes, to: other) == 0)
  }

  func sendError(_ bytes: [UInt8], to other: DatagramSocket) -> Int32 {
    let sent = withUnsafePointer(to: other.address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(descriptor, bytes, bytes.count, 0, $0, Self.length)
      }
    }
    return sent == bytes.count ? 0 : errno
  }

  /// Waits for so many, as long as a busy machine may need.
  func receive(_ count: Int, patience: TimeInterval = 60) -> [[UInt8]] {
    var received: [[UInt8]] = []
    let end = Date().addingTimeInterval(patience)
    while received.count < count {
      var buffer = [UInt8](repeating: 0, count: 2_048)
      let length = clinux_receive(descriptor, &buffer, buffer.count)
      if length >= 0 {
        received.append(Array(buffer[..<length]))
      } else if Date() > end {
        break
      } else {
        usleep(1_000)
      }
    }
    return received
  }
}
