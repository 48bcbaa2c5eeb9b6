import COpenSSL
package import Links
package import Rooms

/// A client's TLS 1.3 sessions to rendezvous servers, under its identity key.
package struct RendezvousClientSessions: Sendable {
  private let identity: P256Identity
  private let context: SecureContext

  package init(_ identity: P256Identity) {
    self.identity = identity
    context = SecureContext(.stream, chain: [identity.nameless], key: identity.key)
  }

  /// A session whose server is accepted provisionally: nothing may be sent on it before
  /// `ServerTrust` has judged its `ServerFacts`.
  ///
  /// The server sees a nameless certificate of the identity key. Only one that has the expected
  /// key, or that `authority` vouches for, and that asks for a CA's certificate sees the
  /// identity's own.
  package func makeSession(
    host: String, expectedKeyHash: [UInt8]? = nil, authority: CertificateAuthority? = nil
  ) -> any SecureSession {
    let rules = PeerRules(
      expectedKeyHash: expectedKeyHash, requiresP256: false,
      // A pin stands for name, chain and dates.
      authority: expectedKeyHash == nil ? authority : nil, purpose: .server(host: host),
      isBinding: false)
    let connection = SSLConnection(context, role: .client, rules: rules)
    if host.isHostName { connection.setHostName(host) }
    if expectedKeyHash != nil || authority != nil {
      connection.offerChain(identity.certificates)
    }
    return TLSSession(connection, sendsEarly: false)
  }
}

extension String {
  /// Not an IP address.
  var isHostName: Bool { !contains(":") && !allSatisfy { $0 == "." || $0.isNumber } }
}

/// A rendezvous server's sessions: TLS 1.3, every client with a certificate of a P-256 key.
package struct RendezvousServerSessions: Sendable {
  private let context: SecureContext
  private let rules: PeerRules

  /// With `authority` (`--ca`) only clients whose certificate it issued are let in.
  package init(_ certificate: ServerCertificate, authority: CertificateAuthority? = nil) {
    context = SecureContext(
      .stream, chain: certificate.chain, key: certificate.key, releasesBuffers: true)
    for issuer in authority?.certificates ?? [] {
      SSL_CTX_add_client_CA(context.pointer, issuer.pointer)
    }
    rules = PeerRules(authority: authority, purpose: .client)
  }

  package func makeSession() -> any SecureSession {
    TLSSession(SSLConnection(context, role: .server, rules: rules), sendsEarly: false)
  }
}

extension ServerFacts {
  /// What the certificates, leaf first, say about a server that was reached as `host`; `nil` where
  /// there is no key. `authority` is `--ca`'s.
  package init?(
    keyHash: [UInt8]?, chain: [[UInt8]], host: String, authority: CertificateAuthority?
  ) {
    guard let pin = keyHash.flatMap({ KeyFingerprint(bytes: $0) }) else { return nil }
    let purpose = CertificatePurpose.server(host: host)
    self.init(
      pin: pin, authorityRefusal: authority?.refusal(of: chain, for: purpose))
  }
}
