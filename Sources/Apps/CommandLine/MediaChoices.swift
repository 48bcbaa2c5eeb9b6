/// `kind:argument` as the media options take it: `camera:/dev/video2`, `file:clip.mp4`, `none`.
private struct MediaWord {
  let kind: String
  let argument: String?

  init(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    kind = String(parts.first ?? "")
    argument = parts.count == 2 ? String(parts[1]) : nil
  }

  func device() throws(UsageError) -> String? {
    guard argument?.isEmpty != true else {
      throw UsageError(
        "\(kind): needs a device; p2pcall devices lists them, or write \(kind) alone")
    }
    return argument
  }

  func path() throws(UsageError) -> String {
    guard let argument, !argument.isEmpty else {
      throw UsageError("\(kind) needs a path; write \(kind):PATH")
    }
    return argument
  }

  func alone<Value>(_ value: Value) throws(UsageError) -> Value {
    guard argument == nil else {
      throw UsageError("\(kind) takes nothing after it; write it alone")
    }
    return value
  }

  /// `~/clip.mp4` and the like end here when somebody leaves out `file:`.
  func unknown(_ kinds: [String]) -> UsageError {
    let list = kinds.joined(separator: ", ")
    if kind.contains("/") || (argument == nil && kind.contains(".")) {
      return UsageError("takes \(list); for a file write file:\(kind)")
    }
    let meant = suggestion(for: kind, among: kinds.map { String($0.prefix { $0.isLetter }) })
    return UsageError(
      "takes \(list); \(meant.map { "did you mean \($0)?" } ?? "choose one of them")")
  }
}

func videoChoice(_ text: String) throws(UsageError) -> VideoChoice {
  let word = MediaWord(text)
  switch word.kind {
  case "camera": return .camera(device: try word.device())
  case "file": return .file(path: try word.path())
  case "pipe": return .pipe(path: try word.path())
  case "pattern": return try word.alone(.pattern)
  case "none": return try word.alone(.none)
  default:
    throw word.unknown(["camera[:DEVICE]", "file:PATH", "pipe:PATH", "pattern", "none"])
  }
}

func audioChoice(_ text: String) throws(UsageError) -> AudioChoice {
  let word = MediaWord(text)
  switch word.kind {
  case "mic": return .microphone(device: try word.device())
  case "file": return .file(path: try word.path())
  case "pipe": return .pipe(path: try word.path())
  case "tone": return try word.alone(.tone)
  case "none": return try word.alone(.none)
  default:
    throw word.unknown(["mic[:DEVICE]", "file:PATH", "pipe:PATH", "tone", "none"])
  }
}

func viewChoice(_ text: String) throws(UsageError) -> ViewChoice {
  let word = MediaWord(text)
  switch word.kind {
  case "window": return try word.alone(.window)
  case "pipe": return .pipe(path: try sinkPath(word))
  case "none": return try word.alone(.none)
  default: throw word.unknown(["window", "pipe:PATH", "none"])
  }
}

func playChoice(_ text: String) throws(UsageError) -> PlayChoice {
  let word = MediaWord(text)
  switch word.kind {
  case "speaker": return .speaker(device: try word.device())
  case "file":
    let path = try word.path()
    guard path.hasSuffix(".wav") || path.hasSuffix(".WAV") else {
      throw UsageError("file: writes WAV; let the name end in .wav")
    }
    return .file(path: path)
  case "pipe": return .pipe(path: try sinkPath(word))
  case "none": return try word.alone(.none)
  default: throw word.unknown(["speaker[:DEVICE]", "file:PATH.wav", "pipe:PATH", "none"])
  }
}

/// Standard output belongs to events and text.
private func sinkPath(_ word: MediaWord) throws(UsageError) -> String {
  let path = try word.path()
  guard path != "-" else {
    throw UsageError("pipe:- is for sources only; name a file or a FIFO made with mkfifo")
  }
  return path
}
