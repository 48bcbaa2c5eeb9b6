package import Links

/// Sessions to relays over TLS 1.2 and later, with authenticated encryption and without a certificate
/// of ours. The relay's must be good for its name or address by the system's anchors or `authority`'s
/// (`--ca`): what passes it is encrypted end to end, but who calls whom is its own to know.
package struct RelaySessions: RelaySessionFactory {
  private let context = SecureContext(relayClient: ())
  private let authority: CertificateAuthority?

  package init(authority: CertificateAuthority? = nil) { self.authority = authority }

  package func makeSession(host: String) -> any SecureSession {
    let rules = PeerRules(
      requiresP256: false, authority: .system(with: authority), purpose: .server(host: host))
    let connection = SSLConnection(context, role: .client, rules: rules)
    if host.isHostName { connection.setHostName(host) }
    return TLSSession(connection, sendsEarly: false)
  }
}
