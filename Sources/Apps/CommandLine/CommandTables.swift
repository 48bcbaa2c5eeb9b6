import Media
import Rooms
import Units

/// The option tables of `p2pcall`: names, values, meanings and checks in one place.

/// Options that say how to reach and trust the server.
private func connectionOptions<Settings>(
  _ path: any WritableKeyPath<Settings, ServerOptions> & Sendable
) -> [CommandOption<Settings>] {
  typealias Keys<Value> = WritableKeyPath<ServerOptions, Value> & Sendable
  func stored<Value>(
    _ long: String, _ value: String, _ meaning: String, _ key: any Keys<Value>,
    _ parse: @escaping @Sendable (String) throws(UsageError) -> Value
  ) -> CommandOption<Settings> {
    CommandOption(
      long, meaning,
      .value(value) { (settings, text) throws(UsageError) in
        settings[keyPath: path][keyPath: key] = try parse(text)
      })
  }
  return [
    stored(
      "server", "HOST[:PORT]",
      "the rendezvous server (default: the one in the room id, else localhost:7443)",
      \ServerOptions.server
    ) { (text) throws(UsageError) in try serverAddress(text) },
    stored(
      "server-pin", "PIN", "accept exactly the server that printed this pin",
      \ServerOptions.serverPin
    ) { (text) throws(UsageError) in try serverPin(text) },
    stored(
      "ca", "FILE", "trust servers, and relays, whose certificate this CA signed",
      \ServerOptions.caFile
    ) {
      (text) throws(UsageError) in try filePath(text)
    },
    stored(
      "cert", "FILE", "your certificate instead of the automatic identity (with --key)",
      \ServerOptions.certFile
    ) { (text) throws(UsageError) in try filePath(text) },
    stored("key", "FILE", "the private key of --cert", \ServerOptions.keyFile) {
      (text) throws(UsageError) in try filePath(text)
    },
  ]
}

private func check(_ options: ServerOptions) throws(UsageError) {
  guard (options.certFile == nil) == (options.keyFile == nil) else {
    throw options.certFile == nil
      ? UsageError("--key is of use with its certificate only; add --cert FILE")
      : UsageError("--cert needs its private key; add --key FILE")
  }
  guard options.serverPin == nil || options.caFile == nil else {
    throw UsageError("--server-pin and --ca both say whom to trust; give one of them")
  }
}

/// Options that say which ways to the others a call may take.
private func wayOptions<Settings>(
  _ path: any WritableKeyPath<Settings, WayOptions> & Sendable
) -> [CommandOption<Settings>] {
  func value(
    _ long: String, _ value: String, _ meaning: String,
    _ store: @escaping @Sendable (inout WayOptions, String) throws(UsageError) -> Void
  ) -> CommandOption<Settings> {
    CommandOption(
      long, meaning,
      .value(value) { (settings, text) throws(UsageError) in
        try store(&settings[keyPath: path], text)
      })
  }
  return [
    value(
      "transport", "CARRIER", "auto (default), udp or tcp: the carriers that may be used"
    ) { (ways, text) throws(UsageError) in
      ways.transport = try choice(TransportChoice.self)(text)
    },
    CommandOption(
      "relay-only",
      "call over the server's relays alone, so that the others learn no address of yours; with "
        + "--transport tcp relays are reached over TCP",
      .flag { $0[keyPath: path].relayOnly = true }),
    CommandOption(
      "no-relay", "never call over a relay, of yours or theirs, even if there is no other way",
      .flag { $0[keyPath: path].noRelay = true }),
    value(
      "interface", "NAME",
      "reach peers and relays, not the server, by this network interface alone, such as eth0"
    ) { (ways, text) throws(UsageError) in ways.interface = try interfaceName(text) },
  ]
}

private func check(_ ways: WayOptions) throws(UsageError) {
  if ways.relayOnly, ways.noRelay {
    throw UsageError("--relay-only and --no-relay leave no way at all; give one of them")
  }
}

private func refuse(_ operands: [String], _ command: String) throws(UsageError) {
  guard operands.isEmpty else {
    throw UsageError("\(command) takes options only; leave out what comes after it")
  }
}

private func logLevelOption<Settings>(
  _ path: any WritableKeyPath<Settings, LogLevel> & Sendable
) -> CommandOption<Settings> {
  .stored(
    "log-level", "LEVEL",
    "how much to say on stderr: error, warning (default), info (the server, what was dropped), debug "
      + "(addresses too)", path,
    choice(LogLevel.self))
}

