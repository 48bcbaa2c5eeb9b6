import CommandLine
import Media
import Testing

private func lines(_ pieces: [String], limit: Int = 100, finish: Bool = true) -> [InputLine] {
  var input = InputLines(limit: limit)
  for piece in pieces { input.append(piece.utf8) }
  if finish { input.finish() }
  var found: [InputLine] = []
  while let line = input.nextLine() { found.append(line) }
  return found
}

@Suite struct InputLinesTests {
  @Test func `lines come together from pieces with either line end`() {
    #expect(
      lines(["he", "llo\r", "\nyou\n\n \n", "end"]) == [.chat("hello"), .chat("you"), .chat("end")])
    #expect(lines(["begun"], finish: false) == [])
  }

  @Test(
    arguments: [
      ("/mute", .mute), ("/unmute", .unmute), ("/camera", .camera(isOn: nil)),
      ("/camera off", .camera(isOn: false)), ("/Camera  ON ", .camera(isOn: true)),
      ("/stats", .stats), ("/who", .who), ("/quality low", .quality(.low)),
      ("/receive medium", .receive(.quality(.medium))),
      ("/receive 640x360", .receive(.size(PictureSize(width: 640, height: 360)))),
      ("/leave", .leave), ("/lock", .lock), ("/unlock", .unlock), ("/kick Ben", .kick("Ben")),
      ("/kick   Ben von  Ulm ", .kick("Ben von  Ulm")),
      ("/help", .help), ("/", .help),
    ] as [(String, CallCommand)])
  func `a slash begins a command`(text: String, command: CallCommand) {
    #expect(lines([text]) == [.command(command)])
  }

  @Test(
    arguments: [
      ("/mtue", "there is no command /mtue; did you mean /mute?"),
      (
        "/home/me",
        "there is no command /home/me; /help lists those there are, and //home/me "
          + "sends it as chat"
      ),
      ("/mute now", "/mute takes nothing after it; write /mute alone"),
      ("/camera maybe", "/camera takes [on|off]; write for example /camera on"),
      ("/quality", "/quality takes low|medium|high|auto; write for example /quality low"),
    ])
  func `a command that does not exist is answered with what does`(text: String, notice: String) {
    #expect(lines([text]) == [.notice(notice)])
  }

  @Test func `two slashes send a line that begins with one`() {
    #expect(lines(["//etc/fstab"]) == [.chat("/etc/fstab")])
  }

  @Test func `a line over the limit is cut between characters and the user is told`() {
    let cut = lines([String(repeating: "ö", count: 60) + "\nnext\n"], limit: 99)
    #expect(cut.count == 3)
    #expect(cut.first == .chat(String(repeating: "ö", count: 49)))
    guard case .notice(let notice) = cut[1] else {
      Issue.record("no notice")
      return
    }
    #expect(notice.contains("99 bytes"))
    #expect(cut.last == .chat("next"))
  }

  @Test func `a line of exactly the limit is whole`() {
    #expect(lines(["12345\n"], limit: 5) == [.chat("12345")])
    #expect(lines(["12345\r\n"], limit: 5) == [.chat("12345")])
  }

  @Test func `bytes that are not UTF-8 and control characters are neutralised`() {
    var input = InputLines()
    input.append([0x61, 0xFF, 0x1B, 0x62, 0x0A])
    #expect(input.nextLine() == .chat("a\u{FFFD}\u{FFFD}b"))
  }

  @Test func `help lists every command`() {
    for name in [
      "mute", "unmute", "camera", "stats", "who", "quality", "receive", "lock", "unlock", "kick",
      "leave", "help",
    ] {
      #expect(CallCommand.helpText.contains("/\(name)"))
    }
    #expect(!CallCommand.helpText.contains("/send"))
  }
}
