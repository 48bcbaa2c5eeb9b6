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
        certificatePEM: try wholeFile(certificate), keyPEM: try secretFile(key))
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
    if !refused.isEmpty {
      let lines = refused.map(String.init).joined(separator: ", ")
      notice(
        "\(state.path(of: Self.peersFile)) has lines that cannot be read (\(lines)); "
          + "correct or remove them: their pins are not in force")
    }
    return peers
  }

  func store(_ peers: KnownPeers) throws(FileProblem) {
    try state.write(Self.peersFile, Array(peers.text.utf8))
  }

  func knownServers() throws -> KnownServers {
    var refused: [Int] = []
    let text = String(decoding: try state.read(Self.serversFile) ?? [], as: UTF8.self)
    return KnownServers(text: text, refused: &refused)
  }

  func remember(_ pin: KeyFingerprint, of address: ServerAddress) throws {
    var servers = try knownServers()
    servers.remember(pin, of: address)
    try state.write(Self.serversFile, Array(servers.text.utf8))
  }
}

/// A file that the user named; at most 1 MiB.
func wholeFile(_ path: String) throws -> [UInt8] {
  let descriptor = clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
  guard descriptor >= 0 else {
    throw Failure(
      .usage,
      "\(path) cannot be read (\(String(cString: strerror(clinux_get_errno())))); check the name")
  }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 65_536)
  while bytes.count <= 1 << 20 {
    let count = read(descriptor, &chunk, chunk.count)
    guard count > 0 else { return bytes }
    bytes.append(contentsOf: chunk[..<count])
  }
  throw Failure(.usage, "\(path) is too long for a certificate; check the name")
}

/// The same for a private key: refused where others may read it.
private func secretFile(_ path: String) throws -> [UInt8] {
  var status = stat()
  if stat(path, &status) == 0, status.st_mode & 0o077 != 0 {
    throw Failure(.usage, "others may read the private key \(path); run chmod 600 \(path)")
  }
  return try wholeFile(path)
}