let roomCreateTable = CommandTable<RoomOptions, RoomOptions>(
  "p2pcall room create", "make a room and print its id, alone, on stdout",
  notes: [
    "The room id is the key to the room: whoever has it can enter. It carries the server "
      + "(ROOMID@host:port) unless that is the default one.",
    "With a password the id alone opens nothing: give the two to people in different ways. The "
      + "server learns neither, and nobody can find out what it was if all forget it.",
  ],
  options: [
    CommandOption(
      "password", "ask for a password that everybody needs who enters",
      .flag { if $0.password == .none { $0.password = .prompt } }),
    .stored(
      "password-file", "FILE", "the password is the first line of this file (mode 600)",
      \RoomOptions.password
    ) { (text) throws(UsageError) in .file(path: try filePath(text)) },
    .stored(
      "ttl", "DURATION", "the room ends after that long, such as 2h (default: 30d, at most 365d)",
      \RoomOptions.lifetime
    ) { (text) throws(UsageError) in try duration(text, in: .minutes(1) ... .days(365)) },
    .stored(
      "max-peers", "N", "let in that many people at once (2 to 64, default: 16)", \RoomOptions.size
    ) { (text) throws(UsageError) in try roomSize(text) },
  ] + connectionOptions(\RoomOptions.connection), defaults: RoomOptions.init
) { (options, operands) throws(UsageError) in
  try refuse(operands, "room create")
  try check(options.connection)
  return options
}

let joinTable = CommandTable<JoinOptions, JoinOptions>(
  "p2pcall join", operands: "[ROOMID|-]",
  "enter a room and call; - reads the room id from the first line of stdin",
  notes: [
    "Without a ROOMID it is asked for on the terminal. What is typed during the call is chat; "
      + "lines that begin with / are commands, and /help lists them.",
    "A pipe may be a FIFO that the other side opens later: pictures are YUV4MPEG2, sound is "
      + "s16le, 48 kHz, mono. pipe:- reads stdin, which then carries no chat.",
    "Exit codes: 0 left, 2 usage, 3 server unreachable, 4 room refused, 5 trust failure, "
      + "6 no path to any peer, 7 device failure at start, 70 internal error, 130 interrupted.",
  ],
  options: connectionOptions(\JoinOptions.connection) + [
    .stored(
      "password-file", "FILE",
      "the room's password is the first line of this file (default: it is asked for)",
      \JoinOptions.passwordFile
    ) { (text) throws(UsageError) in try filePath(text) },
    .stored("name", short: "n", "NAME", "what the others see", \JoinOptions.name) {
      (text) throws(UsageError) in try displayName(text)
    },
    .stored(
      "video", "SOURCE",
      "camera[:DEVICE], file:PATH, pipe:PATH, pattern or none (default: a camera if there is one)",
      \JoinOptions.video
    ) { (text) throws(UsageError) in try videoChoice(text) },
    .stored(
      "audio", "SOURCE",
      "mic[:DEVICE], file:PATH, pipe:PATH, tone or none (default: a microphone if there is one)",
      \JoinOptions.audio
    ) { (text) throws(UsageError) in try audioChoice(text) },
    .stored(
      "view", "SINK",
      "window, pipe:PATH or none; {peer} in PATH becomes each peer's session id (default: a "
        + "window if there is a display)",
      \JoinOptions.view
    ) { (text) throws(UsageError) in try viewChoice(text) },
    .stored(
      "play", "SINK",
      "speaker[:DEVICE], file:PATH.wav, pipe:PATH or none (default: a speaker if there is one)",
      \JoinOptions.play
    ) { (text) throws(UsageError) in try playChoice(text) },
    CommandOption(
      "raw-audio",
      "send the microphone's sound as it comes, without echo and noise taken out or its level set",
      .flag { $0.rawAudio = true }),
    .stored("size", "WxH", "send at most this size, such as 1280x720", \JoinOptions.size) {
      (text) throws(UsageError) in try pictureSize(text)
    },
    .stored("fps", "N", "send at most that many pictures a second", \JoinOptions.fps) {
      (text) throws(UsageError) in try framesPerSecond(text)
    },
    .stored(
      "max-bitrate", "RATE",
      "send at most that many bits a second, to all peers together, such as 800k",
      \JoinOptions.maxBitrate
    ) { (text) throws(UsageError) in try bitrate(text) },
    .stored(
      "quality", "QUALITY", "low, medium, high or auto (default): a bound on size and rate",
      \JoinOptions.quality, choice(QualityChoice.self)),
    .stored(
      "content", "KIND",
      "motion (default) or detail: where bits are few, pictures become smaller or fewer a second",
      \JoinOptions.content, choice(PictureContent.self)),
    .stored(
      "receive-quality", "QUALITY",
      "low, medium, high, auto (default) or WxH: the most that each of the others is asked to send",
      \JoinOptions.receive
    ) { (text) throws(UsageError) in try receiveChoice(text) },
  ] + wayOptions(\JoinOptions.ways) + [
    .stored(
      "events", "FORMAT", "json: one event a line on stdout, text for people on stderr",
      \JoinOptions.events
    ) { (text) throws(UsageError) in try choice(EventFormat.self)(text) },
    .stored("for", "DURATION", "leave after that long, such as 15s or 2m", \JoinOptions.duration) {
      (text) throws(UsageError) in try duration(text, in: .milliseconds(1) ... .days(7))
    },
    logLevelOption(\JoinOptions.logLevel),
  ], defaults: JoinOptions.init
) { (given, operands) throws(UsageError) in
  var options = given
  guard operands.count <= 1 else {
    throw UsageError("join takes one ROOMID; put a name with spaces in quotes")
  }
  if let room = operands.first {
    options.room = room == "-" ? .standardInput : .address(try RoomAddress(typed: room))
  }
  try check(options.connection)
  try check(options.ways)
  if options.video == .pipe(path: "-"), options.audio == .pipe(path: "-") {
    throw UsageError("stdin can feed --video or --audio, not both; use a FIFO for one of them")
  }
  if options.mediaTakesStandardInput, options.room == .standardInput {
    throw UsageError(
      "join - and pipe:- both read stdin; give the ROOMID as an argument or use a FIFO")
  }
  return options
}

