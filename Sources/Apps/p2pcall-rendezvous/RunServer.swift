import CLinux
import CommandLine
import Encryption
import Files
import Rooms
import Runtime
import ServerRuntime
import Units
import Wire

/// The whole program; its exit code.
func runServer() -> Int32 {
  let start = Clock.now
  // Before any thread, which would inherit another mask.
  Signals.block()
  _ = clinux_forbid_dumps()
  // Directories and logs of libraries as well: nothing of a server is for others to read.
  umask(0o077)
  do {
    switch try RendezvousCommand(parsing: ProcessArguments.takeAndHide()) {
    case .help(let text):
      TextOutput.standardOutput.write(line: text)
      return ExitCode.success.rawValue
    case .version:
      TextOutput.standardOutput.write(line: "p2pcall-rendezvous \(programVersion)")
      return ExitCode.success.rawValue
    case .serve(let options):
      return try serve(options, ServerLog(options, start: start)).rawValue
    }
  } catch let error as UsageError {
    TextOutput.standardError.write(line: "p2pcall-rendezvous: \(error)")
    return ExitCode.usage.rawValue
  } catch {
    TextOutput.standardError.write(line: "p2pcall-rendezvous: \(error)")
    return ExitCode.internalError.rawValue
  }
}

/// Until SIGTERM (0) or Ctrl-C (130).
private func serve(
  _ options: RendezvousOptions, _ log: ServerLog
) throws -> ExitCode {
  let state = try stateDirectory(options)
  let credentials = try Credentials(options, state)
  let rooms = try RoomStore(state.path(of: "rooms.sqlite")) { log.say($0, level: .warning) }
  let sessions = RendezvousServerSessions(
    credentials.certificate, authority: credentials.authority)

  let signals = try Signals()
  guard let points = try listenPoints(options, unless: signals),
    let relays = try relayOffer(options, unless: signals)
  else {
    return signals.next() == .interrupt ? .interrupted : .success
  }
  var configuration = RendezvousService.Configuration(
    listen: points, archive: rooms, ciphers: OpenSSLCipherSuite(),
    makeSession: { sessions.makeSession() })
  if !relays.servers.isEmpty { configuration.relays = relays }
  configuration.limits.adapt(toDescriptors: Int(clinux_raise_descriptor_limit()))

  var interrupted = false
  let service: RendezvousService
  do throws(SystemError) {
    service = try RendezvousService(configuration, signals: signals) { notice in
      switch notice {
      case .outOfDescriptors:
        log.say(
          "out of descriptors: newcomers wait until somebody leaves; raise the limit (ulimit -n)",
          level: .warning)
      case .acceptsAgain: log.say("newcomers are let in again", level: .debug)
      case .draining(let signal):
        interrupted = signal == .interrupt
        log.say("going down: members are told to come back", level: .info)
      }
    }
  } catch {
    throw FileProblem(
      "cannot \(error); end the other server, or choose an address and port with --listen")
  }
  log.listening(on: service.addresses, pin: credentials.certificate.pin)
  service.run()
  return interrupted ? .interrupted : .success
}

private func stateDirectory(_ options: RendezvousOptions) throws -> StateDirectory {
  guard let path = options.stateDirectory else { return try StateDirectory.standard(.state) }
  return try named("--state") { () throws(FileProblem) in try StateDirectory(path) }
}

/// A file or directory that the user named: what is wrong with it is his to put right (exit 2).
func named<Value>(
  _ option: String, _ open: () throws(FileProblem) -> Value
) throws(UsageError) -> Value {
  do throws(FileProblem) {
    return try open()
  } catch {
    throw UsageError("\(option): \(error)")
  }
}

/// Names are looked up once; `*` is every address. `nil` when a signal came first.
private func listenPoints(
  _ options: RendezvousOptions, unless signals: Signals
) throws -> [ListenPoint]? {
  if options.listen.isEmpty { return [.everywhere(port: 7_443)] }
  var points: [ListenPoint] = []
  for listen in options.listen {
    if listen.host == "*" {
      points.append(.everywhere(port: listen.port))
      continue
    }
    switch try lookUp(listen.host, port: listen.port, unless: signals) {
    case nil: return nil
    case .success(let addresses): points.append(ListenPoint(addresses))
    case .failure(let error):
      throw UsageError(
        "\(error); give --listen an address of this computer, or * for all of them")
    }
  }
  return points
}

/// Names are looked up once, and all that they stand for is granted, as far as there is room for it. `nil` when a
/// signal came first.
private func relayOffer(
  _ options: RendezvousOptions, unless signals: Signals
) throws -> RelayOffer? {
  guard let file = options.relaySecretFile else { return RelayOffer(servers: [], secret: []) }
  let secret = try named("--turn-secret-file") { () throws(FileProblem) in
    try readFile(file, isSecret: true)
  }.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[0]
  guard secret.count >= 16 else {
    throw UsageError(
      "--turn-secret-file: the first line of \(file) is no secret; write at least 16 characters "
        + "there, such as what openssl rand -hex 32 prints, and the same into coturn's "
        + "static-auth-secret")
  }
  var servers: [RelayServer] = []
  for relay in options.relays {
    switch try lookUp(relay.host, port: relay.port, unless: signals) {
    case nil: return nil
    case .success(let addresses):
      for carrier in relay.carriers {
        servers += addresses.map { RelayServer(carrier, $0, host: Array(relay.host.utf8)) }
      }
    case .failure(let error):
      throw UsageError("\(error); give --turn the name or address of a TURN server")
    }
  }
  return RelayOffer(servers: servers, secret: Array(secret))
}

extension RendezvousLimits {
  /// Silent connections are pushed out by newer ones before they can use up all descriptors.
  fileprivate mutating func adapt(toDescriptors count: Int) {
    guard count > 0 else { return }
    // Besides connections: listeners, loops, the room file, the standard streams.
    let free = max(8, count - 64)
    pending = min(pending, free / 2)
    members = min(members, free - free / 2)
  }
}
