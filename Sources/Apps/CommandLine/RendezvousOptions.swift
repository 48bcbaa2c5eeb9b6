package import Rooms

/// Everything that `p2pcall-rendezvous` is told.
package struct RendezvousOptions: Hashable, Sendable {
  /// Empty: port 7443 of every local address, v4 and v6. A host `*` means every address.
  package var listen: [ServerAddress] = []
  package var certFile: String?
  package var keyFile: String?
  /// PEM: only clients whose certificate this CA signed are served.
  package var caFile: String?
  package var stateDirectory: String?
  /// TURN servers that members may use, the preferred one first.
  package var relays: [RelayURL] = []
  /// What they share with this server.
  package var relaySecretFile: String?
  package var events: EventFormat?
  package var logLevel = LogLevel.info
  package init() {}
}

package enum RendezvousCommand: Hashable, Sendable {
  case serve(RendezvousOptions)
  /// Text for standard output.
  case help(String)
  case version

  /// `arguments` without the program's own name.
  package init(parsing arguments: [String]) throws(UsageError) {
    switch try rendezvousTable.parse(arguments) {
    case .result(let options): self = .serve(options)
    case .help(let text): self = .help(text)
    case .version: self = .version
    }
  }
}

let rendezvousTable = CommandTable<RendezvousOptions, RendezvousOptions>(
  "p2pcall-rendezvous", "the server that introduces people who hold the same room id",
  notes: [
    "Started with no options it makes its own certificate, listens on port 7443 and prints the "
      + "address and the pin that callers need. SIGTERM ends it in order."
  ],
  options: [
    CommandOption(
      "listen",
      "where to listen, such as 0.0.0.0:7443 or [::]:7443; may be repeated (default: port 7443 of "
        + "every address)",
      .value("ADDRESS:PORT") { (options, text) throws(UsageError) in
        options.listen.append(try listenAddress(text))
      }),
    .stored("cert", "FILE", "the server's certificate (with --key)", \RendezvousOptions.certFile) {
      (text) throws(UsageError) in try filePath(text)
    },
    .stored("key", "FILE", "the private key of --cert", \RendezvousOptions.keyFile) {
      (text) throws(UsageError) in try filePath(text)
    },
    .stored("ca", "FILE", "serve only people with a certificate of this CA", \.caFile) {
      (text) throws(UsageError) in try filePath(text)
    },
    .stored(
      "state", "DIR", "where certificate and rooms are kept (default: XDG_STATE_HOME/p2pcall)",
      \RendezvousOptions.stateDirectory
    ) { (text) throws(UsageError) in try filePath(text) },
    CommandOption(
      "turn",
      "a TURN server for members: turn:HOST[:PORT] (UDP and TCP) or turns:HOST[:PORT] (TLS); may be "
        + "repeated, with --turn-secret-file",
      .value("URL") { (options, text) throws(UsageError) in
        guard options.relays.count < RelayURL.limit else {
          throw UsageError("may be given \(RelayURL.limit) times; leave one out")
        }
        do { options.relays.append(try RelayURL(text: text)) } catch {
          throw UsageError("is wrong: \(error)")
        }
      }),
    .stored(
      "turn-secret-file", "FILE", "the secret that the TURN servers know (static-auth-secret)",
      \RendezvousOptions.relaySecretFile
    ) { (text) throws(UsageError) in try filePath(text) },
    .stored("events", "FORMAT", "json: one event a line on stdout", \RendezvousOptions.events) {
      (text) throws(UsageError) in try choice(EventFormat.self)(text)
    },
    .stored(
      "log-level", "LEVEL", "how much to say on stderr: error, warning, info (default), debug",
      \RendezvousOptions.logLevel, choice(LogLevel.self)),
  ], defaults: RendezvousOptions.init
) { (options, operands) throws(UsageError) in
  guard operands.isEmpty else {
    throw UsageError("p2pcall-rendezvous takes options only; to set the port write --listen *:PORT")
  }
  guard (options.certFile == nil) == (options.keyFile == nil) else {
    throw options.certFile == nil
      ? UsageError("--key is of use with its certificate only; add --cert FILE")
      : UsageError("--cert needs its private key; add --key FILE")
  }
  guard options.relays.isEmpty == (options.relaySecretFile == nil) else {
    throw options.relays.isEmpty
      ? UsageError("--turn-secret-file is of use with a TURN server only; add --turn turn:HOST")
      : UsageError("--turn needs the secret that the server knows; add --turn-secret-file FILE")
  }
  return options
}

/// `ADDRESS:PORT`; `*` is every address, and port 0 lets the system choose (shown once ready).
private func listenAddress(_ text: String) throws(UsageError) -> ServerAddress {
  if text.hasSuffix(":0") {
    var address = try listenAddress(String(text.dropLast()) + "1")
    address.port = 0
    return address
  }
  if text.hasPrefix("*:") {
    return ServerAddress(host: "*", port: try serverAddress("any" + text.dropFirst()).port)
  }
  return try serverAddress(text)
}
