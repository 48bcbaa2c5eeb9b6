import CLinux
import CommandLine
import Encryption
import Files
import Glibc
import Rooms
import Units

/// Who this user is and whom he knows: what lies in the configuration and state directories.
struct LocalUser {
  let identity: P256Identity
  let configuration: StateDirectory
  let state: StateDirectory

  private static let identityFile = "identity.pem"
  private static let peersFile = "known_peers"
  private static let serversFile = "known_servers"

  /// The identity is made at first use, unless a certificate is given.
  init(certificate: String? = nil, key: String? = nil) throws {
    configuration = try .standard(.configuration)
    state = try .standard(.state)
    if let certificate, let key {
      identity = try Self.load(certificate, key)
      return
    }
    let pem = try configuration.readSecret(Self.identityFile) { P256Identity.generate().pem }
    do {
      identity = try P256Identity(pem: pem)
    } catch {
      throw Failure(
        .internalError,
        "the identity in \(configuration.path(of: Self.identityFile)) cannot be read (\(error)); "
          + "restore it from a copy, or remove it to become somebody new")
    }
  }

  private static func load(_ certificate: String, _ key: String) throws -> P256Identity {
    do {
      return try P256Identity(
        certificatePEM: try named(certificate), keyPEM: try named(key, isSecret: true))
    } catch let error as CertificateError {
      throw Failure(.usage, "--cert \(certificate) and --key \(key) cannot be used: \(error)")
    }
  }

  var key: KeyFingerprint { KeyFingerprint(bytes: identity.keyHash)! }

  /// What others are told when `--name` is not given: a name in a CA's certificate, else the
  /// login's name.
  var defaultName: String {
    if let leaf = identity.certificateChain.first,
      let name = CertificateAuthority.personName(inCertificate: leaf)
    {
      return NeutralText.name(name)
    }
    if let entry = getpwuid(getuid()), let name = entry.pointee.pw_name {
      return NeutralText.name(String(cString: name))
    }
    return "someone"
  }

  // MARK: Known people and servers

  /// Lines that cannot be read are told to `notice`.
  func knownPeers(notice: (String) -> Void) throws -> KnownPeers {
    var refused: [Int] = []
    let text = String(decoding: try state.read(Self.peersFile) ?? [], as: UTF8.self)
    let peers = KnownPeers(own: key, text: text, refused: &refused)
    tell(refused, of: Self.peersFile, notice)
    return peers
  }

  /// Changes what is stored, whatever other calls stored meanwhile.
  func changePeers(_ change: (inout KnownPeers) throws -> Void) throws {
    var failure: (any Error)?
    try state.update(Self.peersFile) { bytes in
      var refused: [Int] = []
      var peers = KnownPeers(
        own: key, text: String(decoding: bytes ?? [], as: UTF8.self), refused: &refused)
      do { try change(&peers) } catch {
        failure = error
        return nil
      }
      return Array(peers.text.utf8)
    }
    if let failure { throw failure }
  }

  /// Lines that cannot be read are told to `notice`.
  func knownServers(notice: (String) -> Void) throws -> KnownServers {
    var refused: [Int] = []
    let text = String(decoding: try state.read(Self.serversFile) ?? [], as: UTF8.self)
    let servers = KnownServers(text: text, refused: &refused)
    tell(refused, of: Self.serversFile, notice)
    return servers
  }

  func remember(_ pin: KeyFingerprint, of address: ServerAddress) throws {
    try state.update(Self.serversFile) { bytes in
      var refused: [Int] = []
      var servers = KnownServers(
        text: String(decoding: bytes ?? [], as: UTF8.self), refused: &refused)
      servers.remember(pin, of: address)
      return Array(servers.text.utf8)
    }
  }

  private func tell(_ lines: [Int], of file: String, _ notice: (String) -> Void) {
    guard !lines.isEmpty else { return }
    notice(
      "\(state.path(of: file)) has lines that cannot be read "
        + "(\(lines.map(String.init).joined(separator: ", "))); "
        + "correct or remove them: their pins are not in force")
  }
}

/// A file that the user named; what is wrong with it is his to put right.
func named(_ path: String, isSecret: Bool = false) throws -> [UInt8] {
  do throws(FileProblem) { return try readFile(path, isSecret: isSecret) } catch {
    throw Failure(.usage, "\(error)")
  }
}
