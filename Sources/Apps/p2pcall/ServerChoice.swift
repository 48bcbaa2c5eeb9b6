import CLinux
import Checks
import CommandLine
import Encryption
import Links
import Rooms
import Runtime
import Units

/// The rendezvous server of one command: where it is, how sessions to it are made, and whether it
/// is the one that is meant.
struct ServerChoice {
  let address: ServerAddress
  let resolved: [SocketAddress]
  private let pin: KeyFingerprint?
  private let authority: CertificateAuthority?
  private let sessions: RendezvousClientSessions
  private let user: LocalUser

  /// Throws exit 3 where the host is not found, 130 where a signal came first.
  init(_ options: ServerOptions, room: ServerAddress?, user: LocalUser) throws {
    let address = options.server ?? room ?? .standard
    switch try lookUp(address.host, port: address.port, unless: Signals()) {
    case .success(let addresses):
      try self.init(options, at: address, resolved: addresses, user: user)
    case nil: throw Failure(.interrupted, "interrupted before \(address.host) was found")
    case .failure(let error):
      throw Failure(
        .serverUnreachable, "\(error); check --server, or give the server's address as a number")
    }
  }

  init(
    _ options: ServerOptions, at address: ServerAddress, resolved: [SocketAddress],
    user: LocalUser
  ) throws {
    self.address = address
    self.resolved = resolved
    pin = options.serverPin
    authority = try options.caFile.map { path throws in
      do { return try CertificateAuthority(pem: try named(path)) } catch let error
        as CertificateError
      {
        throw Failure(.usage, "--ca \(path) cannot be used: \(error)")
      }
    }
    sessions = RendezvousClientSessions(user.identity)
    self.user = user
  }

  /// Loopback addresses are of use to others only where all meet on this computer.
  var isOnLoopback: Bool { resolved.allSatisfy(\.ip.isLoopback) }

  var relaySessions: RelaySessions { RelaySessions(authority: authority) }

  func makeSession() -> any SecureSession {
    sessions.makeSession(
      host: address.host, expectedKeyHash: pin?.bytes, authority: authority)
  }

  /// Decides by the rules, else asks where it may; says on stderr why a server is refused. `nil`
  /// when a signal came instead of an answer.
  func accepts(_ shown: RendezvousClient.ServerFacts, mayAsk: Bool) -> Bool? {
    guard let (facts, verdict) = judge(shown) else { return false }
    switch verdict {
    case .accepted: return true
    case .refused(let refusal):
      say(refusal.sentence(for: address))
      return false
    case .ask where mayAsk: return ask(facts.pin)
    case .ask:
      say(
        "the server \(address) came back with another key, \(facts.pin), which nothing vouches "
          + "for; the call goes on without it")
      return false
    }
  }

  /// By the rules; `nil` where they cannot be read, which is said on stderr.
  private func judge(
    _ shown: RendezvousClient.ServerFacts
  ) -> (facts: ServerFacts, verdict: ServerVerdict)? {
    let known: KnownServers
    do { known = try user.knownServers(notice: say) } catch {
      say("\(error)")
      return nil
    }
    let facts = ServerFacts(
      keyHash: shown.keyHash, chain: shown.chain, host: address.host, authority: authority)
    guard let facts else { return nil }
    let trust = ServerTrust(pin: pin, hasAuthority: authority != nil, known: known)
    let verdict = trust.verdict(on: facts, of: address) {
      CertificateAuthority.system().refusal(of: shown.chain, for: .server(host: address.host))
        == nil
    }
    return (facts, verdict)
  }

  /// The same for a check, which asks nobody and remembers nothing.
  func identity(_ shown: RendezvousClient.ServerFacts) -> ServerIdentity? {
    guard let (facts, verdict) = judge(shown) else { return nil }
    let validity = shown.chain.first.flatMap { CertificateAuthority.validity(ofCertificate: $0) }
    let standing: ServerIdentity.Standing =
      switch verdict {
      case .accepted(let ground): .accepted(ground)
      case .refused(let refusal): .refused(refusal.sentence(for: address))
      case .ask: .unknown
      }
    return ServerIdentity(
      standing: standing, pin: facts.pin, notBefore: validity?.lowerBound,
      notAfter: validity?.upperBound)
  }

  private func ask(_ found: KeyFingerprint) -> Bool? {
    guard let terminal = Terminal(), let signals = try? Signals() else {
      say(
        "the server \(address) is not known yet and there is no terminal to ask on; "
          + "if its pin is \(found), pass --server-pin \(found)")
      return false
    }
    let answer = withExtendedLifetime(signals) {
      terminal.ask(
        "The server \(address) is new. Its pin is\n  \(found)\n"
          + "Does p2pcall-rendezvous print the same there? Type yes to go on: ",
        unless: signals.fileDescriptor)
    }
    if answer == .interrupted { return nil }
    guard case .line(let line) = answer, line.lowercased() == "yes" else {
      say("the server was not accepted; compare the pin with what it prints at its start")
      return false
    }
    do { try user.remember(found, of: address) } catch {
      say("the server's pin could not be remembered: \(error)")
    }
    return true
  }

  private func say(_ sentence: String) {
    TextOutput.standardError.write(line: "p2pcall: \(sentence)")
  }
}
