import CommandLine
import Media
import Rooms
import Simulation
import Testing
import Units

private func join(_ arguments: String...) throws -> JoinOptions {
  guard case .join(let options) = try Command(parsing: ["join"] + arguments) else {
    throw UsageError("not a join")
  }
  return options
}

/// The sentence that refuses the arguments; empty if they are taken.
private func refusal(_ arguments: [String]) -> String {
  do {
    _ = try Command(parsing: arguments)
    return ""
  } catch {
    return error.description
  }
}

private let roomID = RoomID.create(
  ownerKeyInfo: [], nonce: [UInt8](repeating: 7, count: 32), with: SimulatedCipherSuite(seed: 1)
).text

@Suite struct CommandTests {
  @Test func `a mistyped room id is refused with the place of the wrong symbol`() throws {
    let letters = Array(roomID)
    let wrong = String(letters[..<9]) + "-" + (letters[10] == "7" ? "8" : "7") + letters[11...]
    let sentence = refusal(["join", wrong])
    #expect(sentence.contains("mistyped at character 11"), "\(sentence)")
  }

  @Test func `a room is made with a password, an end and a size, or with the usual ones`() throws {
    func made(_ arguments: String...) throws -> RoomOptions? {
      guard case .createRoom(let options) = try Command(parsing: ["room", "create"] + arguments)
      else { return nil }
      return options
    }
    var expected = RoomOptions()
    #expect(try made() == expected)
    #expect(expected.password == .none && expected.lifetime == .seconds(2_592_000))
    expected.password = .prompt
    #expect(try made("--password") == expected)
    expected.password = .file(path: "f")
    #expect(try made("--password", "--password-file", "f") == expected)
    #expect(try made("--password-file", "f", "--password") == expected)
    #expect(try made("--ttl", "90m")?.lifetime == .seconds(5_400))
    #expect(try made("--ttl", "365d")?.lifetime == .seconds(31_536_000))
    #expect(try made("--max-peers", "2")?.size == 2)
    for wrong in ["366d", "59s", "0", "-1h", "1y", "1e9d", "9999999999999999999d", "nand"] {
      let sentence = refusal(["room", "create", "--ttl", wrong])
      #expect(sentence.contains("from 1m to 365d"), "\(wrong): \(sentence)")
    }
    for wrong in ["1", "65", "0", "-2", "two", "99999999999999999999"] {
      #expect(refusal(["room", "create", "--max-peers", wrong]).contains("2 to 64"))
    }
    #expect(try join("--password-file", "f").passwordFile == "f")
    #expect(refusal(["join", "--password-file", ""]).contains("--password-file"))
    #expect(refusal(["join", "--for", "8d"]).contains("from 1ms to 7d"))
  }

  @Test func `relays only, and none at all, are told apart and exclude each other`() throws {
    #expect(try join("--relay-only").ways.relayOnly)
    #expect(try join("--relay-only", "--transport", "tcp").ways.transport == .tcp)
    #expect(refusal(["join", "--relay-only", "--no-relay"]).contains("give one of them"))
    for name in ["", "a b", "eth/0", "sixteen-bytes-xx"] {
      #expect(refusal(["join", "--interface", name]).contains("ip link"))
    }
  }

