import CLinux
import CommandLine
import Foundation
import Synchronization
import Testing

@Suite struct TerminalTests {
  /// Two ends that are connected both ways, as a terminal and its user are.
  private func pair() -> (terminal: Int32, user: Int32) {
    var ends: [Int32] = [-1, -1]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    return (ends[0], ends[1])
  }

  @Test func `a question gets the line that is typed`() {
    let (terminal, user) = pair()
    let (quiet, other) = pair()
    defer { for end in [user, quiet, other] { close(end) } }
    let typed = Array("yes\r\nand more\n".utf8)
    #expect(write(user, typed, typed.count) == typed.count)
    #expect(Terminal(descriptor: terminal).ask("Room? ", unless: quiet) == .line("yes"))
    var question = [UInt8](repeating: 0, count: 6)
    #expect(read(user, &question, 6) == 6)
    #expect(String(decoding: question, as: UTF8.self) == "Room? ")
  }

  @Test func `a signal ends the wait for an answer and stays for who handles it`() {
    let (terminal, user) = pair()
    let (signal, sender) = pair()
    defer { for end in [user, signal, sender] { close(end) } }
    #expect(write(sender, [9], 1) == 1)
    #expect(Terminal(descriptor: terminal).ask("Room? ", unless: signal) == .interrupted)
    var byte: UInt8 = 0
    #expect(read(signal, &byte, 1) == 1)
    #expect(byte == 9)
  }

  /// Both ends of a terminal: what the program has, and what a user's keyboard and screen are.
  private func pseudoTerminal() throws -> (terminal: Int32, user: Int32) {
    let user = clinux_open("/dev/ptmx", O_RDWR | O_NOCTTY, 0)
    try #require(user >= 0)
    // TIOCSPTLCK and TIOCGPTN: unlockpt(3) and ptsname(3) are not in Swift's view of the C library.
    var lock: CInt = 0
    var number: CUnsignedInt = 0
    try #require(ioctl(user, 0x4004_5431, &lock) == 0 && ioctl(user, 0x8004_5430, &number) == 0)
    let terminal = clinux_open("/dev/pts/\(number)", O_RDWR | O_NOCTTY, 0)
    try #require(terminal >= 0)
    return (terminal, user)
  }

  @Test(arguments: [true, false])
  func `what is typed as a password is not shown, and the terminal shows again afterwards`(
    isHidden: Bool
  ) throws {
    let (terminal, user) = try pseudoTerminal()
    let kept = dup(terminal)
    let (quiet, other) = pair()
    defer { for end in [kept, user, quiet, other] { close(end) } }
    // A thread of its own: tests' threads are few, and all would wait for each other.
    let answer = Mutex<Terminal.Answer?>(nil)
    let asking = Thread {
      let given = Terminal(descriptor: terminal).ask(
        "Password: ", isHidden: isHidden, unless: quiet)
      answer.withLock { $0 = given }
    }
    asking.start()
    var shown: [UInt8] = []
    func read(until text: String) {
      var byte: UInt8 = 0
      while !String(decoding: shown, as: UTF8.self).contains(text), Glibc.read(user, &byte, 1) == 1
      {
        shown.append(byte)
      }
    }
    read(until: "Password: ")
    let typed = Array("correct horse\n".utf8)
    #expect(write(user, typed, typed.count) == typed.count)
    read(until: "\n")
    while !asking.isFinished { usleep(1_000) }
    #expect(answer.withLock { $0 } == .line("correct horse"))
    #expect(String(decoding: shown, as: UTF8.self).contains("horse") == !isHidden)
    var settings = termios()
    #expect(tcgetattr(kept, &settings) == 0)
    #expect(settings.c_lflag & tcflag_t(ECHO) != 0)
  }

  @Test func `a password is asked for only where what is typed can be hidden`() {
    let (terminal, user) = pair()
    let (quiet, other) = pair()
    defer { for end in [user, quiet, other] { close(end) } }
    let typed = Array("secret\n".utf8)
    #expect(write(user, typed, typed.count) == typed.count)
    let answer = Terminal(descriptor: terminal).ask("Password: ", isHidden: true, unless: quiet)
    #expect(answer == .none)
  }

  @Test func `a terminal that is gone gives no answer`() {
    // As the program does before anything else.
    clinux_ignore_broken_pipes()
    let (terminal, user) = pair()
    let (quiet, other) = pair()
    defer { for end in [quiet, other] { close(end) } }
    close(user)
    #expect(Terminal(descriptor: terminal).ask("Room? ", unless: quiet) == .none)
  }
}
