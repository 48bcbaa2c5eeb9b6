import Links

/// Which certificates of the other side a session accepts, decided within the handshake.
struct PeerRules: Sendable {
  /// SHA-256 of the one SubjectPublicKeyInfo that is right.
  var expectedKeyHash: [UInt8]?
  /// Whether only P-256 keys are accepted: all but rendezvous servers.
  var requiresP256 = true
  /// A CA that must vouch for the chain, and for what.
  var authority: CertificateAuthority?
  var purpose = CertificatePurpose.person
  /// Whether a refusal ends the handshake. A rendezvous server that fails the rules is accepted
  /// provisionally, so that `ServerTrust` can say what is wrong; it only counts as not proved.
  var isBinding = true

  /// `nil` for a chain that is accepted, leaf first.
  func refusal(of chain: [Certificate]) -> SecureSessionFailure? {
    guard let leaf = chain.first else { return .refused("the peer showed no certificate") }
    if requiresP256, !P256.isPublicKeyInfo(leaf.publicKeyInfo) {
      return .refused("the peer's certificate is not for a P-256 key")
    }
    if let expectedKeyHash, leaf.keyHash != expectedKeyHash {
      return .keyMismatch(expected: expectedKeyHash, found: leaf.keyHash)
    }
    if let authority, let fault = authority.fault(of: chain, for: purpose) {
      return .untrusted(fault)
    }
    return nil
  }
}