  @Test func `check takes what says how to reach the server and the others, and nothing else`()
    throws
  {
    let pin = "sha256:" + String(repeating: "A", count: 42) + "E"
    var expected = CheckOptions()
    #expect(try Command(parsing: ["check"]) == .check(expected))
    expected.connection.server = ServerAddress(host: "example.org", port: 81)
    expected.connection.serverPin = KeyFingerprint(
      bytes: [UInt8](repeating: 0, count: 31) + [1])
    expected.events = .json
    expected.ways.transport = .udp
    expected.ways.relayOnly = true
    expected.ways.interface = "eth0"
    let arguments = [
      "--server", "example.org:81", "--server-pin", pin, "--events", "json", "--transport", "udp",
      "--relay-only", "--interface", "eth0",
    ]
    #expect(try Command(parsing: ["check"] + arguments) == .check(expected))
    #expect(
      refusal(["check", roomID]) == "check takes options only; leave out what comes after it")
    #expect(refusal(["check", "--key", "k.pem"]).contains("add --cert"))
    #expect(refusal(["check", "--relay-only", "--no-relay"]).contains("give one of them"))
  }

  @Test func `join alone asks for the room and lets everything be chosen`() throws {
    #expect(try join() == JoinOptions())
    #expect(JoinOptions().room == .prompt)
  }

  @Test func `every option of join arrives with its typed value`() throws {
    let pin = "sha256:" + String(repeating: "A", count: 42) + "E"
    let options = try join(
      "--server", "[::1]:7000", "--server-pin=\(pin)", "--cert", "me.pem", "--key", "me.key",
      "-n", "Ann Ö", "--video", "camera:/dev/video2", "--audio=tone", "--view",
      "pipe:/tmp/{peer}.y4m", "--play=file:out.wav", "--raw-audio", "--size", "1280x720", "--fps",
      "30",
      "--max-bitrate", "1.5M", "--quality", "high", "--content", "detail",
      "--receive-quality", "640x360", "--transport", "tcp", "--no-relay", "--interface", "wlp2s0",
      "--events", "json",
      "--for", "2m", "--log-level", "debug", "\(roomID)@example.org:81")
    var expected = JoinOptions()
    expected.room = .address(try RoomAddress(text: "\(roomID)@example.org:81"))
    expected.connection.server = ServerAddress(host: "::1", port: 7000)
    expected.connection.serverPin = KeyFingerprint(
      bytes: [UInt8](repeating: 0, count: 31) + [1])
    expected.connection.certFile = "me.pem"
    expected.connection.keyFile = "me.key"
    expected.name = "Ann Ö"
    expected.video = .camera(device: "/dev/video2")
    expected.audio = .tone
    expected.view = .pipe(path: "/tmp/{peer}.y4m")
    expected.play = .file(path: "out.wav")
    expected.rawAudio = true
    expected.size = PictureSize(width: 1280, height: 720)
    expected.fps = 30
    expected.maxBitrate = .kilobits(1500)
    expected.quality = .high
    expected.content = .detail
    expected.receive = .size(PictureSize(width: 640, height: 360))
    expected.ways.transport = .tcp
    expected.ways.noRelay = true
    expected.ways.interface = "wlp2s0"
    expected.events = .json
    expected.duration = .seconds(120)
    expected.logLevel = .debug
    #expect(options == expected)
  }

  @Test(
    arguments: [
      ("camera", .camera(device: nil)), ("camera:0", .camera(device: "0")),
      ("file:a:b.mp4", .file(path: "a:b.mp4")), ("pipe:-", .pipe(path: "-")),
      ("pattern", .pattern), ("none", .none),
    ] as [(String, VideoChoice)])
  func `pictures come from where the option says`(text: String, choice: VideoChoice) throws {
    #expect(try join("--video", text).video == choice)
  }

  @Test(
    arguments: [
      ("15s", 15), ("2m", 120), ("1.5s", 1.5), ("500ms", 0.5), ("1h", 3600),
    ] as [(String, Double)])
  func `durations carry their unit`(text: String, seconds: Double) throws {
    #expect(try join("--for", text).duration == .seconds(seconds))
  }

  @Test(
    arguments: [
      ("800k", 800_000), ("1.5M", 1_500_000), ("2500000", 2_500_000), ("30k", 30_000),
    ] as [(String, Int64)])
  func `rates are bits a second with k or M`(text: String, bits: Int64) throws {
    #expect(try join("--max-bitrate", text).maxBitrate == Bitrate(bitsPerSecond: bits))
  }

  @Test func `a hyphen reads the room id from standard input`() throws {
    #expect(try join("-").room == .standardInput)
  }

  @Test func `after two hyphens everything is an operand`() throws {
    #expect(try join("--", "-").room == .standardInput)
    #expect(refusal(["join", "--", "--fps", "3"]).contains("one ROOMID"))
  }

  @Test(
    arguments: [
      (["join", "--vidoe", "none"], "there is no option --vidoe; did you mean --video?"),
      (["join", "--blue"], "there is no option --blue; p2pcall join --help lists those there are"),
      (["join", "-name", "x"], "there is no option -name; did you mean --name?"),
      (["join", "-x"], "there is no option -x; p2pcall join --help lists those there are"),
      (["join", "--for"], "--for needs a value; write --for DURATION"),
      (["join", "--for", "--fps", "3"], "--for needs a value; write --for DURATION"),
      (["join", "--help=x"], "--help takes no value; write it alone"),
      (
        ["join", "--for", "15"],
        "--for takes a time with its unit from 1ms to 7d; write for example 90m or 2h"
      ),
      (
        ["join", "--video", "clip.mp4"],
        "--video takes camera[:DEVICE], file:PATH, pipe:PATH, pattern, none; for a file write "
          + "file:clip.mp4"
      ),
      (
        ["join", "--transport", "upd"],
        "--transport takes auto, udp, tcp; did you mean udp?"
      ),
      (["join", "--cert", "a"], "--cert needs its private key; add --key FILE"),
      (["join", "--key", "a"], "--key is of use with its certificate only; add --cert FILE"),
      (
        ["join", "-", "--video", "pipe:-"],
        "join - and pipe:- both read stdin; give the ROOMID as an argument or use a FIFO"
      ),
      (
        ["join", "--audio", "pipe:-", "--video", "pipe:-"],
        "stdin can feed --video or --audio, not both; use a FIFO for one of them"
      ),
      (["jion"], "there is no command jion; did you mean p2pcall join?"),
      (["peers", "froget"], "peers has no froget; did you mean p2pcall peers forget?"),
      (["room"], "room does one thing: write p2pcall room create"),
      (
        ["peers", "rename", "x"],
        "peers rename takes PEER NAME; p2pcall peers list shows whom you can name"
      ),
      ([], "say what to do: p2pcall join ROOMID, or p2pcall --help for all commands"),
    ] as [([String], String)])
  func `a mistake gets one sentence that names the remedy`(arguments: [String], sentence: String) {
    #expect(refusal(arguments) == sentence)
  }

  @Test(
    arguments: [
      ["--size", "1281x720"], ["--size", "8x8"], ["--size", "1280"], ["--size", "-2x4"],
      ["--fps", "0"], ["--fps", "61"], ["--fps", "x"], ["--max-bitrate", "1"],
      ["--max-bitrate", "nan"], ["--max-bitrate", "1e6"], ["--max-bitrate", "101M"],
      ["--for", "0s"], ["--for", "-1s"], ["--for", "169h"], ["--for", "s"],
      ["--server", ""], ["--server", "a b"], ["--server", "a:0"], ["--server", "a:65536"],
      ["--server", "a:"], ["--server", "[::1"], ["--server", "::1"], ["--server", "a/b"],
      ["--server-pin", "sha256:AAA"], ["--server-pin", "sha1:x"],
      ["--server-pin", "sha256:" + String(repeating: "A", count: 42) + "B"],
      ["--name", ""], ["--name", "a\u{1B}[2J"], ["--name", String(repeating: "a", count: 41)],
      ["--play", "file:out.mp3"], ["--play", "pipe:-"], ["--view", "pipe:-"],
      ["--video", "camera:"], ["--video", "none:x"], ["--video", "file:"], ["--ca", ""],
      ["--ca", "a", "--server-pin", "sha256:" + String(repeating: "A", count: 43)],
      [""], ["@host"], ["ABC"], ["\(roomID)@"], ["\(roomID)@host:99999"],
    ])
  func `values out of range or malformed are refused`(arguments: [String]) {
    let sentence = refusal(["join"] + arguments)
    #expect(sentence.contains("; "), "one sentence with a remedy, got: \(sentence)")
    #expect(!sentence.contains("\n"))
  }

  @Test func `a room id is shown by no refusal and no description`() throws {
    let group = String(roomID.dropFirst(4).prefix(5))
    #expect(!refusal([roomID]).contains(group))
    #expect(!refusal(["join", roomID, roomID]).contains(group))
    #expect(!refusal(["join", "\(roomID)@bad host"]).contains(group))
    #expect(!"\(try join(roomID))".contains(group))
  }

  @Test func `people are named in commands of their own`() throws {
    #expect(try Command(parsing: ["peers"]) == .peers(.list))
    #expect(try Command(parsing: ["peers", "show", "Ann"]) == .peers(.show("Ann")))
    #expect(
      try Command(parsing: ["peers", "rename", "ab12", "Ann"])
        == .peers(.rename("ab12", to: "Ann")))
    #expect(try Command(parsing: ["peers", "forget", "Ann"]) == .peers(.forget("Ann")))
    #expect(try Command(parsing: ["peers", "trust", "ab"]) == .peers(.trust(fingerprint: "ab")))
  }
}

