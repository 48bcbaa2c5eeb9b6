import Rooms

/// What a line that begins with `/` asks for.
package enum CallCommand: Hashable, Sendable {
  case mute
  case unmute
  /// `nil` switches over.
  case camera(isOn: Bool?)
  case stats
  case who
  case quality(QualityChoice)
  case receive(ReceiveChoice)
  case lock
  case unlock
  case kick(String)
  case leave
  case help
}

/// One in-call command: parser and `/help` both read this table.
private struct CallCommandRow: Sendable {
  let name: String
  /// As shown in help: `[on|off]`.
  let operand: String
  let meaning: String
  /// `nil` when the operand is not one that the command takes.
  let make: @Sendable (String?) -> CallCommand?

  init(
    _ name: String, _ operand: String = "", _ meaning: String,
    _ make: @escaping @Sendable (String?) -> CallCommand?
  ) {
    self.name = name
    self.operand = operand
    self.meaning = meaning
    self.make = make
  }

  init(_ name: String, _ meaning: String, _ command: CallCommand) {
    self.init(name, "", meaning) { $0 == nil ? command : nil }
  }
}

private let rows = [
  CallCommandRow("mute", "switch your microphone off", .mute),
  CallCommandRow("unmute", "switch your microphone on", .unmute),
  CallCommandRow("camera", "[on|off]", "switch your picture on or off") {
    switch $0 {
    case nil: .camera(isOn: nil)
    case "on": .camera(isOn: true)
    case "off": .camera(isOn: false)
    default: nil
    }
  },
  CallCommandRow("stats", "show rates, delay and loss", .stats),
  CallCommandRow("who", "show who is in the room and what is known about them", .who),
  CallCommandRow("quality", "low|medium|high|auto", "bound the picture that you send") {
    $0.flatMap(QualityChoice.init).map(CallCommand.quality)
  },
  CallCommandRow(
    "receive", "low|medium|high|auto|WxH", "bound the pictures that the others send you"
  ) {
    $0.flatMap { try? receiveChoice($0) }.map(CallCommand.receive)
  },
  CallCommandRow("lock", "let nobody else into your room", .lock),
  CallCommandRow("unlock", "let people in again", .unlock),
  CallCommandRow("kick", "NAME", "remove somebody from your room for good") {
    $0.map(CallCommand.kick)
  },
  CallCommandRow("leave", "leave the call", .leave),
  CallCommandRow("help", "show this", .help),
]

extension CallCommand {
  /// `text` without the slash: `camera off`.
  init(parsing text: Substring) throws(UsageError) {
    let words = text.split(whereSeparator: \.isWhitespace)
    let name = words.first.map { $0.lowercased() } ?? "help"
    guard let row = rows.first(where: { $0.name == name }) else {
      let meant = suggestion(for: name, among: rows.map(\.name)).map { "did you mean /\($0)?" }
      throw UsageError(
        "there is no command /\(NeutralText.line(name)); "
          + (meant
            ?? "/help lists those there are, and //\(NeutralText.line(name)) sends it as chat"))
    }
    let rest = text.drop { $0.isWhitespace }.drop { !$0.isWhitespace }
    let operand =
      row.takesName
      ? NeutralText.line(String(rest)).trimmed : words.dropFirst().first.map { $0.lowercased() }
    guard row.takesName || words.count <= 2, let command = row.make(operand) else {
      throw UsageError(
        row.operand.isEmpty
          ? "/\(name) takes nothing after it; write /\(name) alone"
          : "/\(name) takes \(row.operand); write for example /\(name) \(row.example)")
    }
    self = command
  }

  /// The answer to `/help`.
  package static var helpText: String {
    (columns(rows.map { (left: "/\($0.name) \($0.operand)", right: $0.meaning) })
      + ["  Everything else is chat; a line that begins with // is chat that begins with /."])
      .joined(separator: "\n")
  }
}

extension String {
  /// Without white space at its ends; `nil` where nothing else is there.
  fileprivate var trimmed: String? {
    let inner = drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()
    return inner.isEmpty ? nil : String(inner)
  }
}

extension CallCommandRow {
  /// The whole rest of the line as it was typed: names have spaces.
  fileprivate var takesName: Bool { operand == "NAME" }
  /// One operand that works.
  fileprivate var example: String {
    String(operand.drop { $0 == "[" }.prefix { $0.isLetter })
  }
}
