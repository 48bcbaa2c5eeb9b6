import CLinux
import CommandLine
import Encryption
import Links
import Rooms
import Runtime
import Synchronization
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
  /// What the user said yes to in this process, should it not have been possible to store it.
  private let answered = Answer()

  /// Throws exit 3 where the host is not found.
  init(_ options: ServerOptions, room: ServerAddress?, user: LocalUser) throws {
    address = options.server ?? room ?? .standard
    pin = options.serverPin
    authority = try options.caFile.map { path throws in
      do { return try CertificateAuthority(pem: try wholeFile(path)) } catch let error
        as CertificateError
      {
        throw Failure(.usage, "--ca \(path) cannot be used: \(error)")
      }
    }
    sessions = RendezvousClientSessions(user.identity)
    self.user = user
    switch lookUp(address.host, port: address.port) {
    case .success(let addresses): resolved = addresses
    case .failure(let error):
      throw Failure(
        .serverUnreachable, "\(error); check --server, or give the server's address as a number")
    }
  }

  /// Loopback addresses are of use to others only where all meet on this computer.
  var isOnLoopback: Bool { resolved.allSatisfy(\.ip.isLoopback) }

  func makeSession() -> any SecureSession {
    sessions.makeSession(
      host: address.host, expectedKeyHash: pin?.bytes, authority: authority)
  }

  /// Decides by the rules, else asks; says on stderr why a server is refused.
  func accepts(_ facts: RendezvousClient.ServerFacts) -> Bool {
    guard let found = KeyFingerprint(bytes: facts.keyHash),
      let known = try? user.knownServers()
    else { return false }
    let purpose = CertificatePurpose.server(host: address.host)
    let shown = ServerFacts(
      pin: found, authorityRefusal: authority?.refusal(of: facts.chain, for: purpose),
      isSystemTrusted: CertificateAuthority.system().refusal(of: facts.chain, for: purpose) == nil)
    let trust = ServerTrust(pin: pin, hasAuthority: authority != nil, known: known)
    switch trust.verdict(on: shown, of: address) {
    case .accepted: return true
    case .refused(let refusal):
      say(refusal.sentence(for: address))
      return false
    case .ask: return ask(found)
    }
  }

  private func ask(_ found: KeyFingerprint) -> Bool {
    if answered.pin.withLock({ $0 == found }) { return true }
    guard let terminal = Terminal() else {
      say(
        "the server \(address) is not known yet and there is no terminal to ask on; "
          + "if its pin is \(found), pass --server-pin \(found)")
      return false
    }
    let answer = terminal.ask(
      "The server \(address) is new. Its pin is\n  \(found)\n"
        + "Does p2pcall-rendezvous print the same there? Type yes to go on: ")
    guard answer?.lowercased() == "yes" else {
      say("the server was not accepted; compare the pin with what it prints at its start")
      return false
    }
    answered.pin.withLock { $0 = found }
    do { try user.remember(found, of: address) } catch {
      say("the server's pin could not be remembered: \(error)")
    }
    return true
  }

  private func say(_ sentence: String) {
    TextOutput.standardError.write(line: "p2pcall: \(sentence)")
  }
}

/// The pin that the user said yes to.
private final class Answer: Sendable {
  let pin = Mutex<KeyFingerprint?>(nil)
}

/// The controlling terminal, whatever standard input and output are.
struct Terminal {
  private let descriptor: Int32

  init?() {
    descriptor = clinux_open("/dev/tty", O_RDWR | O_CLOEXEC, 0)
    if descriptor < 0 { return nil }
  }

  /// One typed line without its end; `nil` at the end of input. Signals wait for the call's loop,
  /// which does not run yet: one that comes meanwhile ends the process, as it would end the call.
  func ask(_ question: String) -> String? {
    defer { close(descriptor) }
    _ = TextOutput(descriptor: descriptor).write(question)
    var line: [UInt8] = []
    var byte: UInt8 = 0
    let signals = try? Signals()
    while line.count < 4_096 {
      var waiting = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
      if let signals {
        waiting.append(pollfd(fd: signals.fileDescriptor, events: Int16(POLLIN), revents: 0))
      }
      while poll(&waiting, nfds_t(waiting.count), -1) < 0, clinux_get_errno() == EINTR {}
      if let signal = signals?.next() {
        _ = TextOutput(descriptor: descriptor).write("\n")
        // Another thread may be drawing a window: nothing of it is torn down under its feet.
        _exit(signal == .interrupt ? ExitCode.interrupted.rawValue : ExitCode.success.rawValue)
      }
      guard read(descriptor, &byte, 1) == 1 else { return nil }
      if byte == UInt8(ascii: "\n") { break }
      line.append(byte)
    }
    return String(decoding: line.filter { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
  }
}
