/// What the handshake showed about a rendezvous server, without a judgement.
package struct ServerFacts: Hashable, Sendable {
  package var pin: KeyFingerprint
  /// Why the certificates of `--ca` do not vouch for the server under its host name; `nil` where
  /// they do, or where there is no `--ca`.
  package var authorityRefusal: String?

  package init(pin: KeyFingerprint, authorityRefusal: String?) {
    self.pin = pin
    self.authorityRefusal = authorityRefusal
  }
}

package enum ServerVerdict: Hashable, Sendable {
  package enum Ground: Hashable, Sendable {
    case pin
    case authority
    case known
    case system
  }
  case accepted(Ground)
  /// The user is asked; "yes" is remembered in `KnownServers`. Without a terminal: exit 5.
  case ask
  case refused(ServerRefusal)
}

/// Exit 5.
package enum ServerRefusal: Error, Hashable, Sendable {
  case pinMismatch(expected: KeyFingerprint, found: KeyFingerprint)
  case authority(reason: String)
  case changed(known: KeyFingerprint, found: KeyFingerprint)

  /// One sentence for the user: what was found and what to do.
  package func sentence(for address: ServerAddress) -> String {
    switch self {
    case .pinMismatch(let expected, let found):
      "the server \(address) has the key \(found), not \(expected) as --server-pin says; "
        + "check the pin with whoever runs the server"
    case .authority(let reason):
      "the certificate of the server \(address) does not satisfy --ca (\(reason)); "
        + "check the file and the server's name"
    case .changed(let known, let found):
      "the server \(address) had the key \(known) and now has \(found): somebody may be in "
        + "between; if the change is announced, pass --server-pin \(found)"
    }
  }
}

/// Whether a server is the right one: the first of these that applies decides (docs/protocol.md
/// "Client and server").
package struct ServerTrust: Sendable {
  /// `--server-pin`.
  package var pin: KeyFingerprint?
  /// Whether `--ca` was given.
  package var hasAuthority: Bool
  package var known: KnownServers

  package init(pin: KeyFingerprint? = nil, hasAuthority: Bool = false, known: KnownServers) {
    self.pin = pin
    self.hasAuthority = hasAuthority
    self.known = known
  }

  /// `isSystemTrusted`: whether the system's trust store vouches for it under its host name; asked only
  /// where nothing else decides, since reading the store takes longer than the whole handshake.
  package func verdict(
    on facts: ServerFacts, of address: ServerAddress, isSystemTrusted: () -> Bool
  ) -> ServerVerdict {
    if let pin {
      return pin == facts.pin
        ? .accepted(.pin) : .refused(.pinMismatch(expected: pin, found: facts.pin))
    }
    if hasAuthority {
      return facts.authorityRefusal.map { .refused(.authority(reason: $0)) }
        ?? .accepted(.authority)
    }
    if let known = known.pin(of: address) {
      return known == facts.pin
        ? .accepted(.known) : .refused(.changed(known: known, found: facts.pin))
    }
    return isSystemTrusted() ? .accepted(.system) : .ask
  }
}
