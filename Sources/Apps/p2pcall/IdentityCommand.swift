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
  var peers = try user.knownPeers { TextOutput.standardError.write(line: "p2pcall: \($0)") }
  switch command {
  case .list:
    if peers.entries.isEmpty {
      TextOutput.standardError.write(line: "nobody is known yet: people are remembered when met")
    }
    for entry in peers.entries { TextOutput.standardOutput.write(line: line(of: entry)) }
  case .show(let who):
    TextOutput.standardOutput.write(line: line(of: try entry(who, in: peers)))
  case .rename(let who, let name):
    let key = try entry(who, in: peers).key
    try changing(&peers, user) { (peers) throws(KnownPeersError) in
      try peers.rename(key, to: name, folding: UnistringFolding())
    }
  case .forget(let who):
    let key = try entry(who, in: peers).key
    try changing(&peers, user) { (peers) throws(KnownPeersError) in try peers.forget(key) }
  case .trust(let fingerprint):
    let key: KeyFingerprint
    if let whole = KeyFingerprint(text: fingerprint) {
      key = whole
    } else {
      key = try entry(fingerprint, in: peers).key
    }
    try changing(&peers, user) { (peers) throws(KnownPeersError) in try peers.trust(key) }
  }
}

private func changing(
  _ peers: inout KnownPeers, _ user: LocalUser,
  _ change: (inout KnownPeers) throws(KnownPeersError) -> Void
) throws {
  do { try change(&peers) } catch { throw Failure(.usage, error.description) }
  try user.store(peers)
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
