import CallRuntime
import Checks
import CommandLine
import Encryption
import Links
import Rooms
import Runtime
import Units

/// `p2pcall check`: what works here and what does not, within 10 s whatever answers.
func check(_ options: CheckOptions, start: Instant) throws -> ExitCode {
  try options.ways.interface.map(checkInterface)
  let choices = CallChoices(
    transport: Transport(options.ways.transport), ways: Ways(options.ways),
    interface: options.ways.interface)
  let isJSON = options.events == .json
  let people = isJSON ? TextOutput.standardError : .standardOutput
  TextOutput.standardError.write(line: "p2pcall: checking, for 10 s at most")
  let devices = try DeviceTrials()
  let user = try LocalUser(
    certificate: options.connection.certFile, key: options.connection.keyFile)
  let signals = try Signals()
  guard
    let (server, network, identity) = try checkNetwork(
      options.connection, choices, user, signals),
    let found = devices.findings(
      until: max(Clock.now, start + deviceTime), unless: signals)
  else { throw Failure(.interrupted, "interrupted before the check was over") }

  let now = Clock.now
  let wall = WallClock(unixSeconds: Clock.wallSeconds, at: now)
  let told = network.serverTime
  let clock = ClockFinding(
    own: wall.unixSeconds(at: told?.at ?? now), server: told?.seconds,
    isSynchronized: Clock.isSynchronized)
  let judgement = Judgement(
    Findings(
      choices: choices, devices: found, clock: clock, serverName: server.description,
      network: network,
      identity: identity))
  for verdict in judgement.verdicts {
    if isJSON { TextOutput.standardOutput.write(line: verdict.json(at: Clock.now - start)) }
    people.write(line: verdict.text)
  }
  return judgement.path.isGood ? .success : .noCallExpected
}

/// Since the start: a device that did not answer by then doesn't.
private let deviceTime = Interval.seconds(7)
/// Of a name's address.
private let lookUpTime = Interval.seconds(4)
/// Seconds that the room of a check lives at the server, which forgets it by itself.
private let checkRoomLifetime = Interval.seconds(3_600)

/// `nil` when a signal came.
private func checkNetwork(
  _ options: ServerOptions, _ choices: CallChoices, _ user: LocalUser, _ signals: Signals
) throws -> (ServerAddress, NetworkFindings, ServerIdentity?)? {
  let address = options.server ?? .standard
  var nowhere = NetworkFindings()
  switch try lookUp(address.host, port: address.port, unless: signals, within: lookUpTime) {
  case nil:
    if signals.next() != nil { return nil }
    nowhere.server = .notFound("cannot find \(address.host): no answer in time")
    return (address, nowhere, nil)
  case .failure(let error):
    nowhere.server = .notFound(error.description)
    return (address, nowhere, nil)
  case .success(let addresses):
    let choice = try ServerChoice(options, at: address, resolved: addresses, user: user)
    var identity: ServerIdentity?
    let loop = try CheckLoop(
      rendezvous: newRoom(of: user, for: checkRoomLifetime, size: 2).1, serverAddresses: addresses,
      choices: choices, ciphers: OpenSSLCipherSuite(), relaySessions: choice.relaySessions,
      makeServerSession: choice.makeSession
    ) { shown, _ in
      identity = choice.identity(shown)
      guard let identity else { return false }
      // What is said to a server that nobody vouches for is about a room that nobody enters.
      if case .refused = identity.standing { return false }
      return true
    }
    let network = loop.run()
    return loop.isInterrupted ? nil : (address, network, identity)
  }
}
