import CommandLine
import Encryption
import Rooms

/// `p2pcall identity`: what others see of this computer's key.
func showIdentity() throws {
  let user = try LocalUser()
  TextOutput.standardOutput.write(
    """
    name         \(user.defaultName)
    fingerprint  \(user.key)

    Read the fingerprint to a friend who wants to be sure that it is you.

    """)
}

/// `p2pcall peers …`
func performPeers(_ command: PeersCommand) throws {
  let user = try LocalUser()
  let output = TextOutput.standardOutput
  let peers = try user.knownPeers { TextOutput.standardError.write(line: "p2pcall: \($0)") }
  switch command {
  case .list:
    if peers.entries.isEmpty {
      TextOutput.standardError.write(line: "nobody is known yet: people are remembered when met")
    }
    for entry in peers.entries { output.write(line: line(of: entry)) }
  case .show(let who): output.write(line: line(of: try entry(who, in: peers)))
  case .rename(let who, let name):
    try change(user) {
      try $0.rename(entry(who, in: $0).key, to: name, folding: UnistringFolding())
    }
  case .forget(let who): try change(user) { try $0.forget(entry(who, in: $0).key) }
  case .trust(let fingerprint):
    try change(user) {
      try $0.trust(KeyFingerprint(text: fingerprint) ?? entry(fingerprint, in: $0).key)
    }
  }
}

private func change(_ user: LocalUser, _ change: (inout KnownPeers) throws -> Void) throws {
  do { try user.changePeers(change) } catch let error as KnownPeersError {
    throw Failure(.usage, error.description)
  }
}

/// By whole fingerprint, its beginning, or name; one and only one must fit.
private func entry(_ who: String, in peers: KnownPeers) throws -> KnownPeers.Entry {
  let folding = UnistringFolding()
  let found = peers.entries.filter {
    $0.key.description == who || $0.key.description.hasPrefix("sha256:\(who)")
      || ($0.key.description.hasPrefix(who) && who.count > 10)
      || folding.folded($0.name) == folding.folded(who)
  }
  guard let first = found.first else {
    throw Failure(.usage, "nobody known is \(who); p2pcall peers list shows who is")
  }
  guard found.count == 1 else {
    throw Failure(.usage, "\(who) fits \(found.count) people; give more of the fingerprint")
  }
  return first
}

private func line(of entry: KnownPeers.Entry) -> String {
  "\(entry.key)  \(entry.standing.rawValue)  \(entry.name)"
}
