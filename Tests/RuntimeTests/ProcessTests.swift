import CLinux
import Runtime
import Testing
import Units

@Suite struct ProcessTests {
  private func readAll(_ descriptor: Int32) -> [UInt8] {
    var all: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(descriptor, &piece, piece.count)
      if count <= 0 { return all }
      all += piece[..<count]
    }
  }

  @Test func `a child reads its pipe and writes its own, and its exit code is told`() throws {
    let child = try ChildProcess("/bin/sh", ["-c", "cat; exit 7"], input: .pipe)
    let input = try #require(child.input)
    #expect(write(input, "hello", 5) == 5)
    child.closeInput()
    #expect(readAll(try #require(child.output)) == Array("hello".utf8))
    #expect(child.wait() == .code(7))
    #expect(child.poll() == .code(7))
  }

  @Test func `a child inherits no descriptor but its three`() throws {
    let listener = try TCPListener(boundTo: SocketAddress(.loopbackV4, port: 0))
    // Not close-on-exec, as a careless library would open it.
    let careless = dup(listener.fileDescriptor)
    defer { close(careless) }
    let child = try ChildProcess("/bin/ls", ["/proc/self/fd"])
    let listed = String(decoding: readAll(try #require(child.output)), as: UTF8.self)
    // The fourth is the directory that ls itself has open.
    #expect(listed.split(separator: "\n") == ["0", "1", "2", "3"])
  }

  @Test func `a child is told by its signal and by the environment it was given`() throws {
    let shown = try ChildProcess("/usr/bin/env", [], environment: ["A=b"])
    #expect(readAll(try #require(shown.output)) == Array("A=b\n".utf8))
    let sleeping = try ChildProcess("/bin/sleep", ["1000"], output: .nothing)
    #expect(sleeping.poll() == nil)
    sleeping.send()
    #expect(sleeping.wait() == .signal(SIGTERM))
  }

  @Test func `a program that is not there is an error with its path`() {
    #expect(throws: SystemError("start /nowhere/at/all", code: ENOENT)) {
      _ = try ChildProcess("/nowhere/at/all", [])
    }
  }

  @Test func `the usage of a tree counts its children`() throws {
    // The kernel counts memory by processor and may show none for a small process.
    let child = try ChildProcess(
      "/bin/sh",
      [
        "-c",
        "x=$(head -c 8000000 /dev/zero | tr '\\0' a); echo ready; while :; do sleep 0.1; done",
      ])
    var byte: UInt8 = 0
    #expect(read(try #require(child.output), &byte, 1) == 1)
    let alone = ProcessUsage.tree(from: child.identifier)
    let all = ProcessUsage.current()
    #expect(alone.residentMemory.bytes > 6_000_000)
    #expect(all.residentMemory > alone.residentMemory)
    #expect(all.processorTime > .zero)
    #expect(ProcessUsage.tree(from: Int32.max).residentMemory == .zero)
  }
}
