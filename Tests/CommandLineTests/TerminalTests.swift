import CLinux
import CommandLine
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
