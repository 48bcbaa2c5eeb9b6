import CLinux
import Foundation
import Links
import Runtime
import Testing
import Units
import Wire

/// An agent of libnice in a process of its own, on loopback.
final class NiceAgent {
  private let process: ChildProcess
  private let loop: EventLoop
  private var token: EventLoop.Token?
  private var rest: [UInt8] = []

  /// Its newest.
  private(set) var credentials: IceCredentials?
  /// Those of `credentials`.
  private(set) var candidates: [Candidate] = []
  private(set) var hasGathered = false
  private(set) var state = ""
  private(set) var received: [[UInt8]] = []
  /// How often it selected a pair.
  private(set) var selections = 0

  private static let python = "/usr/bin/python3"
  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("libnice-agent.py").path

  /// Whether Debian's libnice can be used from Python.
  static let isInstalled: Bool = {
    let trial = try? ChildProcess(
      python, ["-c", "import gi; gi.require_version('Nice', '0.1')"], output: .nothing,
      errors: .nothing)
    return trial?.wait() == .code(0)
  }()

  init(_ loop: EventLoop, isControlling: Bool) throws {
    self.loop = loop
    process = try ChildProcess(
      Self.python, [Self.script, isControlling ? "controlling" : "controlled", "127.0.0.1"],
      input: .pipe, output: .pipe)
    token = try loop.watch(try #require(process.output), for: .readable) { [unowned self] _ in
      read()
    }
  }

  deinit { if let token { loop.unwatch(token) } }

  func tell(_ credentials: IceCredentials) {
    write(
      "remote \(String(decoding: credentials.userFragment, as: UTF8.self)) "
        + String(decoding: credentials.password, as: UTF8.self))
  }

  func tell(_ candidate: Candidate) {
    write(
      "candidate a=candidate:\(candidate.foundation) 1 UDP \(candidate.priority) 127.0.0.1 "
        + "\(candidate.address.port) typ host")
  }

  func send(_ data: [UInt8]) {
    write("send " + data.map { String(format: "%02x", $0) }.joined())
  }

  func restart() {
    (credentials, candidates, hasGathered) = (nil, [], false)
    write("restart")
  }

  private func write(_ line: String) {
    guard let input = process.input else { return }
    let bytes = Array((line + "\n").utf8)
    #expect(Foundation.write(input, bytes, bytes.count) == bytes.count)
  }

  private func read() {
    var room = [UInt8](repeating: 0, count: 4_096)
    let count = Foundation.read(process.output ?? -1, &room, room.count)
    guard count > 0 else {
      if let token { loop.unwatch(token) }
      token = nil
      return
    }
    rest += room[..<count]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      take(String(decoding: rest[..<end], as: UTF8.self).split(separator: " ").map(String.init))
      rest.removeFirst(end + 1)
    }
  }

  private func take(_ words: [String]) {
    switch words.first {
    case "local" where words.count == 3:
      credentials = IceCredentials(
        userFragment: Array(words[1].utf8), password: Array(words[2].utf8))
    case "candidate" where words.count >= 9:
      // RFC 8839 §5.1: foundation, component, transport, priority, address, port.
      guard let priority = UInt32(words[4]), let port = UInt16(words[6]),
        let foundation = UInt32(words[1].drop { !$0.isNumber })
      else {
        Issue.record("a candidate that is not understood: \(words)")
        return
      }
      candidates.append(
        Candidate(
          transport: .udp, kind: .host, foundation: foundation, priority: priority,
          address: SocketAddress(.loopbackV4, port: port)))
    case "gathered": hasGathered = true
    case "state": state = words.last ?? ""
    case "selected": selections += 1
    case "received":
      let digits = Array(words.last ?? "")
      received.append(
        stride(from: 0, to: digits.count - 1, by: 2).compactMap {
          UInt8(String(digits[$0...$0 + 1]), radix: 16)
        })
    default: break
    }
  }
}
