/// What the user asked `p2pcall` for, with every value checked.
package enum Command: Hashable, Sendable {
  case createRoom(RoomOptions)
  case join(JoinOptions)
  case devices
  case check(CheckOptions)
  case identity
  case peers(PeersCommand)
  /// Text for standard output.
  case help(String)
  case version

  /// `arguments` without the program's own name.
  package init(parsing arguments: [String]) throws(UsageError) {
    let topic = arguments.first ?? ""
    let rest = Array(arguments.dropFirst())
    switch topic {
    case "join": self.init(try joinTable.parse(rest).map(Command.join))
    case "room": try self.init(roomArguments: rest)
    case "devices": self.init(try devicesTable.parse(rest))
    case "check": self.init(try checkTable.parse(rest).map(Command.check))
    case "identity": self.init(try identityTable.parse(rest))
    case "peers": try self.init(peersArguments: rest)
    case "--help", "-h", "help": self = .help(overview)
    case "--version": self = .version
    case "":
      throw UsageError("say what to do: p2pcall join ROOMID, or p2pcall --help for all commands")
    default: throw unknownCommand(topic)
    }
  }

  init(_ parsed: Parsed<Command>) {
    switch parsed {
    case .result(let command): self = command
    case .help(let text): self = .help(text)
    case .version: self = .version
    }
  }

  private init(roomArguments arguments: [String]) throws(UsageError) {
    switch arguments.first {
    case "create":
      let rest = Array(arguments.dropFirst())
      self.init(try roomCreateTable.parse(rest).map(Command.createRoom))
    case "--help", "-h": self = .help(roomCreateTable.help)
    default: throw UsageError("room does one thing: write p2pcall room create")
    }
  }

  private init(peersArguments arguments: [String]) throws(UsageError) {
    let verb = arguments.first ?? "list"
    if verb == "--help" || verb == "-h" {
      self = .help(peersOverview)
    } else if let table = peersTables.first(where: { $0.name == "p2pcall peers \(verb)" }) {
      self.init(try table.parse(Array(arguments.dropFirst())).map(Command.peers))
    } else {
      let verbs = peersTables.map { String($0.name.split(separator: " ").last ?? "") }
      let meant = suggestion(for: verb, among: verbs).map { "did you mean p2pcall peers \($0)?" }
      throw UsageError(
        "peers has no \(verb); " + (meant ?? "it has \(verbs.joined(separator: ", "))"))
    }
  }
}

package let programVersion = "0.1.0"

/// A person or key is named by fingerprint (the PeerID), its beginning, or the pinned name.
package enum PeersCommand: Hashable, Sendable {
  case list
  case show(String)
  case rename(String, to: String)
  case forget(String)
  case trust(fingerprint: String)
}

private var overview: String {
  let commands = [
    (roomCreateTable.name, roomCreateTable.meaning), (joinTable.name, joinTable.meaning),
    (devicesTable.name, devicesTable.meaning), (checkTable.name, checkTable.meaning),
    (identityTable.name, identityTable.meaning),
    ("p2pcall peers", "the people whose keys are remembered: list, show, rename, forget, trust"),
  ]
  return """
    p2pcall: end-to-end encrypted video calls from the shell, peer to peer.

    commands:
    \(columns(commands.map { (left: $0.0, right: $0.1) }).joined(separator: "\n"))

    A call in two lines, with p2pcall-rendezvous running on this computer:
      p2pcall room create    prints a room id: pass it on, it is the key to the room
      p2pcall join ROOMID    on both sides

    COMMAND --help explains one of them; --version shows the version.

    """
}

private var peersOverview: String {
  """
  usage: p2pcall peers [list|show|rename|forget|trust] …

  The people whose keys are remembered.

  \(columns(peersTables.map { (left: "\($0.name) \($0.operands)", right: $0.meaning) })
    .joined(separator: "\n"))

  """
}

private func unknownCommand(_ word: String) -> UsageError {
  // Not shown again: it may be a room id.
  if word.count >= 20 {
    return UsageError("the first word must be a command; to enter a room write p2pcall join ROOMID")
  }
  let names = ["room", "join", "devices", "identity", "peers"]
  let meant = suggestion(for: word, among: names).map { "did you mean p2pcall \($0)?" }
  return UsageError(
    "there is no command \(word); " + (meant ?? "p2pcall --help lists those there are"))
}
