import CLinux
import Files
import Fixtures
import Testing

@Suite struct StateDirectoryTests {
  private let scratch = ScratchDirectory()

  private func state(_ calls: FileCalls = .kernel) throws -> StateDirectory {
    try StateDirectory(scratch.path("a/b/state"), calls: calls)
  }

  @Test func `directories are made for their owner only and files likewise`() throws {
    let directory = try state()
    try directory.write("key", [1, 2, 3])
    #expect(scratch.mode("a") == 0o700)
    #expect(scratch.mode("a/b/state") == 0o700)
    #expect(scratch.mode("a/b/state/key") == 0o600)
    #expect(try directory.readSecret("key") == [1, 2, 3])
    #expect(try directory.read("nothing") == nil)
  }

  @Test func `the standard places follow XDG and fall back to the home directory`() throws {
    let set = ["XDG_STATE_HOME": scratch.path("s"), "HOME": scratch.path("h")]
    let home = ["XDG_CONFIG_HOME": "relative/is/ignored", "HOME": scratch.path("h")]
    #expect(
      try StateDirectory.standard(.state) { set[$0] }.path == scratch.path("s/p2pcall"))
    #expect(
      try StateDirectory.standard(.configuration) { home[$0] }.path
        == scratch.path("h/.config/p2pcall"))
    #expect(throws: FileProblem.self) { _ = try StateDirectory.standard(.state) { _ in nil } }
  }

  @Test func `a key that others may read is refused with the remedy`() throws {
    let directory = try state()
    try directory.write("key", [1])
    for mode in [0o640, 0o604, 0o660, 0o777] as [mode_t] {
      chmod(directory.path(of: "key"), mode)
      #expect(
        throws: FileProblem(
          "others may read the key file \(directory.path(of: "key")); "
            + "run chmod 600 \(directory.path(of: "key"))")
      ) { _ = try directory.readSecret("key") }
    }
  }

  @Test func `a key that is a link, a directory or a pipe is refused`() throws {
    let directory = try state()
    try directory.write("real", [1])
    symlink("real", directory.path(of: "link"))
    mkdir(directory.path(of: "folder"), 0o700)
    mkfifo(directory.path(of: "pipe"), 0o600)
    for name in ["link", "folder", "pipe"] {
      #expect(throws: FileProblem.self) { _ = try directory.readSecret(name) }
    }
    #expect(try directory.read("link") == [1])
  }

  @Test func `a directory that others may write to is refused`() throws {
    _ = try state()
    chmod(scratch.path("a/b/state"), 0o770)
    #expect(
      throws: FileProblem(
        "others may write to \(scratch.path("a/b/state")); "
          + "run chmod go-w \(scratch.path("a/b/state"))")
    ) { _ = try state() }
  }

  @Test func `a file in the directory's place is refused`() {
    scratch.put("file", [])
    #expect(throws: FileProblem.self) { _ = try StateDirectory(scratch.path("file")) }
    #expect(throws: FileProblem.self) { _ = try StateDirectory(scratch.path("file/below")) }
  }

  @Test func `short writes and interruptions still write all of it`() throws {
    let directory = try state(
      FileCalls(
        write: { descriptor, bytes in
          // One byte at a time.
          CLinux.write(descriptor, bytes.baseAddress, min(1, bytes.count))
        }, synchronize: FileCalls.kernel.synchronize))
    try directory.write("file", Array(0..<200))
    #expect(try directory.read("file") == Array(0..<200))
  }

  @Test(arguments: [0, 1, 50])
  func `a full disk leaves the old file, no litter and a sentence`(room: Int) throws {
    try state().write("file", [7])
    let full = FileCalls(
      write: { descriptor, bytes in
        var status = stat()
        fstat(descriptor, &status)
        let left = room - Int(status.st_size)
        guard left > 0 else {
          // Sets errno as a full disk does.
          let number = clinux_open("/dev/full", O_WRONLY, 0)
          defer { close(number) }
          return CLinux.write(number, bytes.baseAddress, bytes.count)
        }
        return CLinux.write(descriptor, bytes.baseAddress, min(left, bytes.count))
      }, synchronize: FileCalls.kernel.synchronize)
    let directory = try state(full)
    #expect(
      throws: FileProblem(
        "cannot write \(directory.path(of: "file")): No space left on device; "
          + "free some space on that disk")
    ) { try directory.write("file", [UInt8](repeating: 1, count: 100)) }
    #expect(try directory.read("file") == [7])
    #expect(!scratch.names(in: "a/b/state").contains(".file.new"))
  }

  @Test func `changes by many at once are all kept`() async throws {
    let directory = try state()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for n in 0..<40 as Range<UInt8> {
        group.addTask { try directory.update("list") { ($0 ?? []) + [n] } }
      }
      try await group.waitForAll()
    }
    #expect(try directory.read("list")?.sorted() == Array(0..<40))
  }

  @Test func `of two who make a key both get the first one's`() throws {
    let directory = try state()
    #expect(try directory.readSecret("key") { [1] } == [1])
    #expect(try directory.readSecret("key") { [2] } == [1])
  }

  @Test func `a file that is too large is refused`() throws {
    let directory = try state()
    try directory.write("file", [UInt8](repeating: 0, count: 1_001))
    #expect(throws: FileProblem.self) { _ = try directory.read("file", limit: 1_000) }
  }
}