let devicesTable = CommandTable<Nothing, Command>(
  "p2pcall devices", "cameras, microphones and speakers, by the names that join takes",
  options: [], defaults: Nothing.init
) { (_, operands) throws(UsageError) in
  try refuse(operands, "devices")
  return .devices
}

let checkTable = CommandTable<CheckOptions, CheckOptions>(
  "p2pcall check", "what works here and what does not: devices, server, network, relays",
  notes: [
    "It takes 10 s at most, changes nothing, and needs no room: it makes one of its own at the "
      + "server and leaves it. A picture and a moment of sound are taken and thrown away.",
    "What join would be told about ways, the check is told too: what it expects is that call.",
    "Exit codes: 0 a call can be expected to come about, 1 it cannot, 2 usage, 130 interrupted.",
  ],
  options: connectionOptions(\CheckOptions.connection) + wayOptions(\CheckOptions.ways) + [
    .stored(
      "events", "FORMAT", "json: one finding a line on stdout, as an event", \CheckOptions.events
    ) { (text) throws(UsageError) in try choice(EventFormat.self)(text) }
  ], defaults: CheckOptions.init
) { (options, operands) throws(UsageError) in
  try refuse(operands, "check")
  try check(options.connection)
  try check(options.ways)
  return options
}

let identityTable = CommandTable<Nothing, Command>(
  "p2pcall identity", "this computer's identity: its fingerprint and name",
  options: [], defaults: Nothing.init
) { (_, operands) throws(UsageError) in
  try refuse(operands, "identity")
  return .identity
}

let peersTables = [
  peersTable("list", "", "everyone whose key is remembered") { _ in .list },
  peersTable("show", "PEER", "one of them, with the whole fingerprint") { .show($0[0]) },
  peersTable("rename", "PEER NAME", "call them by another name") { .rename($0[0], to: $0[1]) },
  peersTable("forget", "PEER", "forget their key; next time they are new") { .forget($0[0]) },
  peersTable("trust", "FINGERPRINT", "accept a changed key that its owner confirmed to you") {
    .trust(fingerprint: $0[0])
  },
]

private func peersTable(
  _ verb: String, _ operands: String, _ meaning: String,
  _ make: @escaping @Sendable ([String]) -> PeersCommand
) -> CommandTable<Nothing, PeersCommand> {
  CommandTable(
    "p2pcall peers \(verb)", operands: operands, meaning, options: [], defaults: Nothing.init
  ) { (_, given) throws(UsageError) in
    guard given.count == operands.split(separator: " ").count else {
      throw UsageError(
        operands.isEmpty
          ? "peers list takes nothing after it; to see one write p2pcall peers show PEER"
          : "peers \(verb) takes \(operands); p2pcall peers list shows whom you can name")
    }
    if verb == "rename" {
      do { _ = try displayName(given[1]) } catch { throw UsageError("NAME \(error)") }
    }
    return make(given)
  }
}

/// The settings of commands that have none.
struct Nothing: Sendable {}