@Suite struct HelpTests {
  private func help(_ arguments: [String]) throws -> String {
    guard case .help(let text) = try Command(parsing: arguments) else { return "" }
    return text
  }

  @Test(
    arguments: [
      ["--help"], ["join", "-h"], ["room", "create", "--help"], ["room", "-h"],
      ["devices", "--help"], ["identity", "--help"], ["peers", "--help"],
      ["peers", "trust", "--help"], ["join", "--fps", "3", "--help"],
    ])
  func `help fits 80 columns and says something`(arguments: [String]) throws {
    let text = try help(arguments)
    #expect(text.count > 100)
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test func `help shows every option of the design and none of a later issue`() throws {
    let text = try help(["join", "--help"])
    let promised = [
      "--server HOST[:PORT]", "--server-pin PIN", "--ca FILE", "--cert FILE", "--key FILE",
      "--name NAME", "--video SOURCE", "--audio SOURCE", "--view SINK", "--play SINK",
      "--raw-audio",
      "--size WxH", "--fps N", "--max-bitrate RATE", "--quality", "--receive-quality",
      "--password-file FILE", "--content KIND", "--transport", "--relay-only", "--no-relay",
      "--interface NAME", "--events",
      "--for DURATION", "--log-level LEVEL", "--help", "--version",
    ]
    for option in promised { #expect(text.contains(option), "\(option)") }
    for option in ["--record", "terminal,", "screen"] {
      #expect(!text.contains(option), "\(option)")
    }
  }

  @Test func `the version can be asked for everywhere`() throws {
    #expect(try Command(parsing: ["--version"]) == .version)
    #expect(try Command(parsing: ["join", "--version"]) == .version)
    #expect(try RendezvousCommand(parsing: ["--version"]) == .version)
  }
}

@Suite struct RendezvousOptionsTests {
  @Test func `the server starts without options`() throws {
    #expect(try RendezvousCommand(parsing: []) == .serve(RendezvousOptions()))
  }

  @Test func `every option of the server arrives`() throws {
    let command = try RendezvousCommand(parsing: [
      "--listen", "0.0.0.0:7000", "--listen=[::]:0", "--listen", "*:81", "--cert", "c", "--key",
      "k", "--ca", "a", "--state", "/s", "--events=json", "--log-level=error",
      "--turn", "turns:relay.example.org:443", "--turn=turn:192.0.2.1", "--turn-secret-file", "s",
    ])
    var expected = RendezvousOptions()
    expected.relays = [
      try RelayURL(text: "turns:relay.example.org:443"), try RelayURL(text: "turn:192.0.2.1"),
    ]
    expected.relaySecretFile = "s"
    expected.listen = [
      ServerAddress(host: "0.0.0.0", port: 7000), ServerAddress(host: "::", port: 0),
      ServerAddress(host: "*", port: 81),
    ]
    expected.certFile = "c"
    expected.keyFile = "k"
    expected.caFile = "a"
    expected.stateDirectory = "/s"
    expected.events = .json
    expected.logLevel = .error
    #expect(command == .serve(expected))
  }

  @Test(
    arguments: [
      ["7443"], ["--cert", "c"], ["--key", "k"], ["--listen", ":0"], ["--port", "1"],
      ["--turn", "turn:relay"], ["--turn-secret-file", "s"],
      ["--turn", "relay", "--turn-secret-file", "s"],
      ["--turn-secret-file", "s"] + (1...5).flatMap { ["--turn", "turn:relay\($0)"] },
    ])
  func `what the server does not take is refused`(arguments: [String]) {
    #expect(throws: UsageError.self) { try RendezvousCommand(parsing: arguments) }
  }
}
